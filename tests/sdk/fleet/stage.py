"""What tests of the supervisor's loop share: a chain in memory, peers in threads, real record and socket."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from subnetlab.errors import FleetError, NodeUnreachable
from subnetlab.fleet.chain_clock import ChainClock
from subnetlab.fleet.control import ControlServer
from subnetlab.fleet.spec import FleetSpec, PeerSeat
from subnetlab.fleet.supervisor.ending import Ending
from subnetlab.fleet.supervisor.loop import Supervisor
from subnetlab.fleet.supervisor.pacer import Rounds
from subnetlab.fleet.supervisor.recorder import RECONCILE_ROUNDS, Recorder
from subnetlab.fleet.supervisor.resume_state import ResumeState
from subnetlab.fleet.supervisor.run_header import RunHeader
from subnetlab.fleet.thread_launcher import ThreadLauncher, Work
from subnetlab.fleet.worker.life import Reporter
from subnetlab.network.chain import Block
from subnetlab.network.memory import MemoryNet
from subnetlab.record.events import (
    BASELINE_UID,
    BaselineEvaluated,
    EpochPaid,
    Event,
    PeerReady,
    Phase,
    Role,
    RoundClosed,
    RoundLost,
    Scored,
    to_json,
)
from subnetlab.record.line import FILE_NAME
from subnetlab.record.reader import read
from subnetlab.record.writer import RecordWriter


def is_up(uid: int, report: Reporter) -> None:
    report(PeerReady(uid=uid, pid=1, seconds=0.0))


def reports(uid: int, *heights: int) -> Work:
    """Ready, one phase per height, then finished."""

    def work(report: Reporter, _stop: threading.Event) -> None:
        is_up(uid, report)
        for height in heights:
            report(Phase(uid=uid, round=0, name="any", until=height))

    return work


def hangs(uid: int, *heights: int) -> Work:
    """The same, but never comes to its end."""

    def work(report: Reporter, stop: threading.Event) -> None:
        reports(uid, *heights)(report, stop)
        stop.wait()

    return work


def raises(error: Exception) -> Work:
    def work(_report: Reporter, _stop: threading.Event) -> None:
        raise error

    return work


def sleeps(_report: Reporter, stop: threading.Event) -> None:
    stop.wait()


def works_hard(report: Reporter, stop: threading.Event) -> None:
    """Never ready, whatever the work."""
    report.working(100.0)
    stop.wait()


def missed_round(*uids: int) -> list[Event]:
    """What is recorded of a round that closed although these miners' updates were not there."""
    missed: list[Event] = [
        Scored(
            validator=7, uid=uid, round=0, verdict="missing", score=0.0, loss_removed_assigned=0.0,
            loss_removed_held_out=0.0, rating=0.0, weight=0.0, norm=0.0,
        )
        for uid in uids
    ]  # fmt: skip
    closed = RoundClosed(
        round=0, lead=7, heights=[3, 4, 5, 6], accepted=[], aggregate_hash="", theta_hash="aa", val_loss=5.0,
        aggregate_s=0.0,
    )  # fmt: skip
    return [*missed, closed]


def trains_twice(report: Reporter, _stop: threading.Event) -> None:
    is_up(BASELINE_UID, report)
    for _ in range(2):
        report(BaselineEvaluated(round=0, val_loss=5.0, compute_s=0.1))


FIRST, LAST = 3, 7
"""One round of four blocks."""


class MemoryClock:
    """Seals a chain in memory; breaks after so many blocks if told to."""

    def __init__(self, net: MemoryNet, breaks_after: int = 1000) -> None:
        self.net, self.left = net, breaks_after

    def start(self) -> Block:
        return self.net.chain("5Any").wait_for(0, 1.0)

    def seal(self) -> Block:
        if self.left == 0:
            raise NodeUnreachable("Nothing answers.")
        self.left -= 1
        return self.net.seal()

    def arrived(self) -> list[Block]:
        return []

    def fileno(self) -> int | None:
        return None

    def stop(self, *, paused: bool = False) -> None:
        pass


@dataclass
class PaidAt:
    """Pays an epoch at the given blocks."""

    blocks: tuple[int, ...] = ()
    reassigned: dict[str, str] = field(default_factory=dict[str, str])
    asked: list[int] = field(default_factory=list[int])

    def paid_by(self, block: Block) -> list[EpochPaid]:
        self.asked.append(block.number)
        if block.number not in self.blocks:
            return []
        names = ("uids", "incentive", "dividends", "consensus", "validator_trust", "emission_alpha_rao")
        columns: dict[str, Any] = {name: [] for name in (*names, "stake_alpha_rao", "validator_permit")}
        return [EpochPaid(block=block.number, reassigned=self.reassigned, **columns)]


@dataclass
class Stage:
    """Everything around a supervisor, on a stage of its own."""

    folder: Path
    net: MemoryNet = field(default_factory=MemoryNet)
    pay: PaidAt = field(default_factory=PaidAt)
    reconciled: list[list[int]] = field(default_factory=list[list[int]])
    refusal: str = ""
    """Why rounds cannot be reconciled."""
    recorded: list[Event] = field(default_factory=list[Event])
    """What the record holds when the supervisor begins."""

    def reconcile(self, _run_folder: str, rounds: list[int]) -> dict[str, Any]:
        """Every round that nobody reported was lost."""
        if self.refusal:
            raise FleetError(self.refusal)
        self.reconciled.append(rounds)
        return {"events": [to_json(RoundLost(round=number, reason="nothing on chain")) for number in rounds]}

    def play(
        self,
        peers: dict[int, tuple[Role, Work | None]],
        *,
        clock: ChainClock | None = None,
        during: Callable[[Supervisor], None] | None = None,
        baseline: str = "",
        deterministic: bool = False,
        joining: dict[int, Work] | None = None,
        cores: float = 64,
        **limits: float,
    ) -> Ending:
        """Run a supervisor over these peers (uid: role, work) to its end."""
        seats = tuple(
            PeerSeat(uid=uid, hotkey="5Any", role=role, baseline=baseline if uid < 0 else "")
            for uid, (role, _) in peers.items()
        )
        spec = FleetSpec(
            endpoint="", network="memory", is_devnet=True, netuid=2, store="", seats=seats,
            **limits,  # pyright: ignore[reportArgumentType]
        )  # fmt: skip
        header = RunHeader(
            run_id="staged", netuid=2, manifest={}, manifest_hash="",
            rounds=Rounds(first_block=FIRST, rounds=1),
            owed={"miner": (1, 0), "validator": (1, 0), "alone": ()}, deterministic=deterministic,
        )  # fmt: skip
        launcher = ThreadLauncher(
            {uid: work for uid, (_, work) in peers.items() if work} | (joining or {}),
            {RECONCILE_ROUNDS: self.reconcile},
        )
        clock = clock or MemoryClock(self.net)
        control = ControlServer(self.folder, "token")
        with RecordWriter(self.folder / FILE_NAME) as record:
            recorder = Recorder(self.folder, record, ResumeState(), launcher)
            recorder.append(self.recorded)
            supervisor = Supervisor(
                spec=spec, header=header, recorder=recorder,
                clock=clock, epochs=self.pay, control=control, head=clock.start(), launcher=launcher,
                cores=cores,
            )  # fmt: skip
            helper = threading.Thread(target=during, args=(supervisor,)) if during else None
            if helper:
                helper.start()
            ending = supervisor.run()
            if helper:
                helper.join()
        assert {peer["state"] for peer in supervisor.status()["peers"]} <= {"ended", "gone"}
        assert not control.path.exists()
        return ending

    def events(self, kind: type[Event]) -> list[Any]:
        found = [entry.event for entry in read(self.folder / FILE_NAME)]
        return [event for event in found if isinstance(event, kind)]


ALL = (4, 7)
MINER: tuple[Role, Work] = ("miner", reports(1, *ALL))
VALIDATOR: tuple[Role, Work] = ("validator", reports(7, *ALL))
