"""Exercises of the course: what a wrong answer is told, never the right one, and what is kept."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import subnetlab as sl
from subnetlab.errors import AnswerWrong, ArgumentInvalid
from subnetlab.lab.check import kinds
from subnetlab.lab.check.kinds import Case, Code, Judged, Number, Numbers, Slip, Uids, Word
from subnetlab.lab.check.questions import EXERCISES

check = sl.check


@pytest.fixture(autouse=True)
def _no_grader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)


def said(kind: kinds.Kind, given: object) -> str:
    judged = kind.judge(given)
    assert judged is not None
    assert not judged.right
    return judged.slip


def right(kind: kinds.Kind, given: object) -> bool:
    judged = kind.judge(given)
    return judged is not None and judged.right


@pytest.mark.parametrize(
    ("given", "slip"),
    [
        (2_500_000_000, "unit"),
        (2.5e18, "unit"),
        (-2.5, "sign"),
        (0.4, "inverse"),
        (3.0, "misconception"),
        ("2.5", "type"),
        (True, "type"),
        ([2.5], "type"),
        (float("nan"), "type"),
        (1e999, "type"),
    ],
)
def test_a_wrong_number_is_told_its_nearest_mistake(given: object, slip: str) -> None:
    kind = Number(value=2.5, unit="TAO", slips=(Slip(3.0, "that counts the fee twice"),))
    assert said(kind, given) == slip


def test_a_number_may_come_from_any_library_and_is_compared_with_some_room() -> None:
    import numpy as np
    import torch

    kind = Number(value=2.5)
    assert all(right(kind, given) for given in (2.5, np.float32(2.5), torch.tensor(2.5), 2.5001))
    assert kind.judge(2.6) is None
    assert kind.judge(torch.tensor([2.5, 1.0])) is not None


def test_counts_shares_and_nothing() -> None:
    assert said(Number(value=12, whole=True), 13) == "off by one"
    assert said(Number(value=0.3, unit="share"), 30) == "unit"
    assert said(Number(value=0.3, unit="share"), 0.7) == "complement"
    assert right(Number(value=0.0), 0.0)
    assert Number(value=0.0, unit="TAO").judge(1.0) is None


def test_several_numbers_are_told_order_missing_division_and_what_is_right_so_far() -> None:
    kind = Numbers(values={4: 0.5, 5: 0.3, 6: 0.2}, sums_to_one=True)
    assert right(kind, {4: 0.5, 5: 0.3, 6: 0.2})
    assert said(kind, {4: 0.3, 5: 0.5, 6: 0.2}) == "order"
    assert said(kind, {4: 5.0, 5: 3.0, 6: 2.0}) == "not divided by the sum"
    assert said(kind, {4: 0.5, 5: 0.4, 6: 0.1}) == "some"
    assert said(kind, [0.5, 0.3, 0.2]) == "places"
    assert said(kind, "0.5") == "type"
    assert said(kind, {4: 0.5, 5: None, 6: 0.2}) == "type"
    assert right(Numbers(values=[1.0, 2.0]), (1, 2))


def test_uids_and_words() -> None:
    kind = Uids(value=frozenset({3, 5}), everyone=frozenset({1, 3, 5}))
    assert right(kind, [5, 3])
    assert said(kind, 1) == "complement"
    assert said(kind, [3]) == "some"
    assert said(kind, ["3"]) == "type"
    assert said(kind, "35") == "type"
    word = Word(value="median", wrong={"mean": "an outlier moves it"})
    assert right(word, " Median ")
    assert said(word, "mean") == "misconception"
    assert said(word, 3) == "type"


def test_a_function_is_tried_on_copies_and_its_own_error_is_shown() -> None:
    kind = Code(cases=(Case(([3, 1, 2],), Number(value=3), "three numbers"),))

    def spoils(values: list[int]) -> int:
        values.sort()
        return values[-1]

    assert right(kind, spoils)
    assert right(kind, spoils)
    assert said(kind, lambda _values: None) == "type"
    assert said(kind, max([1])) == "type"
    assert said(kind, lambda _values: -3) == "sign"
    with pytest.raises(ZeroDivisionError) as raised:
        kind.judge(lambda _values: 1 / 0)
    assert raised.value.__notes__ == ["The exercise called your function with three numbers."]


def test_every_misconception_of_the_course_is_wrong_and_no_sentence_holds_the_answer() -> None:
    numbers = [one for one in EXERCISES.values() if not one.needs]
    assert numbers
    for one in numbers:
        kind = one.answer()
        if isinstance(kind, Number):
            assert all(not kind._is(float(slip.value), kind.value) for slip in kind.slips), one.number
            told = [one.look, *(slip.said for slip in kind.slips)]
            assert all(f"{kind.value:g} " not in f"{text} ".replace(".", " .") for text in told), one.number


def test_numbers_of_exercises_are_in_order_and_have_all_their_words() -> None:
    assert list(EXERCISES) == sorted(EXERCISES)
    for number, one in EXERCISES.items():
        assert number == one.number
        assert one.title
        assert one.look.endswith((".", "?"))
        assert one.why.endswith(".")


def test_what_is_not_answered_is_no_try_and_what_is_kept_is_no_answer(home: Path) -> None:
    assert not check.exercise("1.1", None)
    assert not check.exercise("1.1", ...)
    assert check.report(1).rows[0].state == "not tried"
    assert not check.exercise("1.1", 0.445)
    assert check.exercise("1.1", 0.5)
    assert check.exercise("1.1", 0.5)
    found = check.report(1)
    assert (found.right, found.rows[0].tries, found.rows[0].right_at) == (1, 3, 2)
    assert found.frame()["right_at"].to_list()[0] == 2
    log = home / "exercises.jsonl"
    assert {name for line in log.read_text().splitlines() for name in json.loads(line)} == {
        "exercise", "right", "slip", "at"
    }  # fmt: skip
    assert log.stat().st_mode & 0o077 == 0
    with log.open("ab") as file:
        file.write(b'not json\n{"exercise": 3}\n[]\n\xff\n')
    assert check.report(1) == found


def _as_given(wish: list[float], memory: list[float], k: int) -> list[float] | None:
    return None


def _documented(wish: list[float], memory: list[float], k: int) -> list[float] | None:
    """What is sent."""
    return None


def _dots(wish: list[float], memory: list[float], k: int) -> list[float] | None: ...


def _not_written(wish: list[float], memory: list[float], k: int) -> list[float]:
    raise NotImplementedError


def _not_written_yet(wish: list[float], memory: list[float], k: int) -> list[float]:
    raise NotImplementedError("write me")


def _passes(wish: list[float], memory: list[float], k: int) -> None:
    pass


@pytest.mark.parametrize("stub", [_as_given, _dots, _documented, _not_written, _not_written_yet, _passes])
def test_a_function_as_the_notebook_gives_it_is_no_try(
    stub: Callable[..., object], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Not answered yet: write the function" in str(check.exercise("3.2", stub))
    assert [row.state for row in check.report(3).rows if row.number == "3.2"] == ["not tried"]
    assert not (home / "exercises.jsonl").exists()
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    with pytest.raises(AnswerWrong, match="Not answered yet"):
        check.exercise("3.2", stub)


def test_a_function_that_does_anything_is_a_try(home: Path) -> None:
    def begun(wish: list[float], memory: list[float], k: int) -> None:
        _ = wish + memory

    no_source: dict[str, Any] = {}
    exec("def send(wish, memory, k): return None", no_source)
    for answer in (begun, lambda _wish, _memory, _k: None, no_source["send"]):
        assert "it returns None: is there a `return`?" in str(check.exercise("3.2", answer))
    assert [row.tries for row in check.report(3).rows if row.number == "3.2"] == [3]


@pytest.mark.parametrize("tutorial", [77, -1, "none"])
def test_a_report_of_no_tutorial_is_refused(tutorial: object) -> None:
    with pytest.raises(ArgumentInvalid, match=r"There is no tutorial .* There are 0 to 9"):
        check.report(tutorial)  # pyright: ignore[reportArgumentType] - as a student types it


def test_a_home_that_takes_nothing_stops_no_lesson(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = home / "file"
    blocked.write_text("")
    monkeypatch.setenv("SUBNETLAB_HOME", str(blocked / "below"))
    assert check.exercise("1.1", 0.5)
    assert check.report().right == 0


def test_a_grader_sees_a_wrong_answer_as_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert check.exercise("1.1", 0.5)
    for answer in (None, 0.3):
        with pytest.raises(AnswerWrong, match=r"Exercise 1\.1: not yet"):
            check.exercise("1.1", answer)


def test_an_exercise_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(ArgumentInvalid, match=r"There are 1\.1, 1\.2, 1\.3"):
        check.exercise("1.9", 1)
    with pytest.raises(ArgumentInvalid, match="no exercise"):
        check.exercise("hello", 1)
    with pytest.raises(ArgumentInvalid, match="is a word"):
        check.exercise(1.1, 1)  # type: ignore[arg-type]


def test_a_judged_answer_reads_as_a_sentence() -> None:
    found = check.exercise("1.1", 50)
    assert "right amount in per cent" in str(found)
    assert "not yet" in found._repr_html_()
    assert Judged(right=True, said="").slip == ""
