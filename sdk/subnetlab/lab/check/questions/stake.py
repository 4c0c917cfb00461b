"""Exercises of tutorial 2, on money: units of both halves, an escrow's refund, a nominator's pay."""

from typing import Final

from subnetlab.lab.check.asked import Exercise
from subnetlab.lab.check.kinds import Number, Slip
from subnetlab.units import RAO_PER_TAO

_WEI: Final = 350_000_000_000_000_000
_WEI_PER_RAO: Final = 10**9


def _units() -> Number:
    return Number(value=_WEI // _WEI_PER_RAO, unit="rao", close=0, within=0.1, whole=True)


def _refund() -> Number:
    budget, miners, rounds = 5 * RAO_PER_TAO, 3, 6
    part = budget // (miners * rounds)
    return Number(
        value=2 * part,
        unit="rao",
        close=0,
        within=0.1,
        whole=True,
        slips=(
            Slip(4 * part, "That is what the miner earned; asked is what comes back."),
            Slip(part, "That is one round's part; two rounds were not earned."),
            Slip(2 * (budget // rounds), "Each miner's job holds a third of the money."),
            Slip(budget // miners, "That is the whole job of one miner."),
            Slip(2 * budget // (miners * rounds), "Almost: round down each part, then count the parts."),
            Slip(budget - 4 * part, "Two other miners were paid in full: count their parts, too."),
        ),
    )


def _nominator() -> Number:
    paid, mine, whole, take = 12.0, 120.0, 300.0, 0.18
    due = paid * mine / whole
    return Number(
        value=due * (1 - take),
        unit="α",
        slips=(
            Slip(due, "That is your part by size; the validator keeps its take of it."),
            Slip(due * take, "That is what the validator keeps of yours."),
            Slip(paid * (1 - take), "That is what is left for all backers together."),
            Slip(paid * (1 - mine / whole) * (1 - take), "That would be the owner's part of the stake."),
            Slip(due - take, "The take is a share of what you earn, not a number of α."),
            Slip(paid * mine / (whole - mine) * (1 - take), "Your 120 α are among the 300 α."),
        ),
    )


EXERCISES: Final = (
    Exercise(
        number="2.1",
        title="Wei and rao",
        answer=_units,
        look="Part 1 says how many of each make one TAO.",
        why="Both halves count the same coins; only the smallest part has another size.",
    ),
    Exercise(
        number="2.2",
        title="What comes back",
        answer=_refund,
        look="Part 2: a third of the money for each miner, in as many equal parts as there are rounds.",
        why="Every rao that went in is either earned or refunded, so the books balance.",
    ),
    Exercise(
        number="2.3",
        title="What a nominator earns",
        answer=_nominator,
        look="Part 4: first your part by size, then the take.",
        why="You earn less than the owner on the same stake, and it runs the machine.",
    ),
)
