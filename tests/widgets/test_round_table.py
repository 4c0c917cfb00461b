"""The record as the dashboard's rows: what is drawn is what was recorded."""

from dataclasses import replace

import numpy as np
import pytest

from subnetlab.record import events as e
from subnetlab.record.verdicts import Standing
from subnetlab.record.view import RunView
from subnetlab_widgets.dashboard.round_table import (
    CODES,
    METRICS,
    OPEN_ROUNDS,
    ROUND_FIELDS,
    RoundTable,
)
from tests.widgets.recorded import FREE_RIDER, mined, one_round, run, started


def told(*, miners: int = 8, rounds: int = 6, upto: int | None = None) -> RoundTable:
    first, *rest = run(miners, rounds, upto)
    assert isinstance(first, e.RunStarted)
    table = RoundTable(first)
    for event in rest:
        table.apply(event)
    return table


def value(table: RoundTable, round_: int, uid: int, metric: str) -> float:
    column = table.miners.index(uid)
    return float(table.row(round_)[len(ROUND_FIELDS) + column * len(METRICS) + METRICS.index(metric)])


def test_every_round_is_one_row_with_both_curves() -> None:
    table = told(rounds=6)
    assert table.rounds == [1, 2, 3, 4, 5, 6]
    subnet, alone = ROUND_FIELDS.index("subnet"), ROUND_FIELDS.index("alone")
    assert all(table.row(r)[subnet] < table.row(r)[alone] for r in table.rounds)


def test_a_run_of_answers_draws_mean_scores_and_each_miners_own() -> None:
    first = replace(started(rounds=1), manifest={"form": "subnetlab-answers/1", "rounds": 1})
    table = RoundTable(first)
    nan = float("nan")
    for event in one_round(0, table.miners, 1):
        if isinstance(event, e.Scored):
            no_loss = replace(event, loss_removed_assigned=nan, loss_removed_held_out=nan)
            table.apply(replace(no_loss, score=event.uid / 10))
        elif isinstance(event, e.RoundClosed):
            table.apply(replace(event, val_loss=nan, metrics={"score": 0.75}))
    assert table.row(1)[ROUND_FIELDS.index("subnet")] == 0.75
    assert value(table, 1, 5, "loss_removed") == pytest.approx(0.5)


def test_other_baselines_stay_out_of_the_curve_of_one_alone_and_begin_no_round() -> None:
    """DDP may be far ahead of the rounds, and one alone with more steps goes beyond the last."""
    table = told(rounds=6, upto=3)
    steps = table.view.inner_steps
    rounds, alone = list(table.rounds), [table.row(r)[ROUND_FIELDS.index("alone")] for r in table.rounds]
    for name, number in (("ddp", 1), ("ddp", 4), ("alone_3x", 1), ("alone_3x", 17)):
        table.apply(
            e.BaselineEvaluated(
                round=number, val_loss=1.25, compute_s=1.0, baseline=name, step=(number + 1) * steps,
                steps=18 * steps,
            )
        )  # fmt: skip
    assert table.rounds == rounds
    assert [table.row(r)[ROUND_FIELDS.index("alone")] for r in table.rounds] == alone
    ddp = ROUND_FIELDS.index("ddp")
    assert [r for r in table.rounds if not np.isnan(table.row(r)[ddp])] == [2]
    _, *rest = run(8, 6)
    for event in rest:
        table.apply(event)
    assert [r for r in table.rounds if table.row(r)[ddp] == 1.25] == [2, 5]


def test_a_row_is_as_long_as_its_layout_says() -> None:
    assert told(miners=5, rounds=1).row(1).shape == (len(ROUND_FIELDS) + 5 * len(METRICS),)


def test_a_miners_own_loss_and_bytes_are_those_of_its_round() -> None:
    table = told(rounds=2, upto=1)
    assert value(table, 1, 4, "loss") == pytest.approx(mined(0, 4).loss)
    assert value(table, 1, 4, "wire_bytes") == mined(0, 4).wire_bytes


def test_a_miner_is_refused_as_soon_as_most_of_its_rounds_are() -> None:
    table = told(rounds=3)
    assert value(table, 1, FREE_RIDER, "verdict") == CODES[Standing.REFUSED]
    assert value(table, 2, FREE_RIDER, "verdict") == CODES[Standing.REFUSED]
    assert value(table, 1, FREE_RIDER + 1, "verdict") == CODES[Standing.WORKS]
    assert table.status["reasons"][FREE_RIDER] == "sends noise"


def test_pay_belongs_to_the_round_of_its_epoch_and_is_never_carried_over() -> None:
    table = told(rounds=4)
    assert np.isnan(value(table, 1, FREE_RIDER + 1, "pay"))
    assert value(table, 2, FREE_RIDER + 1, "pay") == pytest.approx(3.28 / 7, rel=1e-6)
    assert np.isnan(value(table, 3, FREE_RIDER + 1, "pay"))
    assert value(table, 3, FREE_RIDER + 1, "incentive") == pytest.approx(1 / 7, rel=1e-3)


def test_two_epochs_in_one_round_add_up() -> None:
    table = told(rounds=2)
    uids = list(range(3 + 8))
    again = e.EpochPaid(
        block=50,
        uids=uids,
        incentive=[0] * 11,
        dividends=[0] * 11,
        consensus=[0] * 11,
        validator_trust=[0] * 11,
        emission_alpha_rao=[10**9] * 11,
        stake_alpha_rao=[0] * 11,
        validator_permit=[False] * 11,
    )
    before = value(table, 2, 5, "pay")
    table.apply(again)
    assert value(table, 2, 5, "pay") == pytest.approx(before + 1.0)


def test_what_a_miner_was_started_as_never_reaches_the_page() -> None:
    table = told(rounds=1)
    assert "free_rider" not in str(table.status)


def test_a_miner_that_is_gone_says_so() -> None:
    table = told(rounds=3, upto=2)
    table.apply(e.PeerGone(uid=5, reason="its process was killed"))
    assert value(table, 2, 5, "verdict") == CODES[Standing.GONE]
    assert table.status["reasons"][5] == "its process was killed"


def test_an_interrupted_run_says_what_is_lost_and_how_it_goes_on() -> None:
    table = told(rounds=3, upto=2)
    table.apply(e.PeerGone(uid=5, reason="its process was killed"))
    table.apply(e.RunInterrupted(reason="The chain is gone.", block=9))
    assert table.status["state"] == "interrupted"
    assert "The chain is gone; nothing on record is lost, %sl attach" in table.status["reason"]
    table.apply(e.RoundLost(round=2, reason="cut off"))
    table.apply(e.PeerReady(uid=5, pid=7, seconds=1.0))
    table.apply(e.BlockSealed(number=10, hash="0x00", round=2, waited_s=0.1, chain_s=0.01))
    assert (table.status["state"], table.status["reason"]) == ("running", "")
    assert value(table, 3, 5, "verdict") == CODES[Standing.WORKS], "as its rounds before left it"
    assert np.isnan(table.row(3)[ROUND_FIELDS.index("subnet")])


def joined(*uids: int) -> e.PeersJoined:
    seats = [{"uid": uid, "hotkey": f"5New{uid}", "role": "miner"} for uid in uids]
    return e.PeersJoined(seats=[*seats, {"uid": 90, "hotkey": "5V", "role": "validator"}], block=60)


def test_a_miner_that_joins_gets_a_column_that_is_empty_before_it() -> None:
    table = told(miners=3, rounds=8, upto=2)
    before = [table.row(number).copy() for number in table.rounds]
    table.changed.clear()
    table.apply(joined(20, 21))
    assert table.miners == [3, 4, 5, 20, 21]
    assert table.changed == set(table.rounds), "the page is sent every row once more"
    for number, row in zip(table.rounds, before, strict=True):
        np.testing.assert_array_equal(table.row(number)[: len(row)], row)
        assert np.isnan(table.row(number)[len(row) :]).all()
    for event in one_round(2, [3, 4, 5, 20, 21], 8):
        table.apply(event)
    assert value(table, 3, 20, "verdict") == CODES[Standing.WORKS]
    assert value(table, 3, 21, "loss") == pytest.approx(mined(2, 21).loss)
    table.apply(joined(20))
    assert table.miners == [3, 4, 5, 20, 21], "a record that is read again adds none"


def test_a_longer_baseline_is_a_level_once_it_is_through() -> None:
    table = told(rounds=6, upto=3)
    steps = 3 * 6 * table.view.inner_steps
    for at, loss in ((steps // 2, 2.0), (steps, 1.75)):
        table.apply(
            e.BaselineEvaluated(
                round=1, val_loss=loss, compute_s=1.0, baseline="alone_3x", step=at, steps=steps
            )
        )
        levels = [] if at < steps else [{"name": "one alone, 3× steps", "loss": 1.75}]
        assert table.status["levels"] == levels


def test_what_a_task_measures_is_told_with_its_round() -> None:
    table = told(rounds=6, upto=1)
    assert table.status["measured"] == {}
    closing = next(event for event in one_round(1, [3], 6) if isinstance(event, e.RoundClosed))
    table.apply(replace(closing, metrics={"accuracy": 0.9}))
    assert table.status["measured"] == {"round": 2, "values": {"accuracy": 0.9}}


def test_states_follow_the_record() -> None:
    table = RoundTable(started())
    assert table.status["state"] == "starting"
    assert told(rounds=2, upto=1).status["state"] == "running"
    assert told(rounds=2).status["state"] == "finished"


def test_blocks_before_the_first_round_are_no_round() -> None:
    table = RoundTable(started())
    table.apply(e.BlockSealed(number=41, hash="0x00", round=-1, waited_s=0.1, chain_s=0.01))
    assert table.rounds == []
    assert table.status["block"] == 41


def test_a_long_run_keeps_the_votes_of_open_rounds_only_and_judges_as_before() -> None:
    first, *rest = run(4, 200)
    assert isinstance(first, e.RunStarted)
    table = RoundTable(first)
    for event in rest:
        table.apply(event)
    assert all(len(table.view.miner(uid).votes) == OPEN_ROUNDS for uid in table.miners)
    assert value(table, 200, FREE_RIDER, "verdict") == CODES[Standing.REFUSED]
    assert [table.view.miner(uid).judged for uid in table.miners] == [200] * len(table.miners)
    assert table.view.miner(FREE_RIDER).accepted == 0


def test_the_second_vote_may_turn_the_first_ones_verdict() -> None:
    table = told(rounds=1, upto=0)
    base = next(event for event in run(8, 1) if isinstance(event, e.Scored) and event.uid == 4)
    table.apply(replace(base, validator=1, verdict="accepted", score=0.5, loss_removed_held_out=0.5))
    assert (value(table, 1, 4, "verdict"), table.view.miner(4).accepted) == (CODES[Standing.WORKS], 1)
    table.apply(replace(base, validator=2, verdict="gated", score=0.0, loss_removed_held_out=0.25))
    assert (table.view.miner(4).judged, table.view.miner(4).accepted) == (1, 0)
    assert value(table, 1, 4, "loss_removed") == 0.375


def test_harm_done_by_a_refused_update_is_shown_as_measured() -> None:
    table = told(rounds=1, upto=0)
    base = next(event for event in run(8, 1) if isinstance(event, e.Scored) and event.uid == 4)
    table.apply(replace(base, verdict="gated", score=0.0, loss_removed_held_out=-0.25))
    assert value(table, 1, 4, "loss_removed") == -0.25


def test_a_sample_told_again_is_kept_once() -> None:
    table = told(rounds=13)
    table.apply(e.Sampled(round=6, prompt="def read(", text="again"))
    assert [sample["round"] for sample in table.status["samples"]] == [1, 7, 13]
    assert table.status["samples"][1]["text"] == "again"


def test_the_page_sends_the_bytes_that_the_verdict_states_however_few_rounds_it_keeps() -> None:
    first, *rest = run(3, 40)
    assert isinstance(first, e.RunStarted)
    table, whole = RoundTable(first), RunView()
    for event in (first, *rest):
        sized = replace(event, wire_bytes=1000 + event.round) if isinstance(event, e.Mined) else event
        table.apply(sized)
        whole.add(sized)
    assert table.status["wire_bytes"] == whole.wire_bytes_per_round == pytest.approx(1000 + 39 / 2)
    assert table.status["dense_bytes"] == whole.dense_bytes
