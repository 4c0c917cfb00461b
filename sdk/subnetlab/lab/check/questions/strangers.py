"""Exercises of tutorial 0: who was refused, how small a message is, and what a minority can lift."""

from statistics import fmean
from typing import TYPE_CHECKING, Final

from subnetlab.lab.check.asked import Exercise
from subnetlab.lab.check.kinds import Number, Slip, Uids, Word

if TYPE_CHECKING:
    from subnetlab.lab.run import Run


def refused(run: "Run") -> Uids:
    """The miners whose work validators took in less than half of their rounds."""
    view = run.view
    found = {uid for uid, miner in view.miners.items() if 2 * miner.accepted < miner.judged}
    return Uids(value=frozenset(found), everyone=frozenset(view.miners))


def _smaller(run: "Run") -> Number:
    view = run.view
    sizes = [one.wire_bytes for miner in view.miners.values() for one in miner.mined.values()]
    size = fmean(sizes) if sizes else 1.0
    steps = view.inner_steps
    return Number(
        value=view.dense_bytes / size,
        close=0.08,
        slips=(
            Slip(
                view.dense_bytes / size * steps,
                "That compares with an update after every step, not every round.",
            ),
            Slip(
                view.dense_bytes * len(view.mining) / size,
                "Compare one miner's update with one miner's message.",
            ),
            Slip(view.dense_bytes - size, "That is how many bytes less; asked is how many times."),
        ),
    )


def _lifted() -> Word:
    return Word(
        value="nothing",
        wrong={
            "everything": "The friend has one admirer; the chain asks what most of the stake agrees on.",
            "40 per cent": "That would be an average. The chain takes what most of the stake agrees on.",
        },
    )


EXERCISES: Final = (
    Exercise(
        number="0.1",
        title="Who was refused?",
        answer=refused,
        look="For each uid, the share of rows whose verdict is `accepted`.",
        why="You found them as the validators did: by what their updates do, not by how they look.",
        needs=("run",),
    ),
    Exercise(
        number="0.2",
        title="How small is a message?",
        answer=_smaller,
        look="The mean of `dense_bytes`, divided by the mean of `wire_bytes`.",
        why="Nearly everything was thrown away on purpose; tutorial 3 shows why that works.",
        needs=("run",),
    ),
    Exercise(
        number="0.3",
        title="What a minority can lift",
        answer=_lifted,
        look="The part below the two explanations says what the chain takes.",
        why="Below half of the stake a validator can lift nobody; tutorial 1 has the arithmetic.",
    ),
)
