"""The exercises of the course, one file a tutorial; `EXERCISES` has them all by their number, in order."""

from typing import Final

from subnetlab.lab.check.asked import Exercise
from subnetlab.lab.check.questions import (
    cheats,
    costs,
    failures,
    gradients,
    network,
    own,
    proof,
    stake,
    strangers,
    worth,
)

EXERCISES: Final[dict[str, Exercise]] = {
    one.number: one
    for chapter in (strangers, worth, stake, gradients, cheats, failures, proof, costs, own, network)
    for one in chapter.EXERCISES
}
