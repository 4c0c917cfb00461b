"""Functions of a subnet that adds two numbers, honest and other; each process that runs one imports this."""

from typing import Any

ADDING = tuple({"a": number, "b": 2 * number} for number in range(10))


def add(task: dict[str, int]) -> int:
    return task["a"] + task["b"]


def judge_sum(task: dict[str, int], answer: Any) -> float:
    return float(answer == task["a"] + task["b"])


def lie(task: dict[str, int]) -> int:
    return 7


def half_right(task: dict[str, int]) -> int:
    return task["a"] + task["b"] if task["a"] % 2 else -1


def hang(task: dict[str, int]) -> int:
    while True:
        pass


def fail(task: dict[str, int]) -> int:
    return task["c"]


def big(task: dict[str, int]) -> str:
    return "x" * 900
