from pathlib import Path

from subnetlab.fleet.past import read_past
from subnetlab.record.events import (
    AloneEvaluated,
    BlockSealed,
    EpochPaid,
    Event,
    PeerReady,
    RoundClosed,
    RoundLost,
    RunEnded,
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


def test_a_new_run_has_no_past(tmp_path: Path) -> None:
    past = read_past(tmp_path / "record.jsonl")
    assert (past.started, past.ended, past.last_closed, past.last_epoch) == (None, False, None, None)


def test_a_past_knows_where_the_run_stood(tmp_path: Path) -> None:
    path = recorded(tmp_path / "record.jsonl", STARTED, closed(0), epoch(9), closed(1), epoch(17))
    past = read_past(path)
    assert past.started == STARTED
    assert past.last_closed == closed(1)
    assert past.last_epoch == 17
    assert not past.ended
    recorded(path, RunEnded(status="stopped", reason="", block=20, wall_s=1.0))
    assert read_past(path).ended


def test_rounds_and_evaluations_are_news_once_and_other_events_always(tmp_path: Path) -> None:
    alone = AloneEvaluated(round=0, val_loss=5.0, compute_s=1.0)
    past = read_past(recorded(tmp_path / "record.jsonl", STARTED, closed(0), alone))
    ready = PeerReady(uid=1, pid=2, seconds=3.0)
    assert not past.is_news(closed(0, lead=8))
    assert past.last_closed == closed(0)
    assert not past.is_news(alone)
    assert past.is_news(ready)
    assert past.is_news(ready)
    assert past.is_news(closed(1))
    assert not past.is_news(closed(1))
    assert past.last_closed == closed(1)


def test_every_round_is_closed_or_lost_and_the_rest_is_open(tmp_path: Path) -> None:
    lost = RoundLost(round=1, reason="cut off")
    past = read_past(recorded(tmp_path / "record.jsonl", STARTED, closed(0), lost, closed(3)))
    assert past.open(5) == [2, 4]
    assert not past.is_news(closed(1))
    assert not past.is_news(lost)
    assert past.is_news(closed(2))
    assert past.last_closed == closed(3)
    assert past.open(5) == [4]


def test_the_highest_block_is_known(tmp_path: Path) -> None:
    block = BlockSealed(number=9, hash="0xab", round=1, waited_s=0.1, chain_s=0.1)
    assert read_past(recorded(tmp_path / "record.jsonl", STARTED, block)).last_block == block
