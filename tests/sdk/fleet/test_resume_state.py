from pathlib import Path

from subnetlab.fleet.supervisor.resume_state import read_resume_state
from subnetlab.record.events import (
    BaselineEvaluated,
    BlockSealed,
    EpochPaid,
    Event,
    PeerReady,
    RoundClosed,
    RoundLost,
    RunEnded,
    RunInterrupted,
    RunStarted,
)
from subnetlab.record.writer import RecordWriter


def closed(round_: int, lead: int = 7) -> RoundClosed:
    return RoundClosed(
        round=round_,
        lead=lead,
        heights=[1, 2, 3, 4],
        accepted=[],
        aggregate_hash="",
        theta_hash="aa",
        val_loss=5.0,
        aggregate_s=0.1,
    )


def epoch(block: int) -> EpochPaid:
    nothing: list[int] = []
    return EpochPaid(
        block=block,
        uids=nothing,
        incentive=nothing,
        dividends=nothing,
        consensus=nothing,
        validator_trust=nothing,
        emission_alpha_rao=nothing,
        stake_alpha_rao=nothing,
        validator_permit=[],
    )


STARTED = RunStarted(
    run_id="one", network="devnet", netuid=2, manifest_hash="bb", manifest={}, seats=[], block=3
)


def recorded(path: Path, *events: Event) -> Path:
    with RecordWriter(path) as record:
        for event in events:
            record.append(event)
    return path


def test_a_new_run_resumes_from_nothing(tmp_path: Path) -> None:
    state = read_resume_state(tmp_path / "record.jsonl")
    assert (state.started, state.ended, state.last_closed, state.last_epoch) == (None, False, None, None)


def test_a_record_says_where_the_run_was(tmp_path: Path) -> None:
    path = recorded(tmp_path / "record.jsonl", STARTED, closed(0), epoch(9), closed(1), epoch(17))
    state = read_resume_state(path)
    assert state.started == STARTED
    assert state.last_closed == closed(1)
    assert state.last_epoch == 17
    assert not state.ended
    recorded(path, RunEnded(status="stopped", reason="", block=20, wall_s=1.0))
    assert read_resume_state(path).ended


def test_rounds_and_evaluations_are_held_once_and_other_events_never(tmp_path: Path) -> None:
    alone = BaselineEvaluated(round=0, val_loss=5.0, compute_s=1.0)
    state = read_resume_state(recorded(tmp_path / "record.jsonl", STARTED, closed(0), alone))
    ready = PeerReady(uid=1, pid=2, seconds=3.0)
    assert state.has(closed(0, lead=8))
    assert state.last_closed == closed(0)
    assert state.has(alone)
    state.note(ready)
    assert not state.has(ready)
    assert not state.has(closed(1))
    state.note(closed(1))
    assert state.has(closed(1))
    assert state.last_closed == closed(1)


def test_every_round_is_closed_or_lost_and_the_rest_is_unreported(tmp_path: Path) -> None:
    lost = RoundLost(round=1, reason="cut off")
    state = read_resume_state(recorded(tmp_path / "record.jsonl", STARTED, closed(0), lost, closed(3)))
    assert state.unreported(5) == [2, 4]
    assert state.lost == {1: "cut off"}
    assert state.has(closed(1))
    assert state.has(lost)
    state.note(closed(2))
    assert state.last_closed == closed(3)
    assert state.unreported(5) == [4]


def test_the_highest_block_is_known(tmp_path: Path) -> None:
    block = BlockSealed(number=9, hash="0xab", round=1, waited_s=0.1, chain_s=0.1)
    assert read_resume_state(recorded(tmp_path / "record.jsonl", STARTED, block)).last_block == block


def test_why_a_run_was_left_is_known_until_it_goes_on(tmp_path: Path) -> None:
    left = RunInterrupted(reason="The chain is gone.", block=9)
    path = recorded(tmp_path / "record.jsonl", STARTED, left)
    assert read_resume_state(path).interrupted == left
    recorded(path, BlockSealed(number=10, hash="0xab", round=1, waited_s=0.1, chain_s=0.1))
    assert read_resume_state(path).interrupted is None
