"""What a person reads off a record: verdict, explanation, picture, and the run object around them."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from tests.sdk.lab import story

from subnetlab.errors import RecordCorrupt, RunNotFinished, UnknownRun, UnknownUid
from subnetlab.fleet.run_folder import LOCK_FILE
from subnetlab.fleet.spec import FleetSpec, write_spec
from subnetlab.lab.run import Run
from subnetlab.lab.runs import attach, runs
from subnetlab.record.events import PeerGone, PeerReady, RoundLost, RunEnded, RunInterrupted, Spent
from subnetlab.record.line import FILE_NAME
from subnetlab.record.lock import locked
from subnetlab.record.verdicts import Standing
from subnetlab.record.view import RunView
from subnetlab.record.writer import RecordWriter
from subnetlab.report.consensus import recompute
from subnetlab.report.explain import explain
from subnetlab.report.plot import picture
from subnetlab.report.summary import summarise
from subnetlab.report.verdict import verdict


@contextmanager
def supervised(run: Run) -> Generator[None]:
    """Hold the lock that a living supervisor of the run would hold."""
    with locked(run.folder / LOCK_FILE):
        yield


def told(*args: int, **kwargs: object) -> RunView:
    view = RunView()
    for event in story.story(*args, **kwargs):  # pyright: ignore[reportArgumentType]
        view.add(event)
    return view


# -- verdict ---------------------------------------------------------------------------------------


def test_the_verdict_says_only_what_was_measured() -> None:
    found = verdict(told())
    assert (found.loss_first, found.loss_last, found.loss_baseline) == (4.0, 2.5, pytest.approx(3.2))
    assert found.gain == pytest.approx(0.7)
    assert found.byte_ratio == pytest.approx(4_101_632 / 28_700)
    assert found.chain_wait_share == pytest.approx(0.1)
    assert "all in one room" not in str(found)
    assert "Four of five strangers reached 2.50; one alone would be at 3.20." in str(found)
    assert "143 times less" in str(found)


def test_a_run_that_goes_on_has_not_reached_anything() -> None:
    found = verdict(told(2, ended=False))
    assert not found.finished
    assert found.headline == "Four of five strangers are at 3.50 after 2 rounds; one alone is at 3.87."
    assert "So far training together was worth" in str(found)


def test_losing_is_said_in_the_same_place() -> None:
    view = told()
    view.baseline_loss[3] = 2.4
    assert "In the end training together did not pay off here: it was 0.10 nats per byte worse" in str(
        verdict(view)
    )


def test_before_the_first_round_nothing_is_claimed() -> None:
    view = RunView()
    view.add(story.started())
    found = verdict(view)
    assert found.headline == "No round has closed yet."
    assert found.gain is None
    assert found.byte_ratio is None


def test_the_alone_curve_counts_only_at_the_same_round() -> None:
    view = told()
    del view.baseline_loss[3]
    assert verdict(view).gain is None
    assert "one alone" not in verdict(view).headline


# -- consensus and explanation ---------------------------------------------------------------------


def test_recomputed_consensus_is_what_the_chain_stored() -> None:
    for friend in (None, story.FREE_RIDER):
        found = recompute(story.epoch(20, story.weights(friend)))
        assert found is not None
        assert found.largest_gap < 1e-3
    no_weights = story.epoch(20, {})
    assert recompute(no_weights) is None


def test_the_free_rider_learns_why_it_got_nothing() -> None:
    said = explain(told(), story.FREE_RIDER)
    assert [step.name for step in said.steps] == [
        "work",
        "score",
        "weight",
        "consensus",
        "incentive",
        "emission",
    ]
    assert said.steps[-1].value == "0.000 α"
    text = str(said)
    assert 'refused in 4 of 4 rounds, the last time so: "it removed no loss"' in text
    assert "it removed no loss. So no weight was agreed on" in said.answer
    assert "0 % of the honest median" in said.answer


def test_an_honest_miner_learns_why_it_was_paid() -> None:
    said = explain(told(), 2)
    assert "noise" not in said.answer
    assert "100 % of the honest median" in said.answer
    assert "25.0 %" in said.steps[2].value
    assert "which is what the chain stored" in said.steps[4].sentence


def test_one_validator_cannot_lift_a_friend_and_the_words_say_so() -> None:
    said = explain(told(friend=story.FREE_RIDER), story.FREE_RIDER)
    consensus = said.steps[3]
    assert consensus.value == "0 %"
    assert "Validator 7 had given more in 2 of them" in consensus.sentence


def test_validators_and_the_owner_are_explained_too() -> None:
    said = explain(told(), 6)
    assert "60.0 %" in said.steps[0].value
    assert "judges" in said.answer
    assert "owner" in explain(told(), 0).answer


def test_a_miner_that_left_hears_that_pay_follows_work() -> None:
    view = told()
    view.add(PeerGone(uid=2, reason="killed"))
    assert "left the run (killed)" in explain(view, 2).answer


def test_unknown_uids_and_early_questions() -> None:
    with pytest.raises(UnknownUid, match=r"No peer of this run holds uid 42\. The run's uids: 1, 2, 3"):
        explain(told(), 42)
    with pytest.raises(RunNotFinished, match="first tempo"):
        explain(told(1, ended=False), 2)


# -- picture ---------------------------------------------------------------------------------------


def test_the_picture_holds_both_curves_and_marks_the_caught() -> None:
    view = told()
    drawn = picture(view)
    root = ET.fromstring(drawn)  # well formed
    texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "2.50 the subnet" in texts
    assert "3.20 one alone" in texts
    assert [uid for uid in range(1, 6) if view.standing(uid) is Standing.REFUSED] == [story.FREE_RIDER]
    assert drawn.count("var(--flag)") >= 1
    assert "currentColor" in drawn
    assert len(drawn) < 20_000


@pytest.mark.parametrize("rounds", [0, 1, 2])
def test_an_early_picture_is_a_picture(rounds: int) -> None:
    ET.fromstring(picture(told(rounds, ended=False)))
    ET.fromstring(picture(RunView()))


def test_a_diverged_run_can_still_be_drawn() -> None:
    view = told()
    view.val_loss[2] = float("nan")
    view.val_loss[3] = float("inf")
    ET.fromstring(picture(view))


# -- the run object --------------------------------------------------------------------------------


def test_a_run_reads_its_folder_as_it_grows(tmp_path: Path) -> None:
    events = story.story()
    run = Run(tmp_path / "r1")
    run.folder.mkdir()
    with supervised(run):
        assert run.status == "starting"
        assert not run.ended
    story.write(run.folder, events)
    assert run.status == "finished"
    assert run.round == 4
    assert run.best_validator == "5hotkey6"
    assert run.least_paid == story.FREE_RIDER
    assert run.best_paid in story.MINERS
    assert "finished, round 4 of 4, block 30" in repr(run)


def test_waiting_ends_with_the_run_or_with_patience(tmp_path: Path) -> None:
    done = Run(story.write(tmp_path / "done", story.story()))
    assert done.wait(timeout=0) is done
    going = Run(story.write(tmp_path / "going", story.story(2, ended=False)))
    with supervised(going), pytest.raises(RunNotFinished, match="goes on"):
        going.wait(timeout=0)
    with supervised(going), pytest.raises(RunNotFinished, match=r"run\.wait"):
        going.save(tmp_path / "out")


def test_a_run_whose_supervisor_was_killed_says_what_is_left(tmp_path: Path) -> None:
    run = Run(story.write(tmp_path / "r1", story.story(2, ended=False)))
    assert run.status == "interrupted"
    assert "Stopped in round 3 of 4, at block 18; nothing on record is lost: %sl attach r1" in repr(run)
    with pytest.raises(RunNotFinished, match=r"2 rounds are on record\. sl\.attach\('r1'\) goes on"):
        run.wait()
    with supervised(run):
        assert run.status == "running"


def test_a_stopped_run_says_so(tmp_path: Path) -> None:
    events = [
        *story.story(2, ended=False),
        RunEnded(status="stopped", reason="you asked", block=20, wall_s=5.0),
    ]
    assert "stopped after 2 rounds: you asked" in repr(Run(story.write(tmp_path / "r", iter(events))))


def test_a_changed_record_is_refused(tmp_path: Path) -> None:
    run = Run(story.write(tmp_path / "r1", story.story()))
    record = run.folder / FILE_NAME
    record.write_bytes(record.read_bytes().replace(b"28700", b"99999", 1))
    with pytest.raises(RecordCorrupt):
        run.verdict()


def test_runs_are_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBNETLAB_HOME", str(tmp_path))
    assert "No runs yet" in repr(runs())
    for name in ("abc-1", "abd-2"):
        story.write(tmp_path / "runs" / name, story.story())
    assert {run.id for run in runs()} == {"abc-1", "abd-2"}
    assert attach("abc").id == "abc-1"
    with pytest.raises(UnknownRun, match="2 runs are called 'ab'"):
        attach("ab")
    with pytest.raises(UnknownRun, match="Known runs: ab"):
        attach("zzz")
    with pytest.raises(UnknownRun):
        attach("")


def test_the_summary_has_every_number(tmp_path: Path) -> None:
    run = Run(story.write(tmp_path / "r1", story.story()))
    spent = [
        Spent(what="pay", tx="0x1", amount_rao=5, to="b"),
        Spent(what="stake", tx="0x2", amount_rao=7, to="v"),
        Spent(what="pay", tx="0x3", amount_rao=6, to="b"),
    ]
    found = summarise(run.view, spent, name=run.id)
    assert found["paid"] == {"tx": "0x3", "amount_rao": 6}
    assert found["staked"] == {"tx": "0x2", "amount_rao": 7}
    assert [m["role"] for m in found["miners"]] == ["miner"] * 4 + ["free_rider"] + ["validator"] * 2
    assert sum(m["emission_alpha_rao"] for m in found["miners"]) <= 2 * story.EMISSION
    assert found["blocks"] == 30
    assert found["val_loss_first"] == 4.0
    assert summarise(run.view, name=run.id, initial_loss=5.5)["val_loss_first"] == 5.5


# -- runs that were interrupted --------------------------------------------------------------------


def test_an_interrupted_run_says_why_and_a_lost_round_is_counted_once(tmp_path: Path) -> None:
    events = [
        *story.story(2, ended=False),
        PeerGone(uid=2, reason="killed"),
        RunInterrupted(reason="The chain is gone.", block=18),
    ]
    run = Run(story.write(tmp_path / "r1", iter(events)))
    assert run.headline.endswith("The chain is gone.")
    with RecordWriter(run.folder / FILE_NAME) as record:
        record.append(RoundLost(round=2, reason="It was cut off."))
        record.append(PeerReady(uid=2, pid=9, seconds=1.0))
        for event in (*story.one_round(3), RunEnded(status="finished", reason="", block=30, wall_s=1.0)):
            record.append(event)
    assert (run.status, run.round) == ("finished", 4)
    assert "One round was cut off and left the model as it was." in str(run.verdict())
    assert run.verdict().rounds == 4
    assert 2 not in run.view.gone
    ET.fromstring(run.picture())


def test_attaching_to_what_cannot_go_on_says_why_and_reads_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUBNETLAB_HOME", str(tmp_path))
    left, over = tmp_path / "runs" / "left", tmp_path / "runs" / "over"
    story.write(left, story.story(2, ended=False))
    story.write(over, story.story())
    assert attach("over").note == ""
    assert "no readable fleet.json" in attach("left").note
    spec = FleetSpec(
        endpoint="ws://127.0.0.1:9", network="devnet", is_devnet=True, netuid=2, store="", seats=()
    )
    write_spec(left, spec)
    run = attach("left")
    assert run.note.startswith("It cannot go on: Nothing answers at ws://127.0.0.1:9")
    assert run.note.endswith("What is on record stays readable.")
    write_spec(left, replace(spec, node="0a0b0c0d"))
    assert "The chain of node 0a0b0c0d was not kept." in repr(attach("left"))
    assert run.verdict().rounds == 2
