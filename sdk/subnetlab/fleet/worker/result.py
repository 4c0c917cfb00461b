"""The trained model of a run as files, replayed from what is published: the model that everyone can prove.

Reads the anchors on chain and the store, as any stranger could; trusts
no peer's word. Files appear together or not at all.
"""

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from math import isfinite
from pathlib import Path

import torch
from safetensors.torch import save_file

from subnetlab.errors import FleetError, StoreError
from subnetlab.fleet.launcher import Answer
from subnetlab.fleet.run_folder import CARD_FILE, CONFIG_FILE, MODEL_FILE, RESULT_FOLDER
from subnetlab.fleet.spec import READER_URI, read_spec
from subnetlab.fleet.worker.card import card
from subnetlab.fleet.worker.manifest_file import load_manifest
from subnetlab.fleet.worker.meaning import meaning
from subnetlab.fleet.worker.role import open_data, roster_of
from subnetlab.fleet.worker.run_store import seen_by, whole_store
from subnetlab.network.peer_chain import PeerChain
from subnetlab.train.data.corpus import Corpus
from subnetlab.train.gathering import keep
from subnetlab.train.manifest import Manifest
from subnetlab.train.models import HuggingFace
from subnetlab.train.peer import checked_corpus
from subnetlab.train.replica import Replica


def write_result(run_folder: str, last_round: int, val_loss: float) -> Answer:
    """Replay the rounds up to `last_round` and write `result/` into the run's folder.

    Args:
        run_folder: of the run.
        last_round: the last round that closed.
        val_loss: held-out loss after it, as the lead reported; for the card.

    Returns:
        The hash of the model and the folder's path.

    Raises:
        TrainError: what is published does not lead to a model.
        NodeUnreachable: the node does not answer.
    """
    folder = Path(run_folder)
    manifest: Manifest = load_manifest(folder)
    replica = open_replica(manifest, folder)
    adopted = replica.adopt(last_round)
    if adopted is None:
        raise FleetError(f"Round {last_round + 1} closed without a model.", hint="")
    if adopted.record.accepted and replica.last is not None:
        with suppress(StoreError):  # the result does not need it
            keep(replica.last, adopted.record, replica.layout, whole_store(folder))
    return write_model(
        folder,
        replica,
        lambda: checked_corpus(manifest, open_data(folder)),
        network=read_spec(folder).network,
        last_round=last_round,
        val_loss=val_loss,
    )


def write_model(
    folder: Path, replica: Replica, corpus: Callable[[], Corpus], *, network: str, last_round: int,
    val_loss: float,
) -> Answer:  # fmt: skip
    """Write the model that a replica holds as the result of a run; arguments and answer as `write_result`.

    Args:
        folder: of the run.
        replica: where the last round left it.
        corpus: the run's data, asked for where a model's statistics are estimated from it.
        network: what its chain is called.
        last_round: the last round that closed.
        val_loss: held-out loss after it.
    """
    manifest = replica.manifest
    result, made = folder / RESULT_FOLDER, folder / f"{RESULT_FOLDER}.new"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    replica.model.load(replica.theta_P)
    if replica.model.has_statistics:
        torch.set_num_threads(1)  # as the validators judged it
        replica.model.settle(corpus())
    save_file(replica.model.state(), made / MODEL_FILE, metadata={"theta_hash": replica.hash, "format": "pt"})
    config: Answer = {
        **_published(manifest),
        **meaning(manifest),
        "run_id": manifest.run_id,
        "manifest_hash": manifest.hash,
        "model": manifest.model.to_json(),
        "seed": manifest.seed,
        "init": manifest.init,
        "rounds": last_round + 1,
        "parameters": replica.layout.size,
        "theta_hash": replica.hash,
        "val_loss": val_loss if isfinite(val_loss) else None,
        "versions": manifest.versions,
    }
    (made / CONFIG_FILE).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    (made / CARD_FILE).write_text(card(manifest, network, config), encoding="utf-8")
    shutil.rmtree(result, ignore_errors=True)
    made.replace(result)
    return {"theta_hash": replica.hash, "folder": str(result)}


def _published(manifest: Manifest) -> Answer:
    """What other libraries look for in the same file: `from_pretrained` reads a configuration there."""
    spec = manifest.model
    if not isinstance(spec, HuggingFace):
        return {}
    return {**spec.config, "architectures": [spec.architecture]}


def open_replica(manifest: Manifest, run_folder: Path) -> Replica:
    """A stranger's copy of the run's model, at its start."""
    spec = read_spec(run_folder)
    chain = PeerChain(spec.endpoint, spec.netuid, READER_URI)
    return Replica(manifest, roster_of(run_folder), chain, seen_by(spec))
