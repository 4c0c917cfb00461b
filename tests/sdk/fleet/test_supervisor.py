"""The supervisor's loop with real processes, record and socket, over a chain in memory."""

import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest

from subnetlab.errors import NodeUnreachable
from subnetlab.fleet.clock import Clock, WatchedClock
from subnetlab.fleet.control import ControlServer, request
from subnetlab.fleet.facts import Facts
from subnetlab.fleet.forkserver import start_forkserver
from subnetlab.fleet.pacer import Rounds
from subnetlab.fleet.past import Past
from subnetlab.fleet.peer_process import PeerProcess
from subnetlab.fleet.spec import FleetSpec, PeerSeat
from subnetlab.fleet.supervisor import Ending, Supervisor
from subnetlab.network.chain import Block
from subnetlab.network.memory import MemoryNet
from subnetlab.record.events import (
    ALONE_UID,
    AloneEvaluated,
    BlockSealed,
    EpochPaid,
    Event,
    PeerGone,
    PeerReady,
    Role,
    RoundLost,
)
from subnetlab.record.line import FILE_NAME
from subnetlab.record.reader import read
from subnetlab.record.writer import RecordWriter

WORK = '''
"""Peers that report what they are told to; importable by their processes."""
import os, threading
from subnetlab.errors import NodeUnreachable
from subnetlab.fleet.peer import PeerLife
from subnetlab.record.events import AloneEvaluated, PeerReady, Phase

def reports(uid, heights, pipe, asked_at):
    """Ready, one phase per height, then finished."""
    with PeerLife(pipe) as report:
        report(PeerReady(uid=uid, pid=os.getpid(), seconds=0.0))
        for height in heights:
            report(Phase(uid=uid, round=0, name="any", until=height))

def hangs(uid, heights, pipe, asked_at):
    """The same, but never comes to its end."""
    with PeerLife(pipe) as report:
        report(PeerReady(uid=uid, pid=os.getpid(), seconds=0.0))
        for height in heights:
            report(Phase(uid=uid, round=0, name="any", until=height))
        threading.Event().wait()

def breaks(uid, heights, pipe, asked_at):
    with PeerLife(pipe):
        raise ValueError("The model is no model.")

def loses_the_chain(uid, heights, pipe, asked_at):
    with PeerLife(pipe):
        raise NodeUnreachable("Nobody answers.")

def sleeps(uid, heights, pipe, asked_at):
    with PeerLife(pipe):
        threading.Event().wait()

def trains_twice(uid, heights, pipe, asked_at):
    with PeerLife(pipe) as report:
        report(PeerReady(uid=uid, pid=os.getpid(), seconds=0.0))
        for _ in range(2):
            report(AloneEvaluated(round=0, val_loss=5.0, compute_s=0.1))
'''
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
    asked: list[int] = field(default_factory=list[int])

    def paid_by(self, block: Block) -> list[Event]:
        self.asked.append(block.number)
        if block.number not in self.blocks:
            return []
        names = ("uids", "incentive", "dividends", "consensus", "validator_trust", "emission_alpha_rao")
        columns: dict[str, Any] = {name: [] for name in names}
        return [EpochPaid(block=block.number, stake_alpha_rao=[], validator_permit=[], **columns)]


@pytest.fixture(scope="module")
def context() -> ForkServerContext:
    return start_forkserver()


@dataclass
class Stage:
    """Everything around a supervisor, on a stage of its own."""

    folder: Path
    context: ForkServerContext
    net: MemoryNet = field(default_factory=MemoryNet)
    pay: PaidAt = field(default_factory=PaidAt)
    recounted: list[list[int]] = field(default_factory=list[list[int]])

    def recount(self, rounds: Sequence[int]) -> list[Event]:
        """Every round that nobody reported was lost."""
        self.recounted.append(list(rounds))
        return [RoundLost(round=number, reason="nothing on chain") for number in rounds]

    def play(
        self,
        peers: dict[int, tuple[Role, str, list[int]]],
        *,
        clock: Clock | None = None,
        during: Callable[[Supervisor], None] | None = None,
        **limits: float,
    ) -> Ending:
        """Run a supervisor over these peers (uid: role, work, heights) to its end."""
        import supervisor_work  # pyright: ignore[reportMissingImports]

        seats = {uid: PeerSeat(uid=uid, hotkey="5Any", role=role) for uid, (role, _, _) in peers.items()}
        spec = FleetSpec(
            endpoint="", network="memory", is_devnet=True, netuid=2, store="", seats=tuple(seats.values()),
            **limits,  # pyright: ignore[reportArgumentType]
        )  # fmt: skip
        facts = Facts(
            run_id="staged", netuid=2, manifest={}, manifest_hash="",
            rounds=Rounds(first_block=FIRST, rounds=1),
            owed={"miner": (1, 0), "validator": (1, 0), "alone": ()},
        )  # fmt: skip
        clock = clock or MemoryClock(self.net)
        control = ControlServer(self.folder, "token")
        with RecordWriter(self.folder / FILE_NAME) as record:
            supervisor = Supervisor(
                spec=spec, facts=facts, record=record, clock=clock, payroll=self.pay, control=control,
                head=clock.start(), past=Past(), recount=self.recount,
            )  # fmt: skip
            started = [
                PeerProcess(self.context, seats[uid], getattr(supervisor_work, work), (uid, heights), 0.0)
                for uid, (_, work, heights) in peers.items()
            ]
            helper = threading.Thread(target=during, args=(supervisor,)) if during else None
            if helper:
                helper.start()
            ending = supervisor.run(started)
            if helper:
                helper.join()
        assert not any(peer.running for peer in started)
        assert not control.path.exists()
        return ending

    def events(self, kind: type[Event]) -> list[Any]:
        found = [entry.event for entry in read(self.folder / FILE_NAME)]
        return [event for event in found if isinstance(event, kind)]


@pytest.fixture
def stage(context: ForkServerContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    (tmp_path / "supervisor_work.py").write_text(WORK)
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("supervisor_work", None)
    return Stage(tmp_path, context)


ALL = [4, 7]


def test_a_run_is_sealed_to_its_last_block_and_a_payday_beyond(stage: Stage) -> None:
    stage.pay = PaidAt((5, 10, 15))
    ending = stage.play({1: ("miner", "reports", ALL), 7: ("validator", "reports", ALL)})
    assert ending == Ending(status="finished", reason="")
    assert [event.number for event in stage.events(BlockSealed)] == list(range(1, 11))
    assert [event.round for event in stage.events(BlockSealed)][:4] == [-1, -1, 0, 0]
    assert [event.block for event in stage.events(EpochPaid)] == [5, 10]
    assert not stage.events(PeerGone)


def test_a_chain_that_never_pays_is_not_waited_for_forever(stage: Stage) -> None:
    ending = stage.play({1: ("miner", "reports", ALL), 7: ("validator", "reports", ALL)})
    assert ending.status == "finished"
    assert LAST < max(stage.pay.asked) < 100


def test_a_peer_that_never_comes_up_is_given_up_and_the_others_go_on(stage: Stage) -> None:
    ending = stage.play(
        {1: ("miner", "reports", ALL), 2: ("miner", "sleeps", []), 7: ("validator", "reports", ALL)},
        start_limit_s=2.0,
    )
    assert ending.status == "finished"
    (gone,) = stage.events(PeerGone)
    assert (gone.uid, gone.reason) == (2, "It was not up within 2 s.")
    assert {event.uid for event in stage.events(PeerReady)} == {1, 7}


def test_a_hung_peer_costs_its_limit_and_is_ended_with_the_run(stage: Stage) -> None:
    ending = stage.play(
        {1: ("miner", "reports", ALL), 2: ("miner", "hangs", [4]), 7: ("validator", "reports", ALL)},
        phase_limit_s=0.2,
    )
    assert ending.status == "finished"
    (gone,) = stage.events(PeerGone)
    assert (gone.uid, gone.reason) == (2, "It did not come to its end.")
    assert max(event.number for event in stage.events(BlockSealed)) >= LAST


def test_a_run_whose_miners_all_fail_is_over(stage: Stage) -> None:
    ending = stage.play({1: ("miner", "breaks", []), 7: ("validator", "hangs", ALL)})
    assert ending.status == "failed"
    assert ending.reason == "Every miner is gone. ValueError: The model is no model."


@pytest.mark.parametrize(
    ("work", "why"), [("sleeps", "killed by SIGKILL"), ("loses_the_chain", "Nobody answers.")]
)
def test_a_run_whose_miners_were_taken_away_can_go_on(stage: Stage, work: str, why: str) -> None:
    ending = stage.play(
        {1: ("miner", work, []), 7: ("validator", "hangs", ALL)},
        start_limit_s=1.0,
    )
    assert ending.status == "interrupted"
    assert ending.reason.startswith("Every miner is gone.")
    assert why in ending.reason


def test_a_round_that_nobody_reports_is_accounted_for_once(stage: Stage) -> None:
    ending = stage.play({1: ("miner", "reports", ALL), 7: ("validator", "reports", ALL)})
    assert ending.status == "finished"
    assert stage.recounted == [[0]]
    assert [event.round for event in stage.events(RoundLost)] == [0]


def test_a_node_that_stays_silent_interrupts_the_run(stage: Stage) -> None:
    ending = stage.play(
        {1: ("miner", "hangs", [4, 7]), 7: ("validator", "hangs", [4, 7])},
        clock=MemoryClock(stage.net, breaks_after=4),
        node_limit_s=0.3,
    )
    assert ending == Ending(status="interrupted", reason="The chain is gone: Nothing answers.")
    assert [event.number for event in stage.events(BlockSealed)] == [1, 2, 3, 4]


def test_a_run_can_be_stopped_while_it_waits(stage: Stage) -> None:
    def stop(_supervisor: Supervisor) -> None:
        assert request(stage.folder, "token", "status", timeout_s=20)["run_id"] == "staged"
        assert request(stage.folder, "token", "stop", timeout_s=20)["ok"] is True

    ending = stage.play({1: ("miner", "hangs", []), 7: ("validator", "hangs", [])}, during=stop)
    assert ending == Ending(status="stopped", reason="Somebody asked it to stop.")


def test_the_reference_miner_is_recorded_once_per_round_and_waited_for_at_the_end(stage: Stage) -> None:
    ending = stage.play(
        {
            1: ("miner", "reports", ALL),
            7: ("validator", "reports", ALL),
            ALONE_UID: ("alone", "trains_twice", []),
        }
    )
    assert ending.status == "finished"
    assert len(stage.events(AloneEvaluated)) == 1


def test_on_a_chain_of_others_blocks_are_only_watched(stage: Stage) -> None:
    def mine(_supervisor: Supervisor) -> None:
        for _ in range(LAST):
            stage.net.seal()
            head = stage.net.chain("5Any").wait_for(0, 1.0).number
            deadline = time.monotonic() + 20
            while head not in stage.pay.asked and time.monotonic() < deadline:
                time.sleep(0.005)

    ending = stage.play(
        {1: ("miner", "reports", ALL), 7: ("validator", "reports", ALL)},
        clock=WatchedClock(stage.net.chain("5Any")),
        during=mine,
    )
    stage.net.close()
    assert ending.status == "finished"
    sealed = stage.events(BlockSealed)
    assert [event.number for event in sealed] == list(range(1, LAST + 1))
    assert {event.chain_s for event in sealed} == {0.0}
