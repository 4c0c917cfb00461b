"""Exercises of tutorial 6, on proof: what samples find, a broken chain of hashes, what a forger lacks."""

import hashlib
from collections.abc import Sequence
from typing import Final

from subnetlab.lab.check.asked import Exercise
from subnetlab.lab.check.kinds import Case, Code, Number, Slip, Word


def _found() -> Number:
    cheated, chance = 5, 0.1
    missed = (1 - chance) ** cheated
    return Number(
        value=1 - missed,
        unit="share",
        close=2e-3,
        slips=(
            Slip(
                cheated * chance,
                "Chances do not add up so: eleven rounds would give more than 1.",
            ),
            Slip(missed, "That is how likely it is that none of them is replayed."),
            Slip(chance, "That is the chance of one round; there are five."),
            Slip(chance**cheated, "That is the chance that all five are replayed; one is enough."),
            Slip(cheated * chance * (1 - chance) ** 4, "That is exactly one; two or more find it as well."),
        ),
    )


def _chained(lines: Sequence[str]) -> list[str]:
    hashes: list[str] = []
    before = ""
    for line in lines:
        before = hashlib.sha256((before + line).encode()).hexdigest()
        hashes.append(before)
    return hashes


def _case(lines: Sequence[str], changed: int, words: str) -> Case:
    hashes, told = _chained(lines), list(lines)
    if changed >= 0:
        told[changed] += "0"
    last = len(lines) - 1
    slips = [
        Slip(changed + 1, "You are one off: places count from 0."),
        Slip(last, "That is the last one that does not fit; asked is the first."),
        Slip(len(lines) - changed, "That is how many do not fit."),
    ]
    kept = tuple(slip for slip in slips if slip.value != changed)
    return Case((told, hashes), Number(value=changed, close=0, within=0.1, slips=kept), words)


def _broken() -> Code:
    return Code(
        cases=(
            _case(("a", "b", "c", "d"), 1, "four lines of which the second was changed"),
            _case(("a", "b", "c"), 0, "three lines of which the first was changed"),
            _case(("a", "b", "c", "d", "e"), 4, "five lines of which the last was changed"),
            _case(("a", "b"), -1, "two lines that all fit"),
            _case((), -1, "no lines at all"),
        )
    )


def _forger() -> Word:
    return Word(
        value="the chain",
        wrong={
            "nothing": "Something is kept where the forger cannot write.",
            "the record": "The record lies on the disk, and its hashes were made anew.",
            "the model": "The model was computed anew from the changed payload, so it fits.",
        },
    )


EXERCISES: Final = (
    Exercise(
        number="6.1",
        title="How surely do samples find a cheat?",
        answer=_found,
        look="How likely is it that all five are missed?",
        why="And with twenty cheated rounds it would be nearly nine in ten.",
    ),
    Exercise(
        number="6.2",
        title="The first broken link",
        answer=_broken,
        look="`chained` in part 3 makes the hashes that the lines should have.",
        why="This is what `verify` does with the record, line by line.",
    ),
    Exercise(
        number="6.3",
        title="What a forger lacks",
        answer=_forger,
        look="The last paragraph before part 3.",
        why="A commitment in a block, signed by its miner, is out of the forger's reach.",
    ),
)
