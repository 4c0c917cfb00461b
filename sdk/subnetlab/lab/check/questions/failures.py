"""Exercises of tutorial 5, on failures: who led, what a dead validator's weights do, and for how long."""

from typing import TYPE_CHECKING, Final

from subnetlab.lab.check.asked import Exercise
from subnetlab.lab.check.kinds import Number, Slip, Uids
from subnetlab.lab.check.questions.worth import consensus

if TYPE_CHECKING:
    from subnetlab.lab.run import Run

_STAKES: Final = (350.0, 200.0, 100.0)
_GIVEN: Final = (0.0, 0.25, 0.25)


def _last_lead(run: "Run") -> Uids:
    view = run.view
    last = view.closed[max(view.closed)]
    return Uids(value=frozenset({last.lead}), everyone=frozenset(view.uids("validator")))


def _newcomer() -> Number:
    alive = sum(_STAKES[1:]) / sum(_STAKES)
    return Number(
        value=consensus(_STAKES, _GIVEN),
        slips=(
            Slip(0.25, "The dead validator's weights still count, and it holds more than half of the stake."),
            Slip(0.25 * alive, "That is the mean by stake; consensus is a median."),
            Slip(sum(_GIVEN) / 3, "That is a plain mean; consensus is a median by stake."),
            Slip(alive, "That is the share of the living stake: is it half?"),
        ),
    )


def _patience() -> Number:
    hours = 5_000 * 12 / 3_600
    return Number(
        value=hours,
        unit="hours",
        close=5e-3,
        slips=(
            Slip(5_000 / 3_600, "A block takes 12 seconds, not one."),
            Slip(5_000 / 12 / 60, "Multiply by the seconds of a block."),
            Slip(5_000 * 12 / 60 / 24, "60 minutes make an hour; 24 hours a day."),
        ),
    )


EXERCISES: Final = (
    Exercise(
        number="5.1",
        title="Who led at the end?",
        answer=_last_lead,
        look="The column `lead` of the last row of `rounds`.",
        why="Nobody elected it: all peers came to the same validator by the same rule.",
        needs=("run",),
    ),
    Exercise(
        number="5.2",
        title="The word of the dead",
        answer=_newcomer,
        look="Which weight has at least half of the stake behind it, the dead validator's included?",
        why="A majority of the stake that says nothing about a newcomer keeps its pay at nothing.",
    ),
    Exercise(
        number="5.3",
        title="How patient is the chain?",
        answer=_patience,
        look="Blocks times seconds, then hours.",
        why="For most of a day the stake of a dead machine goes on voting.",
    ),
)
