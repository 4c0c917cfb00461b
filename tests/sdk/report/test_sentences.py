"""What a page says is computed from the numbers beside it: counts, units, reasons and shares."""

from dataclasses import replace
from typing import Any

import pytest
from tests.sdk.lab import story

from subnetlab.record import events as e
from subnetlab.record.reasons import GATED, IN_WORDS, MEASURED, UNTRIED
from subnetlab.record.view import RunView
from subnetlab.report.explain import Explanation, explain
from subnetlab.report.format import percent
from subnetlab.report.headline import headline
from subnetlab.report.verdict import verdict

MINER, HONEST, VALIDATOR, OTHER = 1, 2, 3, 4
UNOPENED = sorted(set(IN_WORDS) - MEASURED)


def started(*roles: str, rounds: int = 2, **manifest: Any) -> e.RunStarted:
    seats = [{"uid": uid, "hotkey": f"5{uid}", "role": role} for uid, role in enumerate(roles, 1)]
    return e.RunStarted(
        run_id="r", network="devnet", netuid=1, manifest_hash="", manifest={"rounds": rounds, **manifest},
        seats=seats, block=1,
    )  # fmt: skip


def scored(uid: int, word: str, *, removed: float = 0.0, round_: int = 0, reason: str = "") -> e.Scored:
    return e.Scored(
        validator=VALIDATOR, uid=uid, round=round_, verdict=word, score=max(removed, 0.0), reason=reason,
        loss_removed_assigned=removed, loss_removed_held_out=removed, rating=0.0, weight=0.0, norm=0.0,
    )  # fmt: skip


def closed(round_: int = 0, loss: float = 4.0) -> e.RoundClosed:
    return e.RoundClosed(
        round=round_, lead=VALIDATOR, heights=[2, 3, 4, 5], accepted=[], aggregate_hash="", theta_hash="",
        val_loss=loss, aggregate_s=0.0,
    )  # fmt: skip


def paid() -> e.EpochPaid:
    return e.EpochPaid(
        block=9, uids=[MINER, HONEST, VALIDATOR], incentive=[0, 65535, 0], dividends=[0, 0, 65535],
        consensus=[0, 65535, 0], validator_trust=[0, 0, 65535], emission_alpha_rao=[0, 10**9, 0],
        stake_alpha_rao=[0, 0, 300], validator_permit=[False, False, True],
        weights={str(VALIDATOR): {str(HONEST): 65535}},
    )  # fmt: skip


def view_of(*events: e.Event) -> RunView:
    view = RunView()
    for event in events:
        view.add(event)
    return view


def told(word: str, *, removed: float = 0.0, reason: str = "") -> Explanation:
    first = started("miner", "miner", "validator")
    honest = scored(HONEST, "accepted", removed=0.02)
    return explain(view_of(first, scored(MINER, word, removed=removed, reason=reason), honest, paid()), MINER)


@pytest.mark.parametrize("word", UNOPENED)
def test_what_was_never_opened_is_not_said_to_have_been_measured(word: str) -> None:
    said = told(word)
    score = said.steps[1]
    assert "put the payload into the model" not in score.sentence
    assert "nothing was measured" in score.sentence
    assert IN_WORDS[word] in score.sentence
    assert score.value == "–"


def test_whoever_waits_for_a_first_trial_is_not_said_to_have_been_refused() -> None:
    said = told(UNTRIED)
    assert "judged by no validator" in said.answer
    assert "nothing was measured" in said.steps[1].sentence


@pytest.mark.parametrize("word", sorted(set(IN_WORDS) - {UNTRIED}))
def test_whoever_was_refused_is_not_told_that_its_updates_lowered_the_loss(word: str) -> None:
    said = told(word, removed=-0.02)
    assert "lowered the loss" not in said.answer
    assert "1 of 1 round" in said.answer
    assert "no weight was agreed on" in said.answer
    assert "0 % of the honest median" in said.answer


def test_a_gated_update_is_told_what_it_did_to_the_loss_and_the_gates_own_reason() -> None:
    reason = "This update removed 0.005% of the loss, the median miner 0.152%: less than 40% counts as noise."
    said = told(GATED, removed=-0.02, reason=reason)
    assert "added 2.0 % to the loss" in said.steps[1].sentence
    assert reason in said.steps[1].sentence
    assert reason in said.answer


def test_rounds_are_counted_once_however_many_validators_judged_them() -> None:
    view = view_of(*story.story())
    assert "It was refused in 4 of 4 rounds" in explain(view, story.FREE_RIDER).steps[1].sentence


def test_weights_and_pay_are_of_the_same_epochs() -> None:
    view = view_of(*story.story())
    view.add(story.epoch(34, {"6": {"1": 65535}, "7": {"1": 65535}}))
    weight = next(step for step in explain(view, 2).steps if step.name == "weight")
    assert len(view.pay.epochs) == 3
    assert weight.value == "16.7 %", "the mean of 25, 25 and 0 per cent, and not the last epoch's 0"
    assert "the 3 tempos that paid" in weight.sentence


@pytest.mark.parametrize(("stakes", "says"), [((60, 40), "decides alone"), ((50, 50), "none alone can lift")])
def test_what_one_validator_can_do_depends_on_its_stake(stakes: tuple[int, int], says: str) -> None:
    view = view_of(*story.story())
    by_uid = dict(zip(story.VALIDATORS, stakes, strict=True))
    for epoch in view.pay.epochs:
        view.pay.add(replace(epoch, stake_alpha_rao=[by_uid.get(uid, 0) for uid in epoch.uids]))
    consensus = next(step for step in explain(view, 2).steps if step.name == "consensus")
    assert says in consensus.sentence
    assert f"{max(stakes):.1f} %" in consensus.sentence


def test_one_stranger_is_one_stranger() -> None:
    view = view_of(started("miner", "validator"), closed())
    assert str(headline(view)) == "One stranger is at 4.00 after 1 round."
    view.add(e.RunEnded(status="finished", reason="", block=9, wall_s=1.0))
    assert str(headline(view)) == "One stranger reached 4.00."


def test_who_is_refused_is_counted_apart() -> None:
    first = started("miner", "free_rider", "validator")
    view = view_of(first, scored(MINER, "accepted"), scored(HONEST, GATED), closed())
    assert str(headline(view)).startswith("One of two strangers is at")


def test_a_run_that_learned_nothing_says_so() -> None:
    lost = [e.RoundLost(round=number, reason="Every peer was late.") for number in range(3)]
    ended = e.RunEnded(status="finished", reason="", block=9, wall_s=1.0)
    view = view_of(started("miner", "validator", rounds=3), *lost, ended)
    assert verdict(view).headline == "Nothing was learned, 3 rounds lost: Every peer was late."
    assert verdict(view).rounds == 3


def test_a_diverged_model_has_no_loss_to_boast_of() -> None:
    view = view_of(started("miner", "validator"), closed(loss=float("nan")))
    assert "diverged" in str(headline(view))
    assert view.status() == "running"
    view.add(e.RunEnded(status="failed", reason="Every validator is gone.", block=9, wall_s=1.0))
    assert view.status() == "diverged"


def test_rounds_that_never_lowered_the_loss_taught_nothing() -> None:
    losses = {0: 4.0, 1: 4.2, 2: 4.1}
    closings = [replace(closed(loss=loss), round=number) for number, loss in losses.items()]
    ended = e.RunEnded(status="finished", reason="", block=9, wall_s=1.0)
    view = view_of(started("miner", "validator", rounds=3), *closings, ended)
    words = "One stranger learned nothing: 4.10 after 3 rounds, 4.00 after the first."
    assert str(headline(view)) == words
    lower = replace(closings[1], val_loss=3.9)
    view = view_of(started("miner", "validator", rounds=3), closings[0], lower, closings[2], ended)
    assert str(headline(view)) == "One stranger reached 4.10."
    view = view_of(started("miner", "validator", rounds=2), *closings[:2], ended)
    assert str(headline(view)) == "One stranger reached 4.20.", "a second round alone shows nothing"


def test_losses_have_the_unit_of_the_record() -> None:
    alone = e.BaselineEvaluated(round=0, val_loss=4.5, compute_s=0.1)
    said: dict[str, dict[str, Any]] = {
        "nats per byte": {"model": {"kind": "TinyGPT"}},
        "nats per token": {"model": {"kind": "Source", "vocabulary": 65}},
        "bits per pixel": {"task": {"kind": "own", "unit": "bits per pixel"}},
    }
    for unit, manifest in said.items():
        found = str(verdict(view_of(started("miner", "validator", **manifest), closed(), alone)))
        assert f"validation loss, {unit}" in found
        assert f"was worth 0.50 {unit}" in found


@pytest.mark.parametrize(
    ("sent", "says"),
    [(28_700, "143 times less than"), (2_000_000, "2.1 times less than"), (4_101_632, "as much as"),
     (5_000_000, "more than")],
)  # fmt: skip
def test_a_saving_is_said_only_where_there_is_one(sent: int, says: str) -> None:
    found = replace(verdict(view_of(*story.story())), wire_bytes=float(sent))
    assert f"a round, {says} the plain update" in found.saving


def test_a_gain_within_the_noise_is_no_gain() -> None:
    found = replace(verdict(view_of(*story.story())), loss_last=2.0, loss_baseline=2.004)
    assert "both are equal: 0.0040 nats per byte apart" in str(found)


def test_pay_that_differs_without_merit_is_called_noise() -> None:
    view = view_of(*story.story())
    assert verdict(view).pay_is_noise
    assert "do not read merit" not in str(verdict(view)), "here all were paid alike"
    epoch = view.pay.epochs[0]
    view.pay.add(replace(epoch, emission_alpha_rao=[*range(len(epoch.uids))]))
    assert "do not read merit" in str(verdict(view))


def test_a_seat_of_somebody_else_is_no_owner_and_no_peer() -> None:
    view = view_of(started("miner", "miner", "validator", "other"), closed(), paid())
    view.pay.add(replace(paid(), uids=[1, 2, 3, OTHER], **{
        name: [*getattr(paid(), name), 0]
        for name in ("incentive", "dividends", "consensus", "validator_trust", "emission_alpha_rao",
                     "stake_alpha_rao")
    }, validator_permit=[False, False, True, False]))  # fmt: skip
    assert "takes no part in this run" in explain(view, OTHER).answer
    assert view.peers == [1, 2, 3]


def html_of(thing: object) -> str:
    """What a plain kernel asks of an object."""
    return str(getattr(thing, "_repr_html_")())  # noqa: B009  (the protocol's name is a private one)


def test_verdict_and_explanation_show_themselves_without_our_extension() -> None:
    view = view_of(*story.story())
    shown = html_of(verdict(view))
    assert "<table" in shown
    assert "Four of five strangers reached" in shown
    assert "<script" not in shown
    assert "Why uid 2 earned" in html_of(explain(view, 2))


def test_the_verdict_is_a_frame_of_numbers() -> None:
    found = verdict(view_of(*story.story())).frame()
    row = found.row(0)
    assert row[:3] == ("validation_loss", "nats per byte", 2.5)


def test_a_ratio_near_one_keeps_a_digit_in_every_half_of_the_sentence() -> None:
    found = verdict(view_of(started("miner", strategy={"kind": "SparseLoCo", "inner_steps": 15})))
    said = replace(found, wire_bytes=400, dense_bytes=32).saving
    assert said.endswith(" 32 B, and 1.2 times less than one such update every step.")


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (-2.5, "-250 %"),
        (-0.163, "-16.3 %"),
        (-0.00012, "-0.012 %"),
        (0, "0 %"),
        (0.163, "16.3 %"),
        (4.83, "483 %"),
    ],
)
def test_a_share_below_zero_reads_as_one_above(share: float, said: str) -> None:
    assert percent(share) == said


def test_an_old_record_does_not_say_of_harm_that_it_came_from_no_training() -> None:
    was = "Tried on data, this update raised the loss by 1.2%: it did not come from training."
    said = str(told(GATED, removed=-0.012, reason=was))
    assert "training" not in said
    assert "raised the loss by 1.2%: an update that does harm is left out." in said


def test_a_run_in_which_no_update_arrived_has_learned_nothing_and_says_why() -> None:
    why = "No miner delivered an update in any round."
    end = e.RunEnded(status="failed", reason=why, block=9, wall_s=1.0)
    alone = e.BaselineEvaluated(round=0, val_loss=3.0, compute_s=0.1)
    events = (started("miner", "miner", "validator"), scored(MINER, "missing"), scored(HONEST, "late"))
    view = view_of(*events, closed(), alone, end)
    found = verdict(view)
    assert found.headline == f"Nothing was learned, 1 round without an update: {why}"
    assert found.sentences()[:1] == [found.headline]
    assert "training together" not in str(found)
    going = view_of(*events, closed())
    assert "None of two strangers takes part" in headline(going).__str__()
    delivered = view_of(*events, replace(closed(), accepted=[[HONEST, "h"]]), scored(HONEST, "gated"), end)
    assert "Nothing was learned" not in verdict(delivered).headline
