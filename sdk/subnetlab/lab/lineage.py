"""The lineage of a run's model: written where the owner's key is at hand, and checked against the run."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from subnetlab.archive.lineage import LINEAGE_FILE, Lineage, Shard, read_lineage, sha256_of, signed, statement
from subnetlab.errors import RunFileInvalid
from subnetlab.fleet.run_folder import CONFIG_FILE, MANIFEST_FILE, MODEL_FILE
from subnetlab.network.wallets import DEV_NAMES, Wallet, dev_wallet, open_wallet
from subnetlab.record.view import RunView

if TYPE_CHECKING:
    from subnetlab.train.data.corpus import Corpus
    from subnetlab.train.verify import Report

_FILES = (MODEL_FILE, CONFIG_FILE)


def write_lineage(run_folder: Path, saved: Path, view: RunView, wallet: str | Wallet | None) -> Path | None:
    """Write the lineage into the folder that a run was saved in; None where the owner's key is not at hand.

    Args:
        run_folder: of the run.
        saved: holds its model.
        view: of its record.
        wallet: whose hotkey signs; on a development chain the owner's unless given.

    Raises:
        UnknownWallet: there is no such wallet here.
        TrainError: the data of the run is not at hand.
    """
    from subnetlab.fleet.worker.manifest_file import load_manifest  # noqa: PLC0415  (torch is loaded here)
    from subnetlab.lab.plan import open_corpus  # noqa: PLC0415

    started, closed = view.started, view.last_closed
    if started is None or closed is None:
        return None
    owner = next((str(seat["hotkey"]) for seat in started.seats if seat["role"] == "owner"), "")
    key = _key(wallet, owner, development=bool(started.play_money))
    if key is None:
        return None
    manifest: dict[str, Any] = json.loads((run_folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    said = statement(
        manifest=manifest, theta=closed.theta_hash, owner=owner, network=started.network,
        files={name: sha256_of(saved / name) for name in _FILES},
        shards=shards_of(open_corpus(run_folder, load_manifest(run_folder))),
        made=[(number + 1, event.aggregate_hash) for number, event in sorted(view.closed.items())],
    )  # fmt: skip
    path = saved / LINEAGE_FILE
    path.write_bytes(signed(said, key.ss58_address, lambda message: bytes(key.sign(message))))
    return path


def _key(wallet: str | Wallet | None, owner: str, *, development: bool) -> Any:
    """The hotkey that signs, or None."""
    if wallet is not None:
        opened = open_wallet(wallet, development=development)
        return getattr(opened, "hotkey", opened)  # a signer of one key is its own
    names = DEV_NAMES if development else ()
    keys = (dev_wallet(name).hotkey for name in names)
    return next((key for key in keys if key.ss58_address == owner), None)


def shards_of(corpus: "Corpus") -> list[Shard]:
    """Every shard of a corpus with its hashes."""
    found: list[Shard] = []
    leaves = iter(corpus.shard_hashes())
    for part in ("train", "validation"):
        values = corpus.part(part)
        for number, start in enumerate(range(0, len(values), corpus.manifest.shard_tokens)):
            data = values[start : start + corpus.manifest.shard_tokens].tobytes()
            found.append(Shard(f"{part}/{number}", hashlib.sha256(data).hexdigest(), next(leaves).hex()))
    return found


def check_lineage(
    path: Path, report: "Report", *, run: Mapping[str, Any] | None = None, owner: str = ""
) -> None:
    """Check a lineage: its signature, the files beside it, and, where one is given, the run that it tells of.

    Args:
        path: of the file.
        report: takes the findings, and the model's hash of the run that was verified with it.
        run: the manifest that the chain proves; None checks the file alone.
        owner: hotkey (ss58) of the subnet's owner on chain; empty where it is not known.
    """
    report.count("lineage")
    try:
        found: Lineage = read_lineage(path)
    except RunFileInvalid as error:
        report.tampered("lineage", "lineage", str(error))
        return
    for name, digest in found.files.items():
        beside = path.parent / name
        try:
            same = Path(name).name == name and sha256_of(beside) == digest
        except OSError:
            report.unchecked(
                "lineage", "lineage", f"{name}, which the lineage is about, does not lie beside it."
            )
            continue
        if not same:
            report.tampered("lineage", "lineage", f"{name} is not the file that the lineage is about.")
    if owner and found.signer != owner:
        report.tampered(
            "lineage", "lineage", f"The lineage is signed by {found.signer}; the owner is {owner}."
        )
    if run is None:
        return
    if found.manifest != run:
        report.tampered("lineage", "lineage", "The lineage tells another manifest than the run's.")
    if report.theta and found.theta != report.theta:
        report.tampered(
            "lineage", "lineage", "The lineage tells another model than the rounds of the run lead to."
        )
    if _root(found) != run["data"]["root"]:
        report.tampered("lineage", "lineage", "The lineage tells other data than the manifest fixes.")


def _root(found: Lineage) -> str:
    from subnetlab.train.hashing import merkle_root  # noqa: PLC0415  (only where a lineage is checked)

    try:
        return merkle_root([bytes.fromhex(shard.leaf) for shard in found.shards]).hex()
    except ValueError:
        return ""
