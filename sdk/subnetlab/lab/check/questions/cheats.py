"""Exercises of tutorial 4, on attacks: who was refused, clipping to the median, what a cheat earns."""

from collections.abc import Sequence
from statistics import fmean, median
from typing import TYPE_CHECKING, Final

from subnetlab.lab.check.asked import Exercise
from subnetlab.lab.check.kinds import Case, Code, Number, Numbers, Slip, Uids

if TYPE_CHECKING:
    from subnetlab.lab.run import Run


def _refused(run: "Run") -> Uids:
    view = run.view
    refused = {uid for uid, miner in view.miners.items() if 2 * miner.accepted < miner.judged}
    return Uids(value=frozenset(refused), everyone=frozenset(view.miners))


def _case(norms: Sequence[float], words: str) -> Case:
    middle, mean, most = median(norms), fmean(norms), max(norms)
    slips = (
        Slip([min(1.0, mean / n) if n else 1.0 for n in norms], "You cut to the mean: one giant moves it."),
        Slip(
            [middle / n if n else 1.0 for n in norms],
            "Short updates are made longer here: only ever shorten.",
        ),
        Slip([min(n, middle) for n in norms], "These are the norms after clipping; asked are the factors."),
        Slip([n / most for n in norms], "Compare with the median, not with the largest."),
        Slip([max(1.0, n / middle) for n in norms], "The ratio is upside down: longer ones shrink."),
    )
    wanted = [1.0 if n <= middle else middle / n for n in norms]
    kept = tuple(slip for slip in slips if list(slip.value) != wanted)
    return Case((list(norms),), Numbers(values=wanted, within=1e-6, slips=kept), words)


def _factors() -> Code:
    return Code(
        cases=(
            _case((2, 3, 4, 5, 4_000), "the norms [2, 3, 4, 5, 4000]"),
            _case((1, 1, 1), "three equal norms"),
            _case((10, 1, 2, 9), "an even number of norms in no order"),
            _case((0, 1, 2), "a norm of 0"),
            _case((7,), "a single update"),
        )
    )


def _business() -> Number:
    seat, honest, epochs = 0.4, 0.05, 3
    won = epochs * honest / 2
    return Number(
        value=won - seat,
        unit="TAO",
        slips=(
            Slip(won, "That is what it earned; the seat was not free."),
            Slip(epochs * honest - seat, "It is paid half of what an honest miner gets."),
            Slip(honest / 2 - seat, "It is paid for three epochs."),
            Slip(won - epochs * seat, "A seat is paid once."),
        ),
    )


EXERCISES: Final = (
    Exercise(
        number="4.1",
        title="Who was refused?",
        answer=_refused,
        look="Group the judgements by uid and look at the share of accepted rounds, as in part 1.",
        why="You read it from judgements alone, as anybody can who was not told who the attackers are.",
        needs=("run",),
    ),
    Exercise(
        number="4.2",
        title="Clip to the median",
        answer=_factors,
        look="Part 2 gives the rule in one line.",
        why="However large an update is, it now counts no more than the median one.",
    ),
    Exercise(
        number="4.3",
        title="Cheating as a business",
        answer=_business,
        look="What it earned in all, less what the seat cost.",
        why="A price on seats makes it costly to be caught, and to come back under another name.",
    ),
)
