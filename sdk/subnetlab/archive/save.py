"""What a run leaves behind, kept by its owner: as a folder with the model, or as one file that replays it.

Loads no torch: files are copied as the supervisor wrote them. The file is a zip whose members are named as in
a run's folder, and nothing else goes in: no keys, no names of wallets, no payloads.
"""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from subnetlab.errors import RunError, RunNotFinished
from subnetlab.fleet.run_folder import CARD_FILE, CONFIG_FILE, MANIFEST_FILE, MODEL_FILE, RESULT_FOLDER
from subnetlab.record.line import FILE_NAME
from subnetlab.record.reader import verify

MIB: Final = 1 << 20
MEMBERS: Final = {
    FILE_NAME: 512 * MIB,
    MANIFEST_FILE: 16 * MIB,
    f"{RESULT_FOLDER}/{CARD_FILE}": 1 * MIB,
    f"{RESULT_FOLDER}/{CONFIG_FILE}": 16 * MIB,
    f"{RESULT_FOLDER}/{MODEL_FILE}": 1024 * MIB,
}
"""Every name a run's file may hold, and the most bytes it may unpack to."""
REQUIRED: Final = (FILE_NAME, MANIFEST_FILE)
_WEIGHTS: Final = f"{RESULT_FOLDER}/{MODEL_FILE}"
LEFT_OUT: Final = {"weights": "left out"}
"""What the configuration says in a file without the weights, so that they are not missed as taken away."""
NO_MODEL: Final = "No round closed with an update, or its miners answered tasks instead of training a model."
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""One date for all members: the same run makes the same file."""


def result_folder(run_folder: Path) -> Path:
    """Where a run's model lies.

    Raises:
        RunNotFinished: the run left no model.
    """
    folder = run_folder / RESULT_FOLDER
    if not (folder / CONFIG_FILE).is_file():
        raise RunNotFinished(f"Run {run_folder.name} left no model.", hint=NO_MODEL)
    return folder


def save_folder(run_folder: Path, target: Path, verdict: str) -> Path:
    """Copy model, configuration and card into a folder, the verdict added to the card.

    Raises:
        RunNotFinished: the run left no model.
        RunError: the folder holds something already.
    """
    folder = result_folder(run_folder)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise RunError(f"{target} is not empty; nothing was written.", hint="Name a new folder.")
    shutil.copytree(folder, target, dirs_exist_ok=True)
    (target / CARD_FILE).write_text(_card(folder, verdict), encoding="utf-8")
    return target


def save_file(run_folder: Path, target: Path, verdict: str, *, model: bool = True) -> Path:
    """Write the whole run as one file: record, manifest and, if it left one, the model with its card.

    The file appears complete or not at all. An unfinished last line of the record is left out. Without the
    weights (`model=False`) it is a twentieth of the size and shows and answers the same.

    Raises:
        RunError: the file exists, a part is missing or too large to be opened again.
        RecordError: the record is missing or was changed.
    """
    if target.exists():
        raise RunError(f"{target} exists; nothing was written.", hint="Name a new file.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as draft:
        made = Path(draft.name)
    try:
        with ZipFile(made, "w", ZIP_DEFLATED, allowZip64=False) as file:
            for name, limit in MEMBERS.items():
                if model or name != _WEIGHTS:
                    _add(file, run_folder, name, limit, verdict, model=model)
        made.chmod(0o644)
        made.replace(target)
    except OSError as error:
        raise RunError(
            f"{target} could not be written: {error}.",
            hint="Give a file in a folder that you can write to, with room on its disk.",
        ) from error
    finally:
        made.unlink(missing_ok=True)
    return target


def _add(file: ZipFile, run_folder: Path, name: str, limit: int, verdict: str, *, model: bool) -> None:
    source = run_folder / name
    if not source.is_file():
        if name in REQUIRED:
            raise RunError(
                f"Run {run_folder.name} has no {name}; nothing was written.",
                hint="Wait for the run's end with run.wait(), then save it.",
            )
        return
    size = source.stat().st_size
    if size > limit:
        raise RunError(
            f"{name} of run {run_folder.name} is too large for one file: {size:,} bytes.",
            hint="Copy the run's folder instead: run.folder.",
        )
    member = ZipInfo(name, _EPOCH)
    member.compress_type, member.external_attr = ZIP_DEFLATED, 0o100644 << 16
    if source.name == CARD_FILE:
        file.writestr(member, _card(source.parent, verdict))
        return
    if source.name == CONFIG_FILE and not model:
        file.writestr(member, _without_weights(source))
        return
    left = size
    if name == FILE_NAME:
        left -= verify(source).torn_bytes
    with source.open("rb") as reading, file.open(member, "w") as writing:
        while left and (chunk := reading.read(min(left, MIB))):
            writing.write(chunk)
            left -= len(chunk)


def _card(folder: Path, verdict: str) -> str:
    card = (folder / CARD_FILE).read_text(encoding="utf-8")
    said = "\n".join(f"    {line}".rstrip() for line in verdict.splitlines())
    return card if said in card else f"{card}\n{said}\n"


def _without_weights(config: Path) -> bytes:
    """The configuration that says that the weights were left out; as it is where it is no JSON object."""
    content = config.read_bytes()
    try:
        told: dict[str, Any] = {**json.loads(content), **LEFT_OUT}
    except (ValueError, TypeError, RecursionError):
        return content
    return (json.dumps(told, indent=2, sort_keys=True) + "\n").encode()
