"""Exercises of tutorial 1, on consensus: a weighted median, the student's own code for it, and its price."""

from collections.abc import Sequence
from statistics import fmean, median
from typing import Final

from subnetlab.lab.check.asked import Exercise
from subnetlab.lab.check.kinds import Case, Code, Number, Slip
from subnetlab.yuma import vectors
from subnetlab.yuma.fixed import I32F32

STAKES: Final = (40.0, 25.0, 20.0, 15.0)
"""Of four validators, as the notebook gives them."""
WEIGHTS: Final = (0.5, 0.2, 0.3, 0.9)
"""What they gave one miner."""
_HALF: Final = I32F32.ratio(32_767, 65_535)
_ONE: Final = I32F32.one


def consensus(stakes: Sequence[float], weights: Sequence[float]) -> float:
    """The chain's consensus on one miner: the largest weight that half of the stake supports."""
    column = [[(0, round(weight * _ONE))] for weight in weights]
    voting = [round(stake * _ONE) for stake in stakes]
    return vectors.consensus_weights(voting, column, _HALF)[0] / _ONE


def _by_hand() -> Number:
    total = sum(STAKES)
    mean = sum(s * w for s, w in zip(STAKES, WEIGHTS, strict=True)) / total
    return Number(
        value=consensus(STAKES, WEIGHTS),
        unit="share",
        slips=(
            Slip(
                mean, "That is the mean weighted by stake. Consensus is no mean: an outlier must not move it."
            ),
            Slip(fmean(WEIGHTS), "That is the plain mean: it forgets the stake, and an outlier moves it."),
            Slip(
                median(WEIGHTS), "That is the plain median: each validator counts by its stake, not by one."
            ),
            Slip(max(WEIGHTS), "Only 15 of 100 support a weight this large."),
            Slip(min(WEIGHTS), "All of the stake supports this one; a larger weight has half of it, too."),
            Slip(
                WEIGHTS[2],
                "More than half of the stake supports it, but a larger weight has half of it, too.",
            ),
        ),
    )


def _case(stakes: Sequence[float], weights: Sequence[float], words: str) -> Case:
    slips = (
        Slip(median(weights), "That would be the plain median: count by stake."),
        Slip(
            sum(s * w for s, w in zip(stakes, weights, strict=True)) / sum(stakes),
            "That would be the mean by stake: an outlier moves it.",
        ),
        Slip(max(weights), "Sort the weights from the largest down before you add up stakes."),
        Slip(min(weights), "Stop at the first weight with half of the stake, coming from the largest."),
    )
    wanted = Number(value=consensus(stakes, weights), close=1e-6, slips=slips)
    return Case((list(stakes), list(weights)), wanted, words)


def _own_code() -> Code:
    return Code(
        cases=(
            _case((50, 30, 20), (0.2, 0.2, 0.9), "stakes [50, 30, 20] and weights [0.2, 0.2, 0.9]"),
            _case((20, 30, 50), (0.9, 0.3, 0.1), "the validators in another order of stake"),
            _case((1, 1, 1, 1, 6), (0.9, 0.8, 0.7, 0.6, 0.1), "four small validators against one large one"),
            _case((50, 50), (0.8, 0.4), "two validators of exactly half each"),
            _case((300, 200, 100), (0.0, 0.25, 0.5), "stakes that do not sum to one, and a zero weight"),
            _case((7,), (0.35,), "a single validator"),
        )
    )


def _price() -> Number:
    others, own = 300.0 + 200.0, 100.0
    need = others - own
    return Number(
        value=need,
        unit="α",
        slips=(
            Slip(others, "That is what it must hold in all; it holds 100 α already."),
            Slip(
                (others + own) / 2 - own, "Its own new stake raises the total as well: half of the new total."
            ),
            Slip(
                (others + own) / 2,
                "That is half of today's total; its own new stake raises the total as well.",
            ),
            Slip(
                300.0 - own, "That makes it as large as the largest; the other two together still hold more."
            ),
        ),
    )


EXERCISES: Final = (
    Exercise(
        number="1.1",
        title="Consensus by hand",
        answer=_by_hand,
        look="Sort the weights from the largest down and add up the stake behind each, as in part 3.",
        why="One validator with 15 % gave 0.9, and the result does not notice: so works a median.",
    ),
    Exercise(
        number="1.2",
        title="Consensus as code",
        answer=_own_code,
        look="Part 3 does it in words; `sorted(zip(weights, stakes), reverse=True)` is a start.",
        why="Your function agrees with the chain's own fixed-point mathematics on every case.",
    ),
    Exercise(
        number="1.3",
        title="The price of lifting a friend alone",
        answer=_price,
        look="New stake counts twice: in what it holds, and in the total.",
        why="Lifting a friend costs as much stake as all the honest hold together: that is the protection.",
    ),
)
