"""From a seat in `fleet.json` to a role that can work: its chain, its store, its key, its manifest."""

import os
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, Protocol, cast

import bittensor
import numpy as np
import torch
from bittensor_core import Keypair

from subnetlab.answers.manifest import AnswersManifest
from subnetlab.answers.validator import JudgingValidator
from subnetlab.errors import FleetError
from subnetlab.fleet.run_folder import DATA_FOLDER
from subnetlab.fleet.spec import READER_URI, FleetSpec, PeerSeat, read_spec
from subnetlab.fleet.worker import cells
from subnetlab.fleet.worker.answers import calls_of, plays
from subnetlab.fleet.worker.life import PeerLife, yield_processor
from subnetlab.fleet.worker.manifest_file import read_manifest
from subnetlab.fleet.worker.run_store import seen_by
from subnetlab.network.peer_chain import PeerChain
from subnetlab.network.wallets import dev_keypair, open_wallet
from subnetlab.record.baselines import ALONE
from subnetlab.record.events import PeerReady, Scored
from subnetlab.record.line import FILE_NAME
from subnetlab.record.reader import Tail
from subnetlab.train.attackers import ATTACKERS
from subnetlab.train.baseline import Baseline
from subnetlab.train.data.corpus import Corpus
from subnetlab.train.execution import Execution
from subnetlab.train.hashing import stream
from subnetlab.train.manifest import Manifest
from subnetlab.train.miner import Miner
from subnetlab.train.peer import Peer, Report
from subnetlab.train.roster import GrowingRoster, Seat
from subnetlab.train.validator import Validator

_CONNECT_LIMIT_S: Final = 30.0


class Role(Protocol):
    """What all roles share."""

    def run(self) -> object:
        """Take part in every round of the run."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Seated:
    """A peer that is ready to work."""

    uid: int
    role: Role

    def work(self) -> None:
        """Take part in every round of the run."""
        self.role.run()


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a peer has from elsewhere than the folder of its run; what is None comes from there."""

    key: Keypair | None = None
    corpus: Corpus | None = None
    scored: Sequence[Scored] | None = None
    """The verdicts that a validator gave before it was started again."""
    node: str = ""
    """Where the peer runs, if not beside its supervisor."""


AT_HAND: Final = Given()
"""All of it lies in the folder."""


def run_peer(run_folder: str, uid: int, pipe: Connection, asked_at: float) -> None:
    """The whole life of one peer; what its process runs.

    Args:
        run_folder: holds `manifest.json` and `fleet.json`.
        uid: of the peer's seat in the spec.
        pipe: the writing end towards the supervisor.
        asked_at: `time.monotonic()` when the fleet was asked for.
    """
    with PeerLife(pipe) as report:
        live(Path(run_folder), uid, report, asked_at)


def live(run_folder: Path, uid: int, report: Report, asked_at: float, given: Given = AT_HAND) -> None:
    """Take a seat and take part to the end of the run; arguments as `run_peer`, and `take_seat`."""
    seated = take_seat(run_folder, uid, report, given)
    role = seated.role
    device = role.execution.device if isinstance(role, Peer | Baseline) else ""
    if isinstance(role, Miner):
        role.prepare()
    seconds = round(time.monotonic() - asked_at, 3)
    report(PeerReady(uid=uid, pid=os.getpid(), seconds=seconds, node=given.node, device=device))
    if isinstance(seated.role, Baseline) and not seated.role.keeps_pace:
        yield_processor()
    cells.show(lambda: seen(seated))
    seated.work()


def seen(seated: Seated) -> dict[str, Any]:
    """What a cell sees in a peer: `lab.running.Running.execute` says what each name is."""
    peer = seated.role
    if not isinstance(peer, Peer):
        return {"uid": seated.uid}
    name = "validator" if peer.role == "validator" else "miner"
    model = peer.replica.model.module
    round_number = min(peer.replica.round + 1, peer.manifest.rounds)
    return {
        "uid": seated.uid, "peer": peer, name: peer, "model": model, "theta": peer.replica.theta_P,
        "round_number": round_number, "manifest": peer.manifest, "torch": torch,
    }  # fmt: skip


def take_seat(run_folder: Path, uid: int, report: Report, given: Given = AT_HAND) -> Seated:
    """Build the peer that holds `uid` among the fleet's seats, connected to the chain.

    Args:
        run_folder: holds `manifest.json` and `fleet.json`.
        uid: of the peer's seat.
        report: takes every event of the peer.
        given: what comes from elsewhere than the folder.

    Raises:
        FleetError: the spec has no such seat, or it names no key.
        SubnetLabError: manifest, chain, store, model or data are not usable, each in its own words.
    """
    spec = read_spec(run_folder)
    seat = next((seat for seat in spec.seats if seat.uid == uid), None)
    if seat is None:
        raise FleetError(
            f"The fleet has no seat {uid}.", hint="The run's fleet.json is damaged: start the run anew."
        )
    manifest = read_manifest(run_folder)
    if isinstance(manifest, Manifest) and manifest.deterministic:
        _fix_random_numbers(manifest.seed, [seat.uid for seat in spec.seats].index(uid))
    role = _role(run_folder, spec, seat, manifest, report, given=given)
    if isinstance(role, Validator | JudgingValidator):
        role.recall(_recorded(run_folder, seat.uid) if given.scored is None else given.scored)
    return Seated(uid=seat.uid, role=role)


def _recorded(run_folder: Path, validator: int) -> Iterator[Scored]:
    events = (entry.event for entry in Tail(run_folder / FILE_NAME).entries())
    return (event for event in events if isinstance(event, Scored) and event.validator == validator)


def _fix_random_numbers(seed: int, place: int) -> None:
    """Start what a person's own model may draw from where it started before; each peer elsewhere."""
    start = int.from_bytes(stream("random", 4, seed, place), "little")
    random.seed(start)
    np.random.seed(start)  # noqa: NPY002 - models that draw from it exist
    torch.manual_seed(start)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it CUDA refuses to be deterministic
    torch.use_deterministic_algorithms(mode=True)


def open_data(run_folder: Path) -> Corpus | None:
    """The tokens that lie in a run's folder; None where they are made again from the manifest."""
    data = run_folder / DATA_FOLDER
    return Corpus.open(data) if data.is_dir() else None


def roster_of(run_folder: Path) -> GrowingRoster:
    """Everyone who takes part in a round, in the order of `fleet.json`; validators lead in that order.

    The supervisor writes those that join into the file before it seals the open block of their first round.
    """

    def read() -> list[tuple[int, Seat]]:
        spec = read_spec(run_folder)
        seats = (seat for seat in (*spec.seats, *spec.others) if seat.role != "alone")
        return [(seat.since, Seat.of(seat.uid, seat.hotkey, seat.role)) for seat in seats]

    return GrowingRoster(read)


def _role(
    run_folder: Path, spec: FleetSpec, seat: PeerSeat, manifest: Manifest | AnswersManifest, report: Report,
    *, given: Given,
) -> Role:  # fmt: skip
    if isinstance(manifest, AnswersManifest):
        chain, key = _seated_chain(spec, seat, given)
        calls = calls_of(run_folder, spec, seat, manifest)
        seams = (roster_of(run_folder), chain, seen_by(spec, seat.uid), report, key.sign)
        return plays(seat)(manifest, *seams, hotkey=seat.hotkey, calls=calls)
    corpus = given.corpus or open_data(run_folder)
    # A validator trains in audits alone, and no round shall wait for its compiler.
    execution = Execution(device=seat.device, compiled=spec.compile and seat.role != "validator")
    if seat.role == "alone":
        reader = PeerChain(spec.endpoint, spec.netuid, READER_URI)
        miners = sum(other.role == "miner" and not other.attacker for other in spec.seats)
        return Baseline(
            manifest, report, name=seat.baseline or ALONE, miners=miners, chain=reader, corpus=corpus,
            store=seen_by(spec), execution=execution,
        )  # fmt: skip
    chain, key = _seated_chain(spec, seat, given)
    return _plays(seat)(
        manifest,
        roster_of(run_folder),
        chain,
        seen_by(spec, seat.uid),
        report,
        key.sign,
        hotkey=seat.hotkey,
        corpus=corpus,
        execution=execution,
    )


def _seated_chain(spec: FleetSpec, seat: PeerSeat, given: Given) -> tuple[PeerChain, Keypair]:
    """The chain as a seat's hotkey sees it, and the key that signs."""
    key = _checked(given.key or _key(spec, seat), seat)
    # The SDK's Signer protocol names its argument otherwise than its own Keypair does.
    chain = PeerChain(spec.endpoint, spec.netuid, cast("bittensor.Signer", key))
    chain.wait_for(0, _CONNECT_LIMIT_S)
    return chain, key


def _plays(seat: PeerSeat) -> type[Peer]:
    honest: dict[str, type[Peer]] = {"miner": Miner, "validator": Validator}
    if seat.role in honest and not seat.attacker:
        return honest[seat.role]
    attacker = ATTACKERS.get(seat.attacker or seat.role)
    if attacker is None:
        raise FleetError(
            f"No process plays the role {seat.attacker or seat.role!r}.",
            hint="The run was written by another version: start it anew, or install that version.",
        )
    return attacker.load()


def _key(spec: FleetSpec, seat: PeerSeat) -> object:
    if seat.hotkey_uri:
        return dev_keypair(seat.hotkey_uri)
    if seat.wallet:
        return getattr(open_wallet(seat.wallet, development=spec.is_devnet), "hotkey", None)
    raise FleetError(
        f"The seat of {seat.name} names no key.", hint="The run's fleet.json is damaged: start the run anew."
    )


def _checked(key: object, seat: PeerSeat) -> Keypair:
    if not isinstance(key, Keypair) or key.ss58_address != seat.hotkey:
        raise FleetError(
            f"The key of {seat.name} does not sign for {seat.hotkey}.",
            hint="The run's keys were changed on disk: start the run anew.",
        )
    return key
