"""Picture, dashboard, frames, explanation and resumption say the same of the same record."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from subnetlab.fleet.supervisor.resume_state import read_resume_state
from subnetlab.frames import frame
from subnetlab.lab.replay import open as open_recorded
from subnetlab.record import events as e
from subnetlab.record.line import FILE_NAME
from subnetlab.record.reader import read
from subnetlab.record.verdicts import Standing
from subnetlab.record.view import RunView
from subnetlab.record.writer import RecordWriter
from subnetlab.report.explain import explain
from subnetlab.report.headline import headline
from subnetlab.report.page import run_page
from subnetlab.report.plot import picture
from subnetlab.report.summary import summarise
from subnetlab.report.verdict import verdict
from subnetlab_widgets.dashboard.round_table import CODES, METRICS, ROUND_FIELDS, RoundTable
from tests.project import ROOT
from tests.sdk.lab import story

UID, FIRST, SECOND = 1, 6, 7


def vote(validator: int, word: str, round_: int = 0, uid: int = UID) -> e.Scored:
    return e.Scored(
        validator=validator, uid=uid, round=round_, verdict=word, score=0.01, loss_removed_assigned=0.01,
        loss_removed_held_out=0.01, rating=1.0, weight=1.0, norm=1.0,
        reason="" if word == "accepted" else "why",
    )  # fmt: skip


def closed(lead: int, round_: int = 0) -> e.RoundClosed:
    return e.RoundClosed(
        round=round_, lead=lead, heights=[11, 12, 13, 14], accepted=[], aggregate_hash="", theta_hash="",
        val_loss=4.0, aggregate_s=0.0,
    )  # fmt: skip


GONE = e.PeerGone(uid=UID, reason="killed")
RECORDS: dict[str, tuple[list[e.Event], Standing, str]] = {
    "not judged": ([], Standing.NOT_JUDGED, ""),
    "one refused round": ([vote(FIRST, "gated"), vote(SECOND, "gated")], Standing.REFUSED, "gated"),
    "split, the lead accepted": (
        [vote(FIRST, "accepted"), vote(SECOND, "gated"), closed(FIRST)], Standing.WORKS, "accepted",
    ),
    "split, the lead refused": (
        [vote(FIRST, "accepted"), vote(SECOND, "gated"), closed(SECOND)], Standing.REFUSED, "gated",
    ),
    "split, not closed yet": ([vote(FIRST, "accepted"), vote(SECOND, "gated")], Standing.REFUSED, "gated"),
    "the lead alone refused": (
        [vote(FIRST, "gated"), vote(SECOND, "accepted"), vote(8, "accepted"), closed(FIRST)],
        Standing.WORKS, "accepted",
    ),
    "nothing arrived": ([vote(FIRST, "missing"), vote(SECOND, "missing")], Standing.MISSED, "missing"),
    "gone": ([vote(FIRST, "accepted"), GONE], Standing.GONE, "accepted"),
    "gone and back": (
        [vote(FIRST, "accepted"), GONE, e.PeerReady(uid=UID, pid=3, seconds=0.1)], Standing.WORKS, "accepted",
    ),
}  # fmt: skip


def other_seats(first: e.RunStarted) -> e.RunStarted:
    """The same run beside seats that an earlier one left on the subnet."""
    left = [{"uid": 20, "hotkey": "5left", "role": "other"}, {"uid": 21, "hotkey": "5x", "role": "unknown"}]
    return replace(first, seats=[*first.seats, *left])


def events_of(name: str) -> Iterator[e.Event]:
    yield other_seats(story.started())
    yield e.BlockSealed(number=11, hash="0x", round=0, waited_s=0.1, chain_s=0.1)
    yield from RECORDS[name][0]
    yield story.epoch(18, story.weights())


def written(folder: Path, events: Iterator[e.Event]) -> Path:
    with RecordWriter(folder / FILE_NAME) as record:
        for event in events:
            record.append(event)
    return folder


def board(folder: Path) -> RoundTable:
    first, *rest = [entry.event for entry in read(folder / FILE_NAME) if entry.event is not None]
    assert isinstance(first, e.RunStarted)
    found = RoundTable(first)
    for event in rest:
        found.apply(event)
    return found


def code(found: RoundTable, uid: int) -> float:
    place = len(ROUND_FIELDS) + found.miners.index(uid) * len(METRICS) + METRICS.index("verdict")
    return float(found.row(found.rounds[-1])[place])


@pytest.mark.parametrize("name", RECORDS)
def test_every_projection_says_the_same_of_a_miner(tmp_path: Path, name: str) -> None:
    _, stands, word = RECORDS[name]
    folder, view = written(tmp_path, events_of(name)), RunView()
    for event in events_of(name):
        view.add(event)
    live = board(folder)
    assert view.standing(UID) is stands
    assert code(live, UID) == CODES[stands]
    page = run_page(view, where="", headline=str(headline(view)))
    assert f">{'◆ ' if stands is Standing.REFUSED else ''}{stands}</td>" in page
    rows = frame(folder, "miners").filter(uid=UID).to_dicts()
    assert [row["verdict"] for row in rows] == ([word] if word else [])
    answer = explain(view, UID).answer
    assert {
        Standing.NOT_JUDGED: "judged by no validator",
        Standing.WORKS: "work that validators took",
        Standing.REFUSED: "was refused in 1 of 1 round: why.",
        Standing.MISSED: "nothing there in time in 1 of 1 round",
        Standing.GONE: "left the run (killed)",
    }[stands] in answer
    assert live.status["headline"] in (str(headline(view)).removesuffix("."), "")


@pytest.mark.parametrize("name", RECORDS)
def test_every_projection_says_the_same_of_the_run(tmp_path: Path, name: str) -> None:
    folder, view = written(tmp_path, events_of(name)), RunView()
    for event in events_of(name):
        view.add(event)
    resume, live = read_resume_state(folder / FILE_NAME), board(folder)
    assert view.status() == live.status["state"] == e.RunStatus.RUNNING
    assert live.miners == view.mining == [*story.MINERS, story.FREE_RIDER]
    assert view.peers == list(range(1, 8)), "seats of others are no peers of this run"
    assert resume.unreported(1) == [number for number in range(1) if number not in view.over]
    assert frame(folder, "rounds").height == len(view.over)
    epochs = frame(folder, "epochs")
    assert {uid: int(epochs.filter(uid=uid)["emission_alpha_rao"].sum()) for uid in range(8)} == {
        uid: view.pay.total(uid) for uid in range(8)
    }


def test_every_projection_says_the_same_of_the_baselines(tmp_path: Path) -> None:
    def events() -> Iterator[e.Event]:
        *before, ended = story.story()
        yield from before
        for name, step, steps, loss in (("alone_3x", 12, 12, 2.75), ("ddp", 2, 4, 3.5), ("ddp", 4, 4, 2.25)):
            yield e.BaselineEvaluated(
                round=step - 1, val_loss=loss, compute_s=0.1, baseline=name, step=step, steps=steps, cpu_s=1.0
            )
        yield ended

    folder, view, recent = written(tmp_path, events()), RunView(), RunView(recent=1)
    for event in events():
        view.add(event)
        recent.add(event)
    resume, live, said = read_resume_state(folder / FILE_NAME), board(folder), verdict(view)
    numbers = summarise(view, name="r")
    assert all(resume.measured(name) for name in ("alone", "alone_3x", "ddp"))
    assert recent.baselines.keys() == view.baselines.keys() == numbers["baselines"].keys()
    assert (said.loss_ddp, numbers["val_loss_ddp"]) == (2.25, 2.25)
    last = frame(folder, "baselines").group_by("baseline").last().sort("baseline")
    assert dict(last.select("baseline", "val_loss").iter_rows()) == numbers["baselines"]
    assert float(live.row(4)[ROUND_FIELDS.index("ddp")]) == 2.25
    assert frame(folder, "losses")["alone"].to_list() == list(view.baseline_loss.values())
    drawn = picture(view)
    assert all(label in drawn for label in ("2.25 DDP", "2.75 one alone, 3× steps", "2.50 the subnet"))
    assert said.speed_up is not None
    assert numbers["speed_up"] == said.speed_up.ratio == 3.0
    assert "more than 3 times sooner" in str(headline(view))
    assert live.status["headline"] == str(headline(view)).removesuffix(".")


def test_a_view_that_forgets_old_rounds_says_the_same_as_one_that_keeps_them() -> None:
    whole, recent = RunView(), RunView(recent=2)
    for event in story.story(12):
        whole.add(event)
        recent.add(event)
    assert [recent.standing(uid) for uid in whole.mining] == [whole.standing(uid) for uid in whole.mining]
    assert [recent.pay.total(uid) for uid in whole.peers] == [whole.pay.total(uid) for uid in whole.peers]
    assert recent.over == whole.over
    assert recent.last_closed == whole.last_closed
    assert all(len(recent.miner(uid).votes) <= 2 for uid in whole.mining)


def test_a_height_leads_to_the_round_that_ran_then_however_often_its_opening_was_told() -> None:
    view = RunView()
    find = view.round_at()
    assert find(99) is None
    for number, block in ((0, 11), (2, 21), (1, 17), (1, 15), (1, 18), (2, 19)):
        view.add(e.BlockSealed(number=block, hash="0x", round=number, waited_s=0.0, chain_s=0.0))
    assert [find(height) for height in (10, 11, 14, 15, 18, 19, 21)] == [None, 0, 0, 1, 1, 2, 2]
    *_, closed = (event for event in story.one_round(1) if isinstance(event, e.RoundClosed))
    view.add(replace(closed, heights=[16, 17, 18, 19]))
    assert [find(height) for height in (15, 16)] == [0, 1]


def test_a_recording_of_before_still_opens_and_is_said_alike() -> None:
    run = open_recorded(ROOT / "tests" / "golden" / "recorded_form_1.zip")
    live = board(run.folder)
    assert run.headline == live.status["headline"] + "."
    assert run.headline.startswith("Seven of eight strangers reached")
    assert [code(live, uid) for uid in run.view.mining] == [
        CODES[run.view.standing(u)] for u in run.view.mining
    ]
    assert {run.view.standing(uid) for uid in run.view.honest} == {Standing.WORKS}
    assert {run.view.standing(uid) for uid in run.view.cheating} == {Standing.REFUSED}
    judged = frame(run.folder, "miners")
    assert set(judged.filter(role="free_rider")["verdict"]) == {"gated"}
