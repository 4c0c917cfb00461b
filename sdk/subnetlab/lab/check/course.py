"""Every exercise of the course by its number, in order."""

from typing import Final

from subnetlab.lab.check.asked import Exercise
from subnetlab.lab.check.questions import cheats, failures, stake, worth

EXERCISES: Final[dict[str, Exercise]] = {
    one.number: one for chapter in (worth, stake, cheats, failures) for one in chapter.EXERCISES
}
