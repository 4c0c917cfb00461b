"""What a person may give as a function, and the sentence for what may not be."""

import functools
import json
import subprocess
import sys
from typing import Any

import pytest

import subnetlab as sl
from subnetlab.answers.functions import check_miner, check_tasks, check_validator, takes_random
from subnetlab.errors import ArgumentInvalid


def test_a_marked_function_is_the_function_itself() -> None:
    def add(task: dict[str, int]) -> int:
        return task["a"] + task["b"]

    def judge(task: dict[str, int], answer: int) -> float:
        return float(answer == 3)

    assert sl.miner(add) is add
    assert sl.validator(judge) is judge
    assert judge({}, add({"a": 1, "b": 2})) == 1.0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (3, "answer is an int and no function"),
        (None, "answer is None and no function"),
        (dict, "answer is the class dict and no function"),
        (lambda: 1, "cannot be called with one argument: too many positional"),
        (lambda a, b: 1, "cannot be called with one argument: missing a required argument: 'b'"),
    ],
)
def test_what_is_no_miners_function_is_refused(given: Any, said: str) -> None:
    with pytest.raises(ArgumentInvalid, match=said) as raised:
        check_miner(given)
    assert "def answer(task)" in raised.value.hint


def test_a_function_that_returns_later_is_refused() -> None:
    async def later(task: Any) -> int:
        return 1

    def each(task: Any) -> Any:
        yield 1

    for given in (later, each, functools.partial(later)):
        with pytest.raises(ArgumentInvalid, match="async or yields"):
            sl.miner(given)


def test_a_judge_takes_a_task_an_answer_and_random_numbers_if_it_asks() -> None:
    def plain(task: Any, answer: Any) -> float:
        return 1.0

    def drawing(task: Any, answer: Any, random: Any) -> float:
        return random.random()

    def named(task: Any, answer: Any, *, random: Any) -> float:
        return random.random()

    def three(task: Any, answer: Any, more: Any) -> float:
        return 1.0

    for judge in (plain, drawing, named):
        check_validator(judge)
    assert [takes_random(judge) for judge in (plain, drawing, named)] == [False, True, True]
    with pytest.raises(ArgumentInvalid, match="two arguments: missing a required argument: 'more'"):
        sl.validator(three)
    with pytest.raises(ArgumentInvalid, match="one argument"):
        check_tasks(lambda: 1)


def test_compiled_functions_are_taken_as_they_are() -> None:
    check_miner(len)
    check_validator(max)
    assert not takes_random(max)


def test_functions_in_the_wrong_order_are_told_apart() -> None:
    @sl.miner
    def add(task: Any, more: Any = None) -> int:
        return 1

    with pytest.raises(ArgumentInvalid, match="judge is a function of the miner") as raised:
        check_validator(add)
    assert "subnet.run(answer, judge" in raised.value.hint


def test_marking_a_function_loads_nothing_heavy() -> None:
    code = "import subnetlab as sl, sys, json; sl.miner(len); print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "numpy", "bittensor"} & set(json.loads(done.stdout))
