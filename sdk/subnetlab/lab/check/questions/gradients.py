"""Exercises of tutorial 3, on bytes: what every step costs, error feedback as code, what top-k saves."""

from collections.abc import Sequence
from typing import Final

from subnetlab.lab.check.asked import Exercise
from subnetlab.lab.check.kinds import Case, Code, Number, Numbers, Slip


def _every_step() -> Number:
    parameters, steps = 7e6, 150
    return Number(
        value=4 * parameters * steps,
        unit="bytes",
        slips=(
            Slip(parameters * steps, "A number in fp32 takes 4 bytes."),
            Slip(4 * parameters, "That is one step."),
            Slip(2 * parameters * steps, "That is half precision; fp32 takes 4 bytes a number."),
            Slip(8 * parameters * steps, "fp32 is 32 bits, and a byte has 8 of them."),
        ),
    )


def sent(total: Sequence[float], k: int) -> list[float]:
    """The k entries that are largest in size; zero elsewhere."""
    largest = sorted(range(len(total)), key=lambda i: -abs(total[i]))[:k]
    return [value if i in largest else 0.0 for i, value in enumerate(total)]


def _case(wish: Sequence[float], memory: Sequence[float], k: int, words: str) -> Case:
    both = [w + m for w, m in zip(wish, memory, strict=True)]
    right = sent(both, k)
    signed = sorted(range(len(both)), key=lambda i: -both[i])[:k]
    by_wish = sorted(range(len(both)), key=lambda i: -abs(wish[i]))[:k]
    slips = (
        Slip(sent(wish, k), "The memory is not in it: what was held back is never said."),
        Slip([v if i in signed else 0.0 for i, v in enumerate(both)], "Large downwards is large, too."),
        Slip([v if i in by_wish else 0.0 for i, v in enumerate(both)], "Choose by the sum, not by the wish."),
        Slip(
            [b - s for b, s in zip(both, right, strict=True)],
            "That is what stays behind; asked is what is sent.",
        ),
        Slip(both, "That is everything; only k numbers may be sent."),
    )
    kept = tuple(slip for slip in slips if list(slip.value) != right)
    return Case((list(wish), list(memory), k), Numbers(values=right, within=1e-9, slips=kept), words)


def _feedback() -> Code:
    return Code(
        cases=(
            _case((1.0, 0.2, -0.3), (0.0, 0.9, 0.0), 1, "wish [1, 0.2, −0.3], memory [0, 0.9, 0] and k = 1"),
            _case(
                (0.5, -4.0, 1.0, 3.0), (0.0, 0.0, 0.0, 0.0), 2, "an empty memory and a large number downwards"
            ),
            _case((1.0, 1.5, -2.0), (-0.9, 0.0, 2.5), 1, "a memory that cancels the largest wish"),
            _case((1.0, 2.0), (0.5, 0.5), 2, "k as large as the list"),
        )
    )


def _ratio() -> Number:
    chunk, k, value, position = 4_096, 64, 2, 12
    return Number(
        value=chunk * 32 / (k * (value + position)),
        close=5e-3,
        slips=(
            Slip(chunk * 32 / (k * value), "The positions have to be sent as well."),
            Slip(chunk / k, "That counts numbers; a number in fp32 has 32 bits, one that is sent has 14."),
            Slip(chunk * 4 / (k * (value + position)), "Compare bits with bits: fp32 has 32 of them."),
            Slip(chunk * 32 / (k * position), "The values have to be sent as well."),
            Slip(32 / (value + position), "And 64 are sent instead of 4,096."),
        ),
    )


EXERCISES: Final = (
    Exercise(
        number="3.1",
        title="What every step costs",
        answer=_every_step,
        look="Parameters, times bytes of a number, times steps.",
        why="Gigabytes for a model that fits on a telephone: this is why strangers speak seldom.",
    ),
    Exercise(
        number="3.2",
        title="Error feedback",
        answer=_feedback,
        look="The function `journey` in part 1 does it with tensors.",
        why="What is not sent now waits in the memory and is sent once it has grown large enough.",
    ),
    Exercise(
        number="3.3",
        title="What top-k saves",
        answer=_ratio,
        look="Part 3 counts the bits of 64 numbers.",
        why="The published formula of Templar's compression gives the same number.",
    ),
)
