"""Verify a run from a notebook or a terminal: find manifest, seats, chain, store, record and data; check all.

What is found is decided here, what is true in `train.verify`. A source that cannot be had is a finding of its
own, never an error: the rest is checked without it.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from subnetlab.archive.load import load
from subnetlab.archive.validate import validate_event
from subnetlab.errors import (
    FleetError,
    NetworkError,
    StoreError,
    SubnetLabError,
    TrainError,
    UnknownNetwork,
)
from subnetlab.fleet.launch import is_running
from subnetlab.fleet.run_folder import DATA_FOLDER, MANIFEST_FILE, STORE_FOLDER
from subnetlab.fleet.spec import FleetSpec, read_spec
from subnetlab.fleet.worker.run_store import whole_store
from subnetlab.lab.answers_verification import judge_again
from subnetlab.lab.lineage import check_lineage
from subnetlab.lab.model_check import check_end, check_model
from subnetlab.lab.public_verification import public_roster
from subnetlab.network.commit_history import ChainHistory, read_history
from subnetlab.network.wire_client import WireClient
from subnetlab.public.hotkey import endpoint_of
from subnetlab.public.subnet_reads import SubnetReads
from subnetlab.record.described import is_of_answers
from subnetlab.record.files import read_plain
from subnetlab.record.line import FILE_NAME
from subnetlab.store.base import Store
from subnetlab.store.objects import open_store
from subnetlab.store.places import LocatedPlaces, OwnPlace
from subnetlab.train import data as sources
from subnetlab.train.data.corpus import Corpus
from subnetlab.train.every_place import EveryPlace
from subnetlab.train.manifest import Manifest
from subnetlab.train.roster import FixedRoster, GrowingRoster, Roster, Seat
from subnetlab.train.verify import Report, Sources, verify
from subnetlab.train.verify.identity import (
    canonical_hash,
    check_data,
    check_seats,
    choose_manifest,
    proven_run,
)
from subnetlab.train.verify.log import Log, read_log
from subnetlab.waiting import waiting

_A_FEW = 100
_MOST_BLOCKS = 2_000_000
"""Blocks of a run that are read; nine months at twelve seconds."""


@waiting("the run to be checked")
def verify_folder(
    folder: Path, *, replay: float = 0.1, store: str = "", endpoint: str = "", trusted: bool = True,
    trust: Sequence[str] = (), history: ChainHistory | None = None, lineage: Path | None = None,
) -> Report:  # fmt: skip
    """Verify the run of a folder.

    Args:
        folder: `runs/<name>` below SubnetLab's home, or a copy of one.
        replay: share of the miners' rounds that are trained again, and of the rounds that are judged again.
        store: where its objects lie, where that is not the folder's own.
        endpoint: of a node of its chain, where that is not the one it ran on.
        trusted: whether code that the manifest names may run here.
        trust: hashes of manifests whose code may run here all the same.
        history: what its chain holds, where that was read before; no node is asked then.
        lineage: a file that tells how the run's model came to be, which is checked against the run.
    """
    report = Report(run=folder.name)
    missing: dict[str, str] = {}
    live = is_running(folder)  # asked before the record is read, which may end in between
    log = _log(folder, report, missing)
    spec = _spec(folder)
    if log is not None and not live:
        check_end(folder, log, report)
    opened = _store(folder, spec, store, missing, log, trusted=trusted)
    found = _manifests(folder, log, report)
    history = history or chain_history(found, log, spec, endpoint, missing, live=live)
    if history is not None:
        report.node = endpoint or (spec.endpoint if spec else "")
    if history is not None and log is not None and _is_another(history, log):
        missing["history"] = "The chain that answers is another: it holds none of the run's blocks."
        history = None
    with report.timed("manifest"):
        chosen = choose_manifest(found, proven_run(history, opened), report)
    if chosen is None:
        report.unchecked("manifest", "manifest", "No manifest that the chain names could be found.")
        return report
    trusted = trusted or canonical_hash(chosen) in trust
    roster_of = partial(_roster, spec, log, history=history, report=report, endpoint=endpoint)
    if is_of_answers(dict(chosen)):
        return judge_again(chosen, report, history, opened, roster_of, log, trusted=trusted)
    manifest = _usable(chosen, report, trusted=trusted)
    if manifest is None:
        return report
    public = spec is not None and spec.public
    if public and log is not None:
        log.interrupted = True  # its peers report what they like
    sources = Sources(
        name=folder.name, manifest=manifest, manifest_hash=manifest.hash, public=public,
        roster=roster_of(manifest),
        store=opened, history=history, log=log,
        corpus=_corpus(folder, manifest, opened, report, missing), missing=missing,
    )  # fmt: skip
    verify(sources, report, replay=replay)
    check_model(folder, manifest, log, report, trusted=trusted)
    if lineage is not None:
        owner = history.seats.owner_hotkey if history and history.seats else ""
        check_lineage(lineage, report, run=chosen, owner=owner)
    return report


def _usable(chosen: Mapping[str, Any], report: Report, *, trusted: bool) -> Manifest | None:
    """The manifest as this version reads it; None where it cannot, which is told."""
    try:
        manifest = Manifest.from_json(dict(chosen), trusted=trusted)
    except TrainError as error:
        report.unchecked("manifest", "manifest", f"The manifest cannot be used here: {error}")
        return None
    if manifest.hash != canonical_hash(chosen):
        said = "The manifest is of an earlier form; the version that wrote it can verify it."
        report.unchecked("manifest", "manifest", said)
        return None
    return manifest


@waiting("the run to be checked")
def verify_file(
    path: Path, *, replay: float = 0.1, store: str = "", endpoint: str = "", trusted: bool = False,
    trust: Sequence[str] = (),
    lineage: Path | None = None,
) -> Report:  # fmt: skip
    """Verify a run that was saved as one file, which holds no store and no data; see `verify_folder`.

    Raises:
        RunFileInvalid: it is no file that a run was saved as.
    """
    folder = load(path, check=_any)
    return verify_folder(
        folder, replay=replay, store=store, endpoint=endpoint, trusted=trusted, trust=trust, lineage=lineage
    )


def _any(folder: Path) -> None:
    """Take any folder: what is in it is verified afterwards."""


def _log(folder: Path, report: Report, missing: dict[str, str]) -> Log | None:
    try:
        with report.timed("record"):
            return read_log(folder / FILE_NAME, report, validate_event)
    except OSError as error:
        missing["log"] = f"The record of the run cannot be read: {error.strerror or error}."
        return None


def _spec(folder: Path) -> FleetSpec | None:
    try:
        return read_spec(folder)
    except FleetError:
        return None  # a saved run has none


def _store(
    folder: Path, spec: FleetSpec | None, store: str, missing: dict[str, str], log: Log | None,
    *, trusted: bool,
) -> Store | None:  # fmt: skip
    """The run's store: the one that is named, else the folder's own, else that of its fleet.

    What another person's folder names is never asked with this machine's credentials, nor from its network.
    """
    own = folder / STORE_FOLDER
    where = store or (str(own) if own.is_dir() else spec.store if spec else "")
    if not where or ("://" not in where and not Path(where).expanduser().is_dir()):
        missing["store"] = f"There is no store at {where}." if where else "No store of the run is at hand."
        return None
    if "://" in where and not (store or trusted):
        missing["store"] = f"The folder names the store {where}, it is opened where you name it by --store."
        return None
    try:
        root = open_store(where)
        if spec is not None and spec.public:
            return _of_strangers(root, allow_local=spec.is_devnet and trusted)
        return whole_store(folder, root) if spec else _of_saved(root, log)
    except StoreError as error:
        missing["store"] = str(error)
        return None


def _of_strangers(root: Store, *, allow_local: bool) -> Store:
    """What an observer kept of a public run, and the places of its peers by the locators on chain."""
    return OwnPlace(mine=root, find=LocatedPlaces(allow_local=allow_local))


def _of_saved(root: Store, log: Log | None) -> Store:
    """The store of a run whose fleet's file is not at hand, which would say whether each peer had a place.

    Raises:
        StoreUnreachable: it does not answer.
    """
    seats = [seat for _, seat in _seats(None, log)]
    uids = [seat.uid for seat in sorted(seats, key=lambda seat: seat.role != "validator")]
    placed = any(root.names(str(uid), limit=_A_FEW) for uid in uids)
    return EveryPlace(root, uids) if placed else root


def _manifests(folder: Path, log: Log | None, report: Report) -> dict[str, Mapping[str, Any]]:
    """The manifests that a folder holds, by where each lies."""
    found: dict[str, Mapping[str, Any]] = {}
    try:
        found[MANIFEST_FILE] = dict(**json.loads(read_plain(folder / MANIFEST_FILE)))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        report.tampered("manifest", "manifest", f"{MANIFEST_FILE} cannot be read: {error}.")
    if log is not None and log.started is not None:
        found["the record"] = log.started.manifest
    return found


def chain_history(
    found: Mapping[str, Mapping[str, Any]], log: Log | None, spec: FleetSpec | None, endpoint: str,
    missing: dict[str, str], *, live: bool,
) -> ChainHistory | None:  # fmt: skip
    """What the chain holds of a run's blocks; None where it cannot be had, and `missing` says why."""
    where = endpoint or (spec.endpoint if spec else "")
    if not where:
        missing["history"] = "No node of the run's chain is named; --endpoint names one."
        return None
    try:
        netuid, first, last = _extent(found, log, spec, live=live)
    except (KeyError, TypeError, ValueError) as error:
        missing["history"] = f"Neither manifest nor record says where on chain the run took place: {error!r}."
        return None
    try:
        client = WireClient(endpoint_of(where))
    except UnknownNetwork as error:
        missing["history"] = str(error)
        return None
    try:
        history = read_history(client, netuid, first, last)
    except (NetworkError, OSError) as error:
        missing["history"] = f"The chain at {where} does not answer: {error}"
        return None
    finally:
        client.close()
    return history


def _extent(
    found: Mapping[str, Mapping[str, Any]], log: Log | None, spec: FleetSpec | None, *, live: bool
) -> tuple[int, int, int]:
    """The subnet of a run, and the first and last height of its chain that concern it."""
    firsts = [int(each["first_block"]) for each in found.values()]
    lasts = [
        int(each["first_block"]) + int(each["rounds"]) * int(each["blocks_per_round"])
        for each in found.values()
    ]
    if log is not None and log.started is not None:
        firsts.append(log.started.block)
        lasts.append(log.last_block)
    first, last = max(min(firsts), 0), max(lasts)
    if live and log is not None:  # what the record has not come to is no news yet
        last = max((event.heights[-1] for event in log.closed.values()), default=first)
    if not 0 <= last - first <= _MOST_BLOCKS:
        raise ValueError(f"{last - first} blocks")
    netuids = [int(each["netuid"]) for each in found.values()]
    netuids += [spec.netuid] if spec else []
    return max(set(netuids), key=netuids.count), first, last


def _is_another(history: ChainHistory, log: Log) -> bool:
    known = [each for each in log.sealed if each.number in history.hashes]
    return bool(known) and not any(history.hashes[each.number] == each.hash for each in known)


def _seats(spec: FleetSpec | None, log: Log | None) -> list[tuple[int, Seat]]:
    """Who takes part, each with the open block of its first round; validators in the order of their lead."""
    if spec is not None:
        every = (seat for seat in (*spec.seats, *spec.others) if seat.role != "alone")
        return [(seat.since, Seat.of(seat.uid, seat.hotkey, seat.role)) for seat in every]
    told = log.seats if log else []
    return [(since, Seat.of(int(s["uid"]), str(s["hotkey"]), str(s["role"]))) for since, s in told]


def _distinct(seats: Iterable[tuple[int, Seat]], log: Log | None) -> list[tuple[int, Seat]]:
    """Every claim of who holds a uid, in the fleet's file and in the record, once."""
    told = (
        [(since, Seat.of(int(s["uid"]), str(s["hotkey"]), str(s["role"]))) for since, s in log.seats]
        if log
        else []
    )
    claims = {(seat.uid, seat.hotkey): (since, seat) for since, seat in (*seats, *told)}
    return list(claims.values())


def _corrected(seats: list[tuple[int, Seat]], right: Mapping[int, str]) -> list[tuple[int, Seat]]:
    return [
        (since, Seat(uid=seat.uid, hotkey=right.get(seat.uid, seat.hotkey), role=seat.role))
        for since, seat in seats
    ]


def _roster(
    spec: FleetSpec | None, log: Log | None, manifest: Any, *, history: ChainHistory | None, report: Report,
    endpoint: str,
) -> Roster:  # fmt: skip
    """Who takes part in each round: the fleet that is told, or of strangers those that the chain names."""
    if spec is not None and spec.public and history is not None:
        with closing(SubnetReads(endpoint or spec.endpoint, manifest.netuid)) as reads:
            return public_roster(reads, manifest, history)
    seats = _seats(spec, log)
    if history is not None:
        with report.timed("seats"):
            seats = _corrected(seats, check_seats(_distinct(seats, log), history, report))
    if all(since == 0 for since, _ in seats):
        return FixedRoster(tuple(seat for _, seat in seats))
    return GrowingRoster(lambda: seats)


def _corpus(
    folder: Path, manifest: Manifest, store: Store | None, report: Report, missing: dict[str, str]
) -> Corpus | None:
    """The run's data if it is what the manifest fixes; from the folder, or made again from its source."""
    kept = folder / DATA_FOLDER
    told: Mapping[str, Any] | None = None
    try:
        if kept.is_dir():
            corpus = Corpus.mapped(kept, manifest.data)
            told = json.loads(read_plain(kept / "data.json"))
        else:
            corpus = sources.from_json(manifest.data.source).load()
    except (SubnetLabError, OSError, ValueError, RecursionError) as error:
        missing["corpus"] = f"The data of the run is not at hand: {error}"
        return None
    with report.timed("data"):
        if corpus.manifest.root != manifest.data.root:
            corpus = Corpus(manifest.data, corpus.train, corpus.validation)
        return corpus if check_data(corpus, told, store, report) else None
