"""Frames say what the record says, nothing more, and keep their shape when there is nothing."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subnetlab.errors import RecordError
from subnetlab.frames import NAMES, SCHEMAS, frame, frames
from subnetlab.frames.schema import polars_schema
from subnetlab.record.events import (
    BaselineEvaluated,
    BlockSealed,
    EpochPaid,
    Event,
    Mined,
    PeerGone,
    PeerReady,
    RoundClosed,
    RoundLost,
    RunEnded,
    RunStarted,
    Scored,
    Spent,
    Stepped,
)
from subnetlab.record.line import FILE_NAME, ROOT_HASH, encode
from subnetlab.record.reader import read
from subnetlab.record.view import RunView
from subnetlab.record.writer import RecordWriter

OWNER, VALIDATOR, SECOND, MINER, FREE_RIDER = range(5)


def started() -> RunStarted:
    roles = ["owner", "validator", "validator", "miner", "free_rider"]
    seats = [{"uid": uid, "hotkey": f"5Hot{uid}", "role": role} for uid, role in enumerate(roles)]
    return RunStarted(
        run_id="r", network="devnet", netuid=2, manifest_hash="ab", manifest={}, seats=seats, block=7
    )


def mined(uid: int, number: int, loss: float = 3.0) -> Mined:
    return Mined(
        uid=uid, round=number, loss=loss, wire_bytes=100, dense_bytes=20_000, commitment="c",
        compute_s=1.0, compress_s=0.1, store_s=0.2, wait_s=0.3, chain_s=0.4,
    )  # fmt: skip


def scored(validator: int, uid: int, number: int, *, weight: float, verdict: str = "accepted") -> Scored:
    return Scored(
        validator=validator, uid=uid, round=number, verdict=verdict, score=weight / 2, rating=weight * 2,
        loss_removed_assigned=0.2, loss_removed_held_out=0.1, weight=weight, norm=1.0,
        reason="" if verdict == "accepted" else "it sent noise",
    )  # fmt: skip


def closed(number: int, val_loss: float) -> RoundClosed:
    first = 10 + 4 * number
    return RoundClosed(
        round=number, lead=VALIDATOR, heights=[first, first + 1, first + 2, first + 3], val_loss=val_loss,
        accepted=[[MINER, "hash"]], aggregate_hash="a", theta_hash=f"theta{number}", aggregate_s=0.01,
        metrics={"accuracy": 0.75},
    )  # fmt: skip


def paid(block: int, incentive: int, emission: int) -> EpochPaid:
    none = [0] * 5
    return EpochPaid(
        block=block, uids=[0, 1, 2, 3, 4], incentive=[0, 0, 0, incentive, 0], dividends=[0, 65535, 0, 0, 0],
        consensus=none, validator_trust=none, emission_alpha_rao=[0, 5, 0, emission, 0],
        stake_alpha_rao=[0, 10**15, 0, 0, 0], validator_permit=[False, True, False, False, False],
    )  # fmt: skip


def two_rounds() -> list[Event]:
    return [
        started(),
        PeerReady(uid=MINER, pid=41, seconds=0.5),
        Stepped(uid=MINER, round=0, first_step=0, losses=[5.0, 4.0]),
        mined(MINER, 0),
        mined(FREE_RIDER, 0),
        BlockSealed(number=10, hash="0xa", round=0, waited_s=0.5, chain_s=0.1),
        BlockSealed(number=11, hash="0xb", round=0, waited_s=0.25, chain_s=0.2),
        scored(VALIDATOR, MINER, 0, weight=0.8),
        scored(SECOND, MINER, 0, weight=0.6),
        scored(VALIDATOR, FREE_RIDER, 0, weight=0.0, verdict="gated"),
        scored(SECOND, FREE_RIDER, 0, weight=0.2),
        closed(0, val_loss=2.5),
        BaselineEvaluated(round=0, val_loss=2.75, compute_s=1.0),
        paid(9, incentive=0, emission=1),
        paid(13, incentive=65535, emission=700),
        Spent(what="pay", tx="0xfe", amount_rao=500, to="5F"),
        mined(MINER, 1, loss=2.0),
        BlockSealed(number=14, hash="0xc", round=1, waited_s=0.5, chain_s=0.1),
        closed(1, val_loss=2.25),
        closed(1, val_loss=2.125),
        PeerGone(uid=FREE_RIDER, reason="killed"),
        RunEnded(status="finished", reason="", block=17, wall_s=3.0),
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with RecordWriter(tmp_path / FILE_NAME, clock=lambda: 1000.0) as writer:
        for event in two_rounds():
            writer.append(event)
    return tmp_path


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_record_gives_an_empty_frame_of_the_right_shape(tmp_path: Path, name: str) -> None:
    with RecordWriter(tmp_path / FILE_NAME):
        pass
    empty = frame(tmp_path, name)
    assert empty.height == 0
    assert empty.schema == polars_schema(name)


@pytest.mark.parametrize("name", NAMES)
def test_a_full_record_keeps_the_documented_shape(folder: Path, name: str) -> None:
    found = frame(folder, name)
    assert found.height > 0
    assert found.schema == polars_schema(name)
    assert all(column.meaning for column in SCHEMAS[name])
    assert frames(folder)[name].equals(found)
    assert frame(str(folder), name).equals(found)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from(two_rounds()), max_size=30))
def test_any_part_of_a_record_in_any_order_gives_frames_of_the_documented_shape(events: list[Event]) -> None:
    previous, entries = ROOT_HASH, []
    for seq, event in enumerate(events):
        _, entry = encode(event, seq=seq, time=float(seq), previous=previous)
        previous = entry.hash
        entries.append(entry)
    for name, found in frames(entries).items():
        assert found.schema == polars_schema(name)
    rounds = {event.round for event in events if isinstance(event, RoundClosed)}
    assert frame(entries, "rounds").height == len(rounds)


def test_a_lost_round_is_a_row_that_says_so(folder: Path) -> None:
    with RecordWriter(folder / FILE_NAME) as record:
        record.append(RoundLost(round=2, reason="It was cut off."))
    rows = frame(folder, "rounds").to_dicts()
    assert [row["round"] for row in rows] == [1, 2, 3]
    assert [row["lost"] for row in rows] == [None, None, "It was cut off."]
    assert rows[2]["val_loss"] is None


def test_a_miner_s_row_brings_work_judgement_and_pay_together(folder: Path) -> None:
    rows = {(row["round"], row["uid"]): row for row in frame(folder, "miners").iter_rows(named=True)}
    assert list(rows) == [(1, MINER), (1, FREE_RIDER), (2, MINER)]
    first = rows[1, MINER]
    assert first["role"] == "miner"
    assert first["loss"] == 3.0
    assert first["weight"] == pytest.approx(0.7)
    assert first["score"] == pytest.approx(0.35)
    assert first["incentive"] == 1.0
    assert first["emission_alpha_rao"] == 700
    assert first["wire_bytes"] == 100
    assert first["verdict"] == "accepted"
    assert [first[name] for name in ("compute_s", "compress_s", "store_s", "wait_s", "chain_s")] == [
        1.0, 0.1, 0.2, 0.3, 0.4,
    ]  # fmt: skip


def test_rounds_count_from_one_in_every_frame_as_on_every_page(folder: Path) -> None:
    view = RunView()
    for entry in read(folder / FILE_NAME):
        view.add(entry.event)
    for name, found in frames(folder).items():
        if "round" in found.columns and name not in ("blocks", "epochs"):
            assert found["round"].min() == 1, name
    assert frame(folder, "rounds")["round"].to_list() == [number + 1 for number in sorted(view.over)]


def test_the_lead_s_verdict_stands(folder: Path) -> None:
    gated = frame(folder).filter(pl.col("uid") == FREE_RIDER).row(0, named=True)
    assert (gated["verdict"], gated["reason"]) == ("gated", "it sent noise")
    assert gated["incentive"] == 0.0
    assert gated["emission_alpha_rao"] == 0


def test_what_was_not_recorded_is_null_and_not_zero(folder: Path) -> None:
    second = frame(folder).filter(pl.col("round") == 2).row(0, named=True)
    assert (second["score"], second["weight"], second["verdict"]) == (None, None, None)
    assert second["incentive"] == 1.0, "the last epoch's incentive still stands"
    assert second["emission_alpha_rao"] == 0, "no epoch ran in this round"


def test_a_round_recorded_twice_appears_once_as_it_was_recorded_last(folder: Path) -> None:
    found = frame(folder, "rounds")
    assert found["val_loss"].to_list() == [2.5, 2.125]
    first = found.row(0, named=True)
    assert [first[name] for name in ("open", "commit", "beacon", "close")] == [10, 11, 12, 13]
    assert (first["payloads"], first["accepted"], first["wire_bytes"]) == (2, 1, 200)
    assert first["waited_s"] == pytest.approx(0.75)
    assert first["chain_s"] == pytest.approx(0.3)


def test_epochs_know_their_round(folder: Path) -> None:
    found = frame(folder, "epochs")
    by_block = dict(found.select("block", "round").unique().iter_rows())
    assert by_block == {9: None, 13: 1}
    validator = found.filter((pl.col("uid") == VALIDATOR) & (pl.col("block") == 13)).row(0, named=True)
    assert (validator["dividends"], validator["stake_alpha_rao"], validator["validator_permit"]) == (
        1.0,
        10**15,
        True,
    )


def test_losses_put_the_subnet_beside_one_miner_alone(folder: Path) -> None:
    assert frame(folder, "losses").rows() == [(1, 2.5, 2.75), (2, 2.125, None)]


def test_the_other_frames_hold_their_events(folder: Path) -> None:
    assert frame(folder, "money").rows() == [(1000.0, "pay", 500, "5F", "0xfe", "", 0, 0)]
    assert frame(folder, "steps").rows() == [(1, MINER, 0, 5.0), (1, MINER, 1, 4.0)]
    assert frame(folder, "blocks")["number"].to_list() == [10, 11, 14]
    assert frame(folder, "validators").height == 4
    peers = {row["uid"]: row for row in frame(folder, "peers").iter_rows(named=True)}
    assert (peers[MINER]["pid"], peers[MINER]["hotkey"], peers[MINER]["gone"]) == (41, "5Hot3", None)
    assert peers[FREE_RIDER]["gone"] == "killed"


def test_a_frame_nobody_knows_is_refused_with_the_names_there_are(folder: Path) -> None:
    with pytest.raises(ValueError, match="there are miners, rounds"):
        frame(folder, "minerz")


def test_no_record_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecordError):
        frame(tmp_path)
