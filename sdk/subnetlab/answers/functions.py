"""The two functions of a subnet as a person writes them, and what is wrong with one, said in a sentence.

A function is looked at, never called here. Loads nothing heavy: the process that runs a function imports
this.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any, Final, TypeVar

from subnetlab.errors import ArgumentInvalid
from subnetlab.text import kind_of

Function = TypeVar("Function", bound=Callable[..., Any])

RANDOM: Final = "random"
"""The parameter by which a judge asks for random numbers that no miner knew while it answered."""
_ROLE: Final = "__subnetlab_role__"
_HOW: Final = {
    "miner": "def answer(task): …",
    "validator": "def judge(task, answer): …  # a number from 0 up",
    "tasks": "def make(random): …  # one task, drawn from a random.Random",
}


def miner(function: Function) -> Function:
    """Mark a function as a miner's: it takes a task and returns an answer; both are JSON values.

    It runs in every miner's process, which keeps what the function remembers from round to round, in a folder
    of that miner's own.

    Raises:
        ArgumentInvalid: it is no function of one task.

    Example:
        >>> @miner
        ... def add(task):
        ...     return task["a"] + task["b"]
        >>> add({"a": 1, "b": 2})
        3
    """
    return _marked(function, "miner")


def validator(function: Function) -> Function:
    """Mark a function as a validator's: it takes a task and an answer, and returns what the answer is worth.

    Any finite number from 0 up: a miner is paid by its mean beside that of the others. A third parameter
    called `random` is a `random.Random` from a block that was sealed after all miners had committed: what the
    judge draws from it, no miner could know.

    Raises:
        ArgumentInvalid: it is no function of a task and an answer.

    Example:
        >>> @validator
        ... def judge(task, answer):
        ...     return float(answer == task["a"] + task["b"])
        >>> judge({"a": 1, "b": 2}, 3)
        1.0
    """
    return _marked(function, "validator")


def check_miner(function: object, name: str = "answer") -> None:
    """Whether a miner can run a function.

    Raises:
        ArgumentInvalid: it cannot.
    """
    _check(function, name, "miner", 1)


def check_validator(function: object, name: str = "judge") -> None:
    """Whether a validator can run a function.

    Raises:
        ArgumentInvalid: it cannot.
    """
    _check(function, name, "validator", 2, RANDOM)


def check_tasks(function: object, name: str = "tasks") -> None:
    """Whether tasks can be drawn by a function.

    Raises:
        ArgumentInvalid: they cannot.
    """
    _check(function, name, "tasks", 1)


def takes_random(function: Callable[..., Any]) -> bool:
    """Whether a judge asks for random numbers."""
    try:
        return RANDOM in inspect.signature(function).parameters
    except (TypeError, ValueError):  # compiled code does not say what it takes
        return False


def _marked(function: Function, role: str) -> Function:
    check = check_miner if role == "miner" else check_validator
    check(function, getattr(function, "__name__", role))
    if hasattr(function, "__dict__"):
        vars(function)[_ROLE] = role
    return function


def _check(function: object, name: str, role: str, places: int, optional: str = "") -> None:
    how = _HOW[role]
    if not callable(function) or isinstance(function, type):
        raise ArgumentInvalid(f"{name} is {kind_of(function)} and no function.", hint=f"Give {how}")
    bare = function.func if isinstance(function, functools.partial) else function
    if (
        inspect.iscoroutinefunction(bare)
        or inspect.isgeneratorfunction(bare)
        or inspect.isasyncgenfunction(bare)
    ):
        raise ArgumentInvalid(f"{name} is async or yields; it must return its value.", hint=f"Give {how}")
    marked = getattr(function, _ROLE, role)
    if marked != role:
        raise ArgumentInvalid(
            f"{name} is a function of the {marked}.",
            hint="The miner's comes first, then the validator's: subnet.run(answer, judge, tasks=…).",
        )
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # compiled code does not say what it takes
        return
    given = {optional: None} if optional in signature.parameters else {}
    try:
        signature.bind(*[None] * places, **given)
    except TypeError as error:
        wanted = {1: "one argument", 2: "two arguments"}[places]
        raise ArgumentInvalid(
            f"{name}{signature} cannot be called with {wanted}: {error}.", hint=f"Give {how}"
        ) from None
