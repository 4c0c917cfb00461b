"""The supervisor's loop with real record and socket, over a chain in memory and peers in threads."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from subnetlab.errors import FleetError, FleetStartFailed, NodeUnreachable
from subnetlab.fleet.clock import Clock, WatchedClock
from subnetlab.fleet.control import ControlServer, request
from subnetlab.fleet.spec import FleetSpec, PeerSeat
from subnetlab.fleet.supervisor.ending import Ending
from subnetlab.fleet.supervisor.header import RunHeader
from subnetlab.fleet.supervisor.journal import RECONCILE_ROUNDS, Journal
from subnetlab.fleet.supervisor.loop import Supervisor
from subnetlab.fleet.supervisor.pacer import Rounds
from subnetlab.fleet.supervisor.resume import ResumeState
from subnetlab.fleet.thread_launcher import ThreadLauncher, Work
from subnetlab.fleet.worker.life import Reporter
from subnetlab.network.chain import Block
from subnetlab.network.memory import MemoryNet
from subnetlab.record.events import (
    BASELINE_UID,
    BaselineEvaluated,
    BlockSealed,
    EpochPaid,
    Event,
    PeerGone,
    PeerReady,
    Phase,
    Role,
    RoundLost,
    RunStatus,
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
        clock: Clock | None = None,
        during: Callable[[Supervisor], None] | None = None,
        baseline: str = "",
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
            owed={"miner": (1, 0), "validator": (1, 0), "alone": ()},
        )  # fmt: skip
        launcher = ThreadLauncher(
            {uid: work for uid, (_, work) in peers.items() if work}, {RECONCILE_ROUNDS: self.reconcile}
        )
        clock = clock or MemoryClock(self.net)
        control = ControlServer(self.folder, "token")
        with RecordWriter(self.folder / FILE_NAME) as record:
            journal = Journal(self.folder, record, ResumeState(), launcher)
            journal.append(self.recorded)
            supervisor = Supervisor(
                spec=spec, header=header, journal=journal,
                clock=clock, epochs=self.pay, control=control, head=clock.start(), launcher=launcher,
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


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


ALL = (4, 7)
MINER: tuple[Role, Work] = ("miner", reports(1, *ALL))
VALIDATOR: tuple[Role, Work] = ("validator", reports(7, *ALL))


def test_a_run_is_sealed_to_its_last_block_and_an_epoch_beyond(stage: Stage) -> None:
    stage.pay = PaidAt((5, 10, 15))
    ending = stage.play({1: MINER, 7: VALIDATOR})
    assert ending == Ending(status=RunStatus.FINISHED, reason="")
    assert [event.number for event in stage.events(BlockSealed)] == list(range(1, 11))
    assert [event.round for event in stage.events(BlockSealed)][:4] == [-1, -1, 0, 0]
    assert [event.block for event in stage.events(EpochPaid)] == [5, 10]
    assert not stage.events(PeerGone)


def test_a_chain_that_never_pays_is_not_waited_for_forever(stage: Stage) -> None:
    ending = stage.play({1: MINER, 7: VALIDATOR})
    assert ending.status == "finished"
    assert LAST < max(stage.pay.asked) < 100


@pytest.mark.parametrize(("work", "limit_s"), [(sleeps, 0.5), (works_hard, 99.0)])
def test_a_peer_that_never_comes_up_is_given_up_and_the_others_go_on(
    stage: Stage, work: Work, limit_s: float
) -> None:
    ending = stage.play({1: MINER, 2: ("miner", work), 7: VALIDATOR}, start_limit_s=limit_s)
    assert ending.status == "finished"
    (gone,) = stage.events(PeerGone)
    assert gone.uid == 2
    assert gone.reason.startswith(f"It was not up within {limit_s:g} s of work. LocalFleet(start_limit_s=")
    assert {event.uid for event in stage.events(PeerReady)} == {1, 7}


def test_a_hung_peer_costs_its_limit_and_is_ended_with_the_run(stage: Stage) -> None:
    ending = stage.play({1: MINER, 2: ("miner", hangs(2, 4)), 7: VALIDATOR}, phase_limit_s=0.2)
    assert ending.status == "finished"
    (gone,) = stage.events(PeerGone)
    assert (gone.uid, gone.reason) == (2, "It did not come to its end.")
    assert max(event.number for event in stage.events(BlockSealed)) >= LAST


def test_peers_that_were_started_are_ended_where_another_cannot_be(stage: Stage) -> None:
    stopped = threading.Event()

    def waits(_report: Reporter, stop: threading.Event) -> None:
        stop.wait()
        stopped.set()

    with pytest.raises(FleetStartFailed, match="no work for the validator 7"):
        stage.play({1: ("miner", waits), 7: ("validator", None)})
    assert stopped.is_set()


def test_a_run_whose_miners_all_fail_is_over(stage: Stage) -> None:
    broken = raises(ValueError("The model is no model."))
    ending = stage.play({1: ("miner", broken), 7: ("validator", hangs(7, *ALL))})
    assert ending.status == "failed"
    assert ending.reason == "Every miner is gone. ValueError: The model is no model."


def test_a_run_ends_by_the_first_failure_and_not_by_those_that_followed(stage: Stage) -> None:
    first_left = threading.Event()

    def fails(report: Reporter, _stop: threading.Event) -> None:
        is_up(9, report)
        raise ValueError("The loss is no number after round 0.")

    def follows(report: Reporter, _stop: threading.Event) -> None:
        is_up(7, report)
        first_left.wait()
        raise ValueError("The loss is no number before round 1.")

    def watches(supervisor: Supervisor) -> None:
        while "gone" not in {peer["state"] for peer in supervisor.status()["peers"]}:
            time.sleep(0.01)
        first_left.set()

    peers = {1: ("miner", hangs(1, *ALL)), 9: ("validator", fails), 7: ("validator", follows)}
    ending = stage.play(peers, during=watches)
    assert ending.status == "failed"
    assert ending.reason == "Every validator is gone. ValueError: The loss is no number after round 0."


@pytest.mark.parametrize(
    ("work", "why"),
    [
        (sleeps, "It was not up within 0.5 s of work. LocalFleet(start_limit_s=…) sets this limit."),
        (raises(NodeUnreachable("Nobody answers.")), "Nobody answers."),
    ],
)
def test_a_run_whose_miners_were_taken_away_can_go_on(stage: Stage, work: Work, why: str) -> None:
    ending = stage.play({1: ("miner", work), 7: ("validator", hangs(7, *ALL))}, start_limit_s=0.5)
    assert ending.status == "interrupted"
    assert ending.reason == f"Every miner is gone. {why}"


def test_a_peer_whose_seat_was_sold_is_ended_and_the_others_go_on(stage: Stage) -> None:
    stage.pay = PaidAt((2, 10), reassigned={"2": "5New"})
    ending = stage.play({1: MINER, 2: ("miner", hangs(2, *ALL)), 7: VALIDATOR})
    assert ending.status == "finished"
    (gone,) = stage.events(PeerGone)
    assert gone.uid == 2
    assert gone.reason == "It lost its seat: by block 2 uid 2 was sold to 5New."


def test_a_run_whose_only_miner_lost_its_seat_has_failed(stage: Stage) -> None:
    stage.pay = PaidAt((2,), reassigned={"1": "5New"})
    ending = stage.play({1: ("miner", hangs(1, *ALL)), 7: ("validator", hangs(7, *ALL))})
    assert ending.status == "failed"
    assert "sold to 5New" in ending.reason


def test_a_round_that_nobody_reports_is_accounted_for_once(stage: Stage) -> None:
    ending = stage.play({1: MINER, 7: VALIDATOR})
    assert ending.status == "finished"
    assert stage.reconciled == [[0]]
    assert [event.round for event in stage.events(RoundLost)] == [0]


def test_a_round_that_cannot_be_accounted_for_interrupts_the_run(stage: Stage) -> None:
    stage.refusal = "reconcile_rounds failed: Its process was killed by SIGKILL."
    ending = stage.play({1: MINER, 7: VALIDATOR})
    assert ending.status == "interrupted"
    assert "SIGKILL" in ending.reason
    assert not stage.events(RoundLost)


def test_a_node_that_stays_silent_interrupts_the_run(stage: Stage) -> None:
    ending = stage.play(
        {1: ("miner", hangs(1, *ALL)), 7: ("validator", hangs(7, *ALL))},
        clock=MemoryClock(stage.net, breaks_after=4),
        node_limit_s=0.3,
    )
    assert ending == Ending(status=RunStatus.INTERRUPTED, reason="The chain is gone: Nothing answers.")
    assert [event.number for event in stage.events(BlockSealed)] == [1, 2, 3, 4]


def test_a_run_can_be_stopped_while_it_waits(stage: Stage) -> None:
    def stop(_supervisor: Supervisor) -> None:
        assert request(stage.folder, "token", "status", timeout_s=20)["run_id"] == "staged"
        assert request(stage.folder, "token", "stop", timeout_s=20)["ok"] is True

    ending = stage.play({1: ("miner", hangs(1)), 7: ("validator", hangs(7))}, during=stop)
    assert ending == Ending(status=RunStatus.STOPPED, reason="Somebody asked it to stop.")


def test_the_reference_miner_is_recorded_once_per_round_and_waited_for_at_the_end(stage: Stage) -> None:
    ending = stage.play({1: MINER, 7: VALIDATOR, BASELINE_UID: ("alone", trains_twice)})
    assert ending.status == "finished"
    assert len(stage.events(BaselineEvaluated)) == 1


def judged(name: str, *steps: int, of: int) -> Work:
    """A baseline that tells its loss after so many steps `of` all, then finishes."""

    def work(report: Reporter, _stop: threading.Event) -> None:
        is_up(SECOND_BASELINE, report)
        for step in steps:
            report(evaluated(name, step, of))

    return work


def evaluated(name: str, step: int, of: int) -> BaselineEvaluated:
    return BaselineEvaluated(round=0, val_loss=5.0, compute_s=0.1, baseline=name, step=step, steps=of)


SECOND_BASELINE = BASELINE_UID - 1


def test_nothing_waits_for_a_baseline_that_is_not_up(stage: Stage) -> None:
    """It comes up once the run is sealed to its end, is waited for then, and what it tells is recorded."""
    through = threading.Event()

    def work(report: Reporter, _stop: threading.Event) -> None:
        assert through.wait(20)
        judged("ddp", 1, 2, of=2)(report, _stop)

    stage.pay = PaidAt((LAST + 1,))
    paid = stage.pay.paid_by

    def paid_by(block: Block) -> list[EpochPaid]:
        found = paid(block)
        if found:
            through.set()
        return found

    stage.pay.paid_by = paid_by  # pyright: ignore[reportAttributeAccessIssue]
    ending = stage.play({1: MINER, 7: VALIDATOR, SECOND_BASELINE: ("alone", work)}, baseline="ddp")
    assert ending.status == "finished"
    assert [event.step for event in stage.events(BaselineEvaluated)] == [1, 2]


def test_a_run_that_is_stopped_while_only_baselines_train_has_finished(stage: Stage) -> None:
    def work(report: Reporter, stop: threading.Event) -> None:
        judged("ddp", 1, of=2)(report, stop)
        stop.wait()

    def stop(_supervisor: Supervisor) -> None:
        while not stage.events(RoundLost):
            time.sleep(0.005)
        request(stage.folder, "token", "stop", timeout_s=20)

    stage.pay = PaidAt((LAST + 1,))
    ending = stage.play(
        {1: MINER, 7: VALIDATOR, SECOND_BASELINE: ("alone", work)}, baseline="ddp", during=stop
    )
    assert ending == Ending(status=RunStatus.FINISHED, reason="")
    assert [event.step for event in stage.events(BaselineEvaluated)] == [1]
    assert max(stage.pay.asked) == LAST + 1, "the last round was paid before"


def test_a_baseline_that_hangs_is_ended_and_the_run_has_finished(stage: Stage) -> None:
    def work(report: Reporter, stop: threading.Event) -> None:
        judged("ddp", 1, of=2)(report, stop)
        stop.wait()

    peers: dict[int, tuple[Role, Work | None]] = {1: MINER, 7: VALIDATOR, SECOND_BASELINE: ("alone", work)}
    ending = stage.play(peers, baseline="ddp", phase_limit_s=0.2)
    assert ending.status == "finished"
    (gone,) = stage.events(PeerGone)
    assert (gone.uid, gone.reason) == (SECOND_BASELINE, "It did not come to its end.")


def test_a_baseline_that_is_on_record_to_its_end_is_not_trained_again(stage: Stage) -> None:
    stage.recorded = [evaluated("ddp", 2, 2)]
    ending = stage.play(
        {1: MINER, 7: VALIDATOR, SECOND_BASELINE: ("alone", raises(OSError("no")))}, baseline="ddp"
    )
    assert ending.status == "finished"
    assert not stage.events(PeerGone)


def test_on_a_chain_of_others_blocks_are_only_watched(stage: Stage) -> None:
    def mine(_supervisor: Supervisor) -> None:
        for _ in range(LAST):
            stage.net.seal()
            head = stage.net.chain("5Any").wait_for(0, 1.0).number
            deadline = time.monotonic() + 20
            while head not in stage.pay.asked and time.monotonic() < deadline:
                time.sleep(0.005)

    ending = stage.play(
        {1: MINER, 7: VALIDATOR},
        clock=WatchedClock(stage.net.chain("5Any")),
        during=mine,
    )
    stage.net.close()
    assert ending.status == "finished"
    sealed = stage.events(BlockSealed)
    assert [event.number for event in sealed] == list(range(1, LAST + 1))
    assert {event.chain_s for event in sealed} == {0.0}
