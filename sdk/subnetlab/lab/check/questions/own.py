"""Exercises of tutorial 8, on one's own model: parameters, the share to beat, a loss with a ceiling."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from subnetlab.lab.check.asked import Exercise
from subnetlab.lab.check.kinds import Case, Code, Number, Numbers, Slip

if TYPE_CHECKING:
    import polars as pl

_INTO, _WIDE, _OUT = 11, 32, 2


def _parameters() -> Number:
    weights = _INTO * _WIDE + _WIDE * _OUT
    whole = weights + _WIDE + _OUT
    return Number(
        value=whole,
        close=0,
        within=0.1,
        whole=True,
        slips=(
            Slip(weights, "Each layer also has a bias for each of its outputs."),
            Slip(4 * whole, "That is their size in bytes."),
            Slip(_INTO + _WIDE + _OUT, "A layer has a weight from each input to each output: multiply."),
            Slip(_INTO * _WIDE + _WIDE, "There is a second layer."),
            Slip(whole + _WIDE, "ReLU has no parameters."),
        ),
    )


def _common(functions: "pl.DataFrame") -> Number:
    counts = functions["answers"].value_counts()["count"].to_list()
    share = max(counts) / sum(counts)
    return Number(
        value=share,
        unit="share",
        close=5e-3,
        slips=(
            Slip(max(counts), "That is how many; asked is which share of all."),
            Slip(0.5, "Two classes, but not equally many of each."),
            Slip(max(counts) / min(counts), "Divide by all rows, not by the other class."),
        ),
    )


def _case(outputs: Sequence[float], targets: Sequence[float], words: str) -> Case:
    import torch  # noqa: PLC0415  (loaded where a student's function takes tensors)

    errors = [abs(o - t) for o, t in zip(outputs, targets, strict=True)]
    right = [min(1.0, error) for error in errors]
    slips = (
        Slip(errors, "Nothing is capped: an outlier counts as much as it likes."),
        Slip([error**2 for error in errors], "That is the squared error."),
        Slip([min(1.0, error**2) for error in errors], "That is the squared error, capped."),
        Slip(
            [min(1.0, o - t) for o, t in zip(outputs, targets, strict=True)],
            "An error downwards counts, too.",
        ),
        Slip([max(1.0, error) for error in errors], "At most 1, not at least."),
    )
    kept = tuple(slip for slip in slips if list(slip.value) != right)
    given = (torch.tensor(outputs), torch.tensor(targets))
    return Case(given, Numbers(values=right, within=1e-5, slips=kept), words)


def _capped() -> Code:
    return Code(
        cases=(
            _case((0.5, 2.0, -3.0), (0.0, 2.25, 3.0), "outputs [0.5, 2, −3] and targets [0, 2.25, 3]"),
            _case((0.0, -0.5), (0.75, 0.0), "outputs that are too low"),
            _case((4.0,), (4.0,), "one item that is right"),
        )
    )


EXERCISES: Final = (
    Exercise(
        number="8.1",
        title="How many parameters?",
        answer=_parameters,
        look="Each layer: inputs times outputs, and one more for each output.",
        why="And as many numbers are in every update that is not compressed.",
    ),
    Exercise(
        number="8.2",
        title="The share to beat",
        answer=_common,
        look="Count the more common class and divide by all rows.",
        why="A model that is no better than this has learned nothing, however good the number looks.",
        needs=("functions",),
    ),
    Exercise(
        number="8.3",
        title="A loss with a ceiling",
        answer=_capped,
        look="One number for each item; `clamp` cuts a tensor at a largest value.",
        why="Now one wild row counts no more than any other that is off by one.",
    ),
)
