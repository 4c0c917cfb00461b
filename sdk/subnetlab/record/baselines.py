"""Baselines by name: how much each may train, and what a record says of it.

A baseline trains the run's model without the subnet, as a run of the same code with its own budget and its
own learning rate schedule. `alone` is one miner with the steps and data of one seat, `alone_3x` the same with
three times the steps (any whole number from 2 to 99), `ddp` one optimizer step a batch on the data of all
honest miners together: synchronous data parallelism. Standard library only.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from subnetlab.record.events import BaselineEvaluated

ALONE: Final = "alone"
DDP: Final = "ddp"
_ALONE: Final = re.compile(r"alone_([2-9]|[1-9][0-9])x")


@dataclass(frozen=True, slots=True)
class Budget:
    """What a baseline may use: `times` the subnet's steps, and all honest miners' data if `joined`."""

    name: str
    times: int = 1
    joined: bool = False

    @property
    def title(self) -> str:
        """How a picture calls it."""
        if self.joined:
            return "DDP"
        return "one alone" if self.times == 1 else f"one alone, {self.times}× steps"


def budget(name: str) -> Budget:
    """The budget behind a baseline's name.

    Raises:
        ValueError: no baseline is called so.
    """
    if name == ALONE:
        return Budget(name)
    if name == DDP:
        return Budget(name, joined=True)
    found = _ALONE.fullmatch(name)
    if found is None:
        raise ValueError(f"no baseline is called {name!r}: there are alone, alone_3x (2 to 99) and ddp")
    return Budget(name, times=int(found[1]))


def known_titles(names: Iterable[str]) -> dict[str, str]:
    """Titles of the baselines among some names; a name of a newer version stays out."""
    titles: dict[str, str] = {}
    for name in names:
        try:
            titles[name] = budget(name).title
        except ValueError:
            continue
    return titles


@dataclass(slots=True)
class BaselineCurve:
    """What a record says of one baseline so far; losses by optimizer steps taken."""

    name: str
    steps: int = 0
    """Optimizer steps in all; 0 until known."""
    losses: dict[int, float] = field(default_factory=dict[int, float])
    cpu_s: float = 0.0
    """Processor seconds of training so far; 0 where the record does not hold them."""

    def add(self, event: BaselineEvaluated, step: int, steps: int) -> None:
        """Take in an evaluation; one of a step that is known already changes its loss alone."""
        if step not in self.losses:
            self.cpu_s += event.cpu_s
        self.losses[step], self.steps = event.val_loss, steps

    @property
    def final(self) -> float | None:
        """The loss after its last step; None while it still trains, or where it was left."""
        return self.losses.get(self.steps)
