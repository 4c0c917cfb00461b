"""How the class does, row by student: from the chain's seats and from the record that an observer keeps.

Folds the record as it grows and reads the seats when asked; nothing is judged here. Blocking calls.
"""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from subnetlab.classroom.students import Student, Students
from subnetlab.network.metagraph import MetagraphSnapshot
from subnetlab.record.events import Scored
from subnetlab.record.line import FILE_NAME
from subnetlab.record.reader import Tail
from subnetlab.record.reasons import UNTRIED
from subnetlab.record.view import RunView

_RECENT: Final = 64
"""Rounds whose details are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One student on the board."""

    student: str
    name: str
    role: str
    """"miner", "validator", or empty before the first round."""
    uid: int | None
    rounds: int
    """In which it took part: judged as a miner, or judging as a validator."""
    standing: str
    """What the validators make of a miner, in words; of a validator, which round it judged last."""
    score: float | None
    """Loss removed on held-out data, relative, mean over the newest rounds; None for a validator."""
    incentive: float
    """Its share of what miners earned in the last epoch, 0 to 1."""
    paid_alpha_rao: int
    """In the whole run."""
    exercises: int
    """That are right, as the class judged them."""
    seen: float
    """Seconds since the epoch."""

    def to_json(self) -> dict[str, Any]:
        """The row in JSON types."""
        return asdict(self)


@dataclass(slots=True)
class Progress:
    """The class's run as far as it is on record."""

    run_folder: Path | None = None
    view: RunView = field(default_factory=lambda: RunView(recent=_RECENT))
    _tail: Tail | None = None
    _judging: dict[int, set[int]] = field(default_factory=dict[int, set[int]])
    """By validator, the rounds in which it judged."""

    def follow(self) -> None:
        """Take in what the record has grown by."""
        if self.run_folder is None:
            return
        if self._tail is None:
            self._tail = Tail(self.run_folder / FILE_NAME)
        for entry in self._tail.entries():
            self.view.add(entry.event)
            if isinstance(entry.event, Scored) and entry.event.verdict != UNTRIED:
                self._judging.setdefault(entry.event.validator, set()).add(entry.event.round)

    def rows(self, students: Students, seats: MetagraphSnapshot) -> list[Row]:
        """One row a student, in the order in which they joined."""
        total = sum(neuron.incentive for neuron in seats.neurons)
        return [self._row(student, seats, total) for student in students]

    def _row(self, student: Student, seats: MetagraphSnapshot, total: int) -> Row:
        neuron = seats.by_hotkey(student.hotkey) if student.hotkey else None
        uid = None if neuron is None else neuron.uid
        plays = "" if uid is None else self.view.seated_as(uid)
        miner = self.view.miners.get(-1 if uid is None else uid)
        judged = 0 if miner is None else miner.judged - miner.missed
        judging = self._judging.get(-1 if uid is None else uid, set())
        if plays == "validator":
            # A seat that validates is judged as a miner that sends nothing, and may have mined before.
            standing, score = self._judges(uid, judging), None
        else:
            standing = "" if uid is None or miner is None else self._standing(uid)
            score = None if miner is None else miner.score
        return Row(
            student=student.id, name=student.name, uid=uid,
            role=plays if plays in ("miner", "validator") else "",
            rounds=len(judging) if plays == "validator" else judged,
            standing=standing, score=score,
            incentive=neuron.incentive / total if neuron is not None and total else 0.0,
            paid_alpha_rao=0 if uid is None else self.view.pay.total(uid),
            exercises=student.passed, seen=student.seen,
        )  # fmt: skip

    def _judges(self, uid: int | None, judging: set[int]) -> str:
        if uid in self.view.gone:
            return self._standing(uid)
        return f"judges, round {max(judging) + 1} last" if judging else "has judged no round yet"

    def _standing(self, uid: int) -> str:
        word, reason = str(self.view.standing(uid)), self.view.reason(uid)
        return f"{word}: {reason}" if reason else word
