"""What a run left behind against its record: the end, and the model by the hash that the record closed with.

It is the same for a run's folder and for one file that it was saved as. A stranger's code is not run: their
model is built only where it is one that comes along.
"""

import json
from contextlib import suppress
from pathlib import Path
from typing import Final

from safetensors import SafetensorError

from subnetlab.archive.save import LEFT_OUT
from subnetlab.errors import FleetError, ModelNotBuildable, StoreError, SubnetLabError
from subnetlab.fleet.run_folder import CONFIG_FILE, MODEL_FILE, RESULT_FOLDER
from subnetlab.record.files import read_plain
from subnetlab.train.manifest import Manifest
from subnetlab.train.theta import theta_hash, trainable
from subnetlab.train.verify import Report
from subnetlab.train.verify.log import MALFORMED, Log

_WITH_MODEL: Final = ("finished", "stopped", "diverged")
"""Ends that are on record only once the model of the last closed round is written."""
_PARTS: Final = (CONFIG_FILE, MODEL_FILE)


def check_end(folder: Path, log: Log, report: Report) -> None:
    """Whether the record of a run that no longer goes on ends, and the model that it ends with is there."""
    left = [name for name in _PARTS if (folder / RESULT_FOLDER / name).is_file()]
    last = max(log.closed, default=-1)
    if log.started is not None and log.ended is None and not log.interrupted:
        said = f"The record breaks off after round {last + 1}, without the line that ends a run"
        if len(left) == len(_PARTS):
            said += ", though its model, which is written at its end, is there: its last lines are missing."
            report.tampered("record", "record line", said)
        else:
            said += ": the run went on or was killed when this was kept, or the last lines were taken away."
            report.unchecked("record", "record line", said)
    if not _closed_with(log) or log.ended is None or log.ended.status not in _WITH_MODEL:
        return
    for name in _PARTS:
        if name in left:
            continue
        if name == MODEL_FILE and _left_out(folder):
            said = "The file was saved without the weights, so the model that the run left is not at hand."
            report.unchecked("model", "model", said, round_=last)
        else:
            said = f"{RESULT_FOLDER}/{name} is missing, though the record says that the run left a model."
            report.tampered("model", "model", said, round_=last)


def check_model(folder: Path, manifest: Manifest, log: Log | None, report: Report, *, trusted: bool) -> None:
    """Whether the model that the run left is the one that its rounds lead to, or that its record closed with.

    Args:
        folder: of the run.
        manifest: of the run, which says what model it is.
        log: its record; None where there is none.
        report: of the checks so far; its `theta` is used where it followed all rounds that are on record.
        trusted: whether code that the manifest names may run here.
    """
    if not all((folder / RESULT_FOLDER / name).is_file() for name in _PARTS):
        return  # named already
    rounds = max(log.closed, default=-1) + 1 if log else 0
    followed = bool(report.theta) and rounds <= report.rounds
    theta = report.theta if followed else _closed_with(log) if log else ""
    if not theta:
        return
    round_ = (report.rounds if followed else rounds) - 1
    try:
        same = _is_described(folder, manifest) and _has_hash(folder, theta, trusted=trusted)
        led = "its rounds lead to" if followed else "its record closed with"
        said = f"The model that the run left is not the one that {led}."
    except ModelNotBuildable as error:
        report.unchecked("model", "model", f"The model that the run left cannot be built: {error}")
        return
    except (SubnetLabError, SafetensorError, OSError, RuntimeError, *MALFORMED) as error:
        said = f"The model that the run left cannot be read: {error}"
        if isinstance(error, FleetError) or isinstance(error.__cause__, StoreError):  # what it began with
            report.unchecked("model", "model", said, round_=round_)
            return
        same = False
    report.count("model")
    if not same:
        report.tampered("model", "model", said, round_=round_)


def _is_described(folder: Path, manifest: Manifest) -> bool:
    """Whether the configuration beside the tensors describes the manifest's model."""
    told = json.loads(read_plain(folder / RESULT_FOLDER / CONFIG_FILE))
    return told["model"] == json.loads(json.dumps(manifest.model.to_json()))


def _has_hash(folder: Path, theta: str, *, trusted: bool) -> bool:
    """Whether the model has this hash, or numbers that cannot be compared with it.

    Raises:
        ModelNotBuildable: it is code that is not trusted, or not at hand.
        SubnetLabError: it cannot be read.
    """
    import torch  # noqa: PLC0415

    from subnetlab.lab.result import build_recorded, load_result  # noqa: PLC0415  (lab.run names this report)

    model = load_result(folder) if trusted else build_recorded(folder)
    parts = [part.detach().reshape(-1) for _, part in trainable(model)]
    found = theta_hash(torch.cat([part.float() for part in parts]))
    return found == theta or any(part.dtype != torch.float32 for part in parts)


def _closed_with(log: Log) -> str:
    """The hash of the model after the last round on record; empty where no round closed with one."""
    return log.closed[max(log.closed)].theta_hash if log.closed else ""


def _left_out(folder: Path) -> bool:
    """Whether the weights were left out when the run was saved."""
    with suppress(OSError, *MALFORMED):
        told = json.loads(read_plain(folder / RESULT_FOLDER / CONFIG_FILE))
        return all(told[name] == value for name, value in LEFT_OUT.items())
    return False
