"""What an exercise is: its number and title, how its right answer is found, and where the text helps."""

from collections.abc import Callable
from dataclasses import dataclass

from subnetlab.lab.check.kinds import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Exercise:
    """One exercise; `answer` takes what `needs` names and finds the right answer when it is asked."""

    number: str
    title: str
    answer: Callable[..., Kind]
    look: str
    """Said beside a wrong answer: which part of the notebook helps."""
    why: str
    """Said beside a right one: what it means."""
    needs: tuple[str, ...] = ()
