"""A student's function is called where it can do nothing but compute, and judged by what it returns."""

import asyncio
import inspect
import platform
import textwrap

import pytest

from subnetlab.classroom.functions import FunctionFailed, NotCalled, called
from subnetlab.classroom.grading import Grader
from subnetlab.classroom.students import Student
from subnetlab.lab.check.judged import answer_to_json, judge_answer

on_x86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="the filter is for x86-64")


def weighted_median(stakes, weights):
    total = sum(stakes)
    behind = 0
    for weight, stake in sorted(zip(weights, stakes, strict=True), reverse=True):
        behind += stake
        if behind >= total / 2:
            return weight
    return 0.0


def mean(stakes, weights):
    return sum(s * w for s, w in zip(stakes, weights, strict=True)) / sum(stakes)


@on_x86
def test_functions_of_an_exercise_are_judged_by_what_they_return() -> None:
    right = answer_to_json(weighted_median)
    assert judge_answer("1.2", right, called) == (True, "")
    wrong, said = judge_answer("1.2", answer_to_json(mean), called)
    assert (wrong, "the mean by stake" in said) == (False, True)
    assert judge_answer("1.2", answer_to_json(max), called)[0] is None
    assert judge_answer("1.2", {"source": 3, "name": "f"}, called)[0] is None


def test_a_function_of_tensors_is_judged_neither_right_nor_wrong() -> None:
    student = Student(id="s1", name="Ada", token_hash="", seed=0, joined=0, seen=0)
    answer = {"source": "def f(one, other):\n    return one", "name": "f"}
    asyncio.run(Grader().grade(student, "8.3", answer))
    assert student.answers["8.3"].right is None
    assert "tensors" in student.answers["8.3"].said


@on_x86
def test_it_may_use_what_computes() -> None:
    source = """
        import math
        import numpy as np
        def f(values, power):
            return {uid: math.sqrt(value) for uid, value in enumerate(np.array(values) ** power)}
    """
    assert called(textwrap.dedent(source), "f", [[[2, 3], 2]]) == [{"table": [[0, 2.0], [1, 3.0]]}]


@on_x86
@pytest.mark.parametrize(
    "does",
    [
        "open('/etc/passwd').read()",
        "open('/tmp/written', 'w')",
        "__import__('os').listdir('/')",
        "__import__('socket').socket()",
        "__import__('os').fork()",
        "__import__('os').kill(__import__('os').getppid(), 9)",
        "__import__('ctypes').CDLL(None).syscall(59, b'/bin/true', None, None)",
        "[0] * 10**9",
        "print('x' * 10**6, flush=True)",
        "__import__('os').write(1, b'{\"returned\": [1]}')",
        "exit()",
        "1 / 0",
    ],
)
def test_whatever_else_it_does_ends_it_and_is_wrong(does: str) -> None:
    with pytest.raises(FunctionFailed):
        called(f"def f(a):\n    {does}\n    return a", "f", [[1]])


@on_x86
def test_names_of_the_notebook_are_no_fault_of_its() -> None:
    with pytest.raises(NotCalled, match="names of the notebook"):
        called("def f(a):\n    return helper(a)", "f", [[1]])


def test_what_travels_is_in_json_types() -> None:
    import numpy as np

    assert answer_to_json({3: 0.5, 4: np.float64(0.25)}) == {"table": [[3, 0.5], [4, 0.25]]}
    assert answer_to_json((1, "a", None, True, np.array([1, 2]))) == [1, "a", None, True, [1, 2]]
    assert answer_to_json(object()) == {"kind": "object"}
    assert answer_to_json(lambda a: a) == {"kind": "function"}
    told = answer_to_json(mean)
    assert told == {"source": inspect.getsource(mean), "name": "mean"}


def test_answers_that_are_no_answers_are_wrong_and_break_nothing() -> None:
    for answer in (
        "word",
        [],
        {},
        {"table": 3},
        {"table": [[1]]},
        {"table": [[[], 1]]},
        10**400,
        float("nan"),
    ):
        assert judge_answer("1.1", answer, called)[0] is False
    assert judge_answer("0.1", 3, called)[0] is None
