"""The speed-up of a finished run: interpolated between measured lengths, a bound beyond, never guessed."""

from collections.abc import Mapping
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from subnetlab.record import events as e
from subnetlab.record.view import RunView
from subnetlab.report.animation import animation
from subnetlab.report.comparison import Comparison, Outcome
from subnetlab.report.gap import Gap
from subnetlab.report.headline import headline
from subnetlab.report.plot import picture
from subnetlab.report.speed_up import speed_up
from subnetlab.report.summary import summarise
from subnetlab.report.verdict import Verdict, verdict

ROUNDS, H = 40, 15
STEPS = ROUNDS * H
LADDER = {"alone": 1.8556, "alone_2x": 1.7184, "alone_3x": 1.6337, "alone_4x": 1.5869}
"""What was measured of the demonstration's model, science of 28 November."""
SUBNET = 1.612
ENDED = e.RunEnded(status="finished", reason="", block=99, wall_s=60.0)


def measured(name: str, loss: float, *, step: int = 0, cpu_s: float = 0.0) -> e.BaselineEvaluated:
    times = int(name.removeprefix("alone_").removesuffix("x")) if name.startswith("alone_") else 1
    done = step or STEPS * times
    return e.BaselineEvaluated(
        round=done // H - 1, val_loss=loss, compute_s=1.0, baseline=name, step=done, steps=STEPS * times,
        cpu_s=cpu_s,
    )  # fmt: skip


def run_with(
    finals: Mapping[str, float], *, subnet: float = SUBNET, ended: bool = True, cpu: Mapping[int, float] = {}
) -> RunView:
    seats = [
        {"uid": uid, "hotkey": f"5{uid}", "role": role}
        for uid, role in enumerate(("miner", "miner", "free_rider", "validator"), 1)
    ]
    view = RunView()
    view.add(
        e.RunStarted(
            run_id="r", network="devnet", netuid=1, manifest_hash="", seats=seats, block=1,
            manifest={"rounds": ROUNDS, "strategy": {"kind": "MuLoCo", "inner_steps": H}},
        )
    )  # fmt: skip
    for number in (0, ROUNDS - 1):
        view.add(
            e.RoundClosed(
                round=number, lead=4, heights=[2, 3, 4, 5], accepted=[], aggregate_hash="", theta_hash="",
                val_loss=subnet if number else 3.4, aggregate_s=0.0,
            )
        )  # fmt: skip
    for name, loss in finals.items():
        view.add(measured(name, 3.0, step=H, cpu_s=1.0 if cpu else 0.0))
        view.add(measured(name, loss, cpu_s=9.0 if cpu else 0.0))
    for uid, seconds in cpu.items():
        view.add(e.Phase(uid=uid, round=0, name="synced", until=5, cpu_s=seconds))
    view.add(
        e.Mined(
            uid=1, round=0, loss=3.0, wire_bytes=35_362, dense_bytes=983_000, commitment="c", compute_s=1.0,
            compress_s=0.0, store_s=0.0, wait_s=0.0, chain_s=0.0,
        )
    )  # fmt: skip
    if ended:
        view.add(ENDED)
    return view


def judged(finals: Mapping[str, float], **changes: float) -> Verdict:
    return verdict(run_with(finals, **changes))  # pyright: ignore[reportArgumentType]


def test_steps_are_interpolated_on_a_logarithmic_scale_between_measured_lengths() -> None:
    found = speed_up(run_with(LADDER))
    assert found is not None
    assert (found.steps, found.between, found.bound) == (600, (1800, 2400), "")
    share = (1.6337 - SUBNET) / (1.6337 - 1.5869)
    assert found.needed == pytest.approx(1800 * (2400 / 1800) ** share)
    assert found.ratio == pytest.approx(3.43, abs=0.01)
    assert str(headline(run_with(LADDER))) == (
        "Three of three strangers reached 1.61 in 600 steps; one alone needs about 2,060: 3.4 times sooner."
    ).replace("Three of three", "Three")


def test_beyond_the_longest_length_only_a_bound_is_known_and_said() -> None:
    finals = {name: LADDER[name] for name in ("alone", "alone_3x")}
    found = speed_up(run_with(finals))
    assert found is not None
    assert (found.bound, found.ratio) == ("more", 3.0)
    assert str(headline(run_with(finals))).endswith(
        "reached 1.61 in 600 steps; one alone is not there after 1,800: more than 3 times sooner."
    )


def test_a_subnet_that_one_alone_beats_boasts_of_nothing() -> None:
    found = speed_up(run_with(LADDER, subnet=1.9))
    assert found is not None
    assert (found.bound, found.ratio, found.is_sooner) == ("less", 1.0, False)
    said = judged(LADDER, subnet=1.9).sentences()
    assert said[0].endswith("reached 1.90; one alone would be at 1.86.")
    assert "did not pay off here" in said[1]


@pytest.mark.parametrize(
    ("finals", "ended"),
    [({}, True), ({"ddp": 1.4}, True), ({"alone": float("nan")}, True), (LADDER, False)],
)
def test_nothing_is_said_where_nothing_was_measured_to_its_end(finals: dict[str, float], ended: bool) -> None:
    assert speed_up(run_with(finals, ended=ended)) is None


def test_with_one_alone_of_the_same_steps_only_its_loss_is_said() -> None:
    assert str(headline(run_with({"alone": 1.86}))).endswith("reached 1.61; one alone would be at 1.86.")


def test_a_length_that_did_not_come_to_its_end_counts_for_nothing() -> None:
    view = run_with({"alone": 1.8556})
    view.add(measured("alone_3x", 1.5, step=1500))
    found = speed_up(view)
    assert found is not None
    assert found.needed == 600


def test_an_old_record_without_steps_is_one_length_of_one_alone() -> None:
    view = run_with({})
    for number in range(ROUNDS):
        view.add(e.BaselineEvaluated(round=number, val_loss=3.0 - number / 40, compute_s=0.1))
    found = speed_up(view)
    assert view.baselines["alone"].final == view.baseline_loss[ROUNDS - 1]
    assert found is not None
    assert (found.needed, found.bound) == (600, "more")


def test_the_share_of_the_gap_stands_beside_what_ddp_sends() -> None:
    found = judged({"alone": 1.8556, "ddp": 1.4663})
    assert found.gap_closed == pytest.approx((1.8556 - SUBNET) / (1.8556 - 1.4663))
    said = (
        "DDP on the same data, sending 983.0 kB every step, is at 1.47: the subnet closed 62.6 % of that gap."
    )
    assert said in found.sentences()
    assert (
        "28 times less than the plain update of 983.0 kB, and 417 times less than one such update every step."
        in (found.saving)
    )
    assert str(found).splitlines()[0].split() == ["the", "subnet", "one", "miner", "alone", "DDP"]
    assert "14.7 MB" in str(found), "a round of DDP sends fifteen updates"


@pytest.mark.parametrize(
    ("alone", "ddp", "subnet", "says"),
    [
        (1.8, 1.795, 1.6, "gap is not measurable: alone and DDP differ by less than noise."),
        (1.795, 1.8, 1.9, "gap is not measurable: alone and DDP differ by less than noise."),
        (1.8, 1.9, 1.6, "no better than one alone"),
        (1.8, 1.6, 1.55, "the subnet is not behind it"),
        (1.8, 1.6, 1.9, "the subnet closed none of that gap"),
    ],
)
def test_where_there_is_no_share_the_sentence_says_why(
    alone: float, ddp: float, subnet: float, says: str
) -> None:
    found = judged({"alone": alone, "ddp": ddp}, subnet=subnet)
    assert says in str(found)
    summary = summarise(run_with({"alone": alone, "ddp": ddp}, subnet=subnet), name="r")
    assert (summary["gap_closed"] is None) == bool(summary["gap_closed_why_not"])


def test_the_summary_says_where_its_share_would_be_why_there_is_none() -> None:
    without = summarise(run_with({"alone": 1.8}), name="r")
    assert without["val_loss_ddp"] is without["gap_closed"] is None
    assert "DDP was no baseline" in without["gap_closed_why_not"]


def test_a_comparison_takes_no_share_of_a_gap_that_is_noise() -> None:
    def outcome(name: str, subnet: float, ddp: float) -> Outcome:
        view = run_with({"alone": 0.6543, "ddp": ddp}, subnet=subnet)
        gap = Gap.between(view.baselines["alone"], view.baselines["ddp"])
        return Outcome(name=name, seed=0, run="r", view=view, seconds={}, gap=gap)

    found = Comparison(outcomes=(outcome("close", 0.593, 0.653), outcome("apart", 0.593, 0.5)), unit="nats")
    close, apart = found.frame.to_dicts()
    assert close["gap_closed"] is None, "the curves end 0.0013 apart: a share would be 4,700 %"
    assert apart["gap_closed"] == pytest.approx((0.6543 - 0.593) / (0.6543 - 0.5))
    assert "not measurable" in repr(found).splitlines()[1]
    assert repr(found).splitlines()[-1] == (
        "Gap closed, not measurable: alone and DDP differ by less than noise."
    )


def test_the_saved_picture_says_the_unit_of_its_loss() -> None:
    assert "Loss on held-out data, nats per byte; lower is better" in picture(run_with({"alone": 1.8}))


def test_processor_time_is_said_by_role_and_where_the_subnet_loses() -> None:
    cpu = {1: 30.0, 2: 40.0, 3: 2.0, 4: 8.0}
    ladder = verdict(run_with(LADDER, cpu=cpu))
    alone = 2057 * (20 / 4200)
    assert ladder.cpu_s.peers == 80
    assert ladder.processor_speed_up == pytest.approx(alone / 80, rel=1e-3)
    assert (
        "All peers together took 80 s of processor time (miners 70 s, attackers 2 s and validators 8 s); one"
        " alone takes about 9.8 s to the same loss, 8.2 times less."
    ) in ladder.sentences()
    assert "processor time" in str(ladder)
    bounded = verdict(run_with({"alone_3x": LADDER["alone_3x"]}, cpu=cpu))
    assert "one alone takes more than 10 s to the same loss." in str(bounded)


def test_the_summary_holds_the_new_numbers_beside_the_old_ones() -> None:
    found = summarise(run_with({**LADDER, "ddp": 1.4663}, cpu={1: 10.0}), name="r")
    assert found["speed_up"] == pytest.approx(3.43, abs=0.01)
    assert (found["speed_up_bound"], found["val_loss_ddp"]) == ("", 1.4663)
    assert found["gap_closed"] == pytest.approx(0.6257, abs=1e-3)
    assert found["val_loss_alone"] == LADDER["alone"]
    assert found["baselines"] == {**LADDER, "ddp": 1.4663}
    assert found["processor_s"]["miners"] == 10.0
    assert found["energy_j"] is None


def test_the_picture_draws_each_baseline_with_its_name() -> None:
    view = run_with({"alone": 1.8556, "alone_3x": 1.6337, "ddp": 1.4663})
    words = [
        text.text or "" for text in ET.fromstring(picture(view)).iter("{http://www.w3.org/2000/svg}text")
    ]
    assert [word for word in words if word[:2] == "1." and " " in word] == [
        "1.86 one alone", "1.63 one alone, 3× steps", "1.61 the subnet", "1.47 DDP",
    ]  # fmt: skip
    levels = [
        float(text.attrib["y"])
        for text in ET.fromstring(picture(view)).iter("{http://www.w3.org/2000/svg}text")
        if (text.text or "")[:2] == "1." and " " in (text.text or "")
    ]
    assert min(after - before for before, after in pairwise(levels)) >= 15.9
    assert "one alone, 3× steps" in animation(view)


NOT_THERE = "Of uid 1 the validators say: No commitment of this round is on chain."


@pytest.mark.parametrize(
    ("word", "finished", "says"),
    [("gated", True, "None of two strangers takes part; the model reached 5.22."),
     ("missing", True, f"Nothing was learned, 1 round without an update: {NOT_THERE}"),
     ("missing", False, "None of two strangers takes part; the model is at 5.22 after 1 round.")],
)  # fmt: skip
def test_a_model_that_no_miner_takes_part_in_is_nobodys_success(word: str, finished: bool, says: str) -> None:
    seats = [{"uid": uid, "hotkey": f"5{uid}", "role": "miner"} for uid in (1, 2)]
    view = RunView()
    view.add(
        e.RunStarted(
            run_id="r", network="d", netuid=1, manifest_hash="", manifest={"rounds": 1}, seats=seats, block=1
        )
    )
    view.add(
        e.RoundClosed(
            round=0, lead=4, heights=[2], accepted=[], aggregate_hash="", theta_hash="", val_loss=5.22,
            aggregate_s=0.0,
        )
    )  # fmt: skip
    for uid in (1, 2):
        view.add(e.PeerGone(uid=uid, reason="killed"))
        view.add(
            e.Scored(
                validator=4, uid=uid, round=0, verdict=word, score=0.0, loss_removed_assigned=0.0,
                loss_removed_held_out=0.0, rating=0.0, weight=0.0, norm=0.0,
            )
        )  # fmt: skip
    if finished:
        view.add(ENDED)
    assert str(headline(view)) == says


def test_while_only_baselines_train_the_sentence_says_so() -> None:
    view = run_with({"alone": 1.86}, ended=False)
    for number in range(1, ROUNDS - 1):
        view.add(e.RoundLost(round=number, reason="cut off"))
    assert "Baselines" not in str(headline(view))
    view.add(measured("alone_3x", 1.9, step=1500))
    assert str(headline(view)).endswith("; one alone is at 1.86. Baselines still train.")
    view.add(ENDED)
    assert "Baselines" not in str(headline(view))
