"""A supervisor's record as a stranger reads it: each line for itself, however the lines before it are.

`record.reader` stops at the first line that does not fit; here reading goes on, so that every altered line
is named and what it claims can still be compared. Lines are hostile: of bounded length, strict JSON,
checked types.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from subnetlab.errors import RecordCorrupt
from subnetlab.record import events as record_events
from subnetlab.record.events import (
    BlockSealed,
    EpochPaid,
    Event,
    Mined,
    PeerGone,
    PeerReady,
    PeersJoined,
    RoundClosed,
    RoundLost,
    RunEnded,
    RunInterrupted,
    RunStarted,
    Scored,
    Stepped,
    WeightsSet,
)
from subnetlab.record.files import open_plain
from subnetlab.record.line import ROOT_HASH, decode
from subnetlab.train.verify.findings import Report

MOST_LINE_BYTES: Final = 4 << 20
"""Of a line; the longest is an epoch's, which holds every weight of a subnet."""
_STATED_HASH: Final = re.compile(rb'"hash":"([0-9a-f]{64})"}$')
MALFORMED: Final = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""What a line can raise whose JSON says something that no event holds."""

Validate = Callable[[Event], None]


def _lists() -> "defaultdict[tuple[int, int], list[Any]]":
    return defaultdict(list)


@dataclass(slots=True)
class Log:
    """The events of a record, by what they are about."""

    started: RunStarted | None = None
    ended: RunEnded | None = None
    seats: list[tuple[int, dict[str, Any]]] = field(default_factory=list[tuple[int, dict[str, Any]]])
    """Each seat with the open block of the first round that counts it."""
    closed: dict[int, RoundClosed] = field(default_factory=dict[int, RoundClosed])
    over: Counter[int] = field(default_factory=Counter[int])
    """How often each round is told as closed or lost."""
    mined: dict[tuple[int, int], list[Mined]] = field(default_factory=_lists)
    """By round and uid; so are the next three, where the uid is the validator's of the last two."""
    stepped: dict[tuple[int, int], list[Stepped]] = field(default_factory=_lists)
    scored: dict[tuple[int, int], list[Scored]] = field(default_factory=_lists)
    weights: dict[tuple[int, int], list[WeightsSet]] = field(default_factory=_lists)
    epochs: list[EpochPaid] = field(default_factory=list[EpochPaid])
    sealed: list[BlockSealed] = field(default_factory=list[BlockSealed])
    starts: Counter[int] = field(default_factory=Counter[int])
    """How often each peer came up."""
    cut: set[int] = field(default_factory=set[int])
    """Peers that were killed or started again: some of their lines may honestly be missing."""
    interrupted: bool = False
    miners_cpu_s: float = 0.0
    lines: int = 0
    whole: bool = True
    """Whether every line follows from the one before it."""
    of_peers: bool = False
    """Whether it holds what peers report of themselves, and no supervisor's record."""

    @property
    def last_block(self) -> int:
        """The highest block that the record names."""
        numbers = [each.number for each in self.sealed] + [each.block for each in self.epochs]
        numbers += [self.ended.block] if self.ended else []
        return max(numbers, default=0)

    def may_miss(self, uid: int) -> bool:
        """Whether lines of a peer may be missing although nothing was taken away."""
        return self.interrupted or uid in self.cut

    def add(self, event: Event) -> None:  # noqa: C901, PLR0912 - one case per kind of event
        """Take in one event."""
        match event:
            case RunStarted():
                self.started = event
                self.seats += [(0, seat) for seat in event.seats]
            case PeersJoined():
                self.seats += [(event.block, seat) for seat in event.seats]
            case PeerReady():
                self.starts[event.uid] += 1
                if self.starts[event.uid] > 1:
                    self.cut.add(event.uid)
            case PeerGone():
                self.cut.add(event.uid)
            case Mined():
                self.mined[event.round, event.uid].append(event)
            case Stepped():
                self.stepped[event.round, event.uid].append(event)
            case Scored():
                self.scored[event.round, event.validator].append(event)
            case WeightsSet():
                self.weights[event.round, event.validator].append(event)
            case RoundClosed():
                self.over[event.round] += 1
                self.closed.setdefault(event.round, event)
            case RoundLost():
                self.over[event.round] += 1
            case EpochPaid():
                self.epochs.append(event)
            case BlockSealed():
                self.sealed.append(event)
            case RunInterrupted():
                self.interrupted = True
            case RunEnded():
                self.ended = event
            case record_events.Phase(name="committed"):
                self.miners_cpu_s += event.cpu_s
            case _:
                pass


def read_log(path: Path, report: Report, validate: Validate) -> Log:
    """Read a record to its end, and name each line that does not follow from the one before it.

    Args:
        path: the record.
        report: takes the findings.
        validate: raises where an event's fields have other types than declared.

    Raises:
        OSError: the file cannot be read.
    """
    log, previous, seq = Log(), ROOT_HASH, 0
    with open_plain(path) as stream:
        for number, line in enumerate(iter(lambda: stream.readline(MOST_LINE_BYTES), b""), 1):
            if not line.endswith(b"\n"):
                report.tampered("record", "record line", f"Line {number} is cut off.")
                log.whole = False
                break
            try:
                entry = decode(line[:-1], seq=seq, previous=previous or ROOT_HASH, number=number)
                event, previous, seq = entry.event, entry.hash, seq + 1
            except RecordCorrupt as error:
                event = _altered(log, report, line[:-1], error)
                stated = _STATED_HASH.search(line[:-1])
                previous = stated[1].decode() if stated else ""
                seq = _seq(line[:-1], seq) + 1
            if event is not None:
                _take(log, report, number, event, validate)
            log.lines += 1
            report.count("record")
    return log


def _take(log: Log, report: Report, number: int, event: Event, validate: Validate) -> None:
    try:
        validate(event)
        log.add(event)
    except MALFORMED as error:
        log.whole = False
        report.tampered(
            "record", "record line", f"Line {number} says what no run can say: {error}",
            round_=_number(getattr(event, "round", None)), uid=_uid_of(event),
        )  # fmt: skip


def _altered(log: Log, report: Report, line: bytes, error: RecordCorrupt) -> Event | None:
    """Name a line that does not follow, with the round and uid that it speaks of; what it claims."""
    log.whole = False
    event: Event | None = None
    try:
        event = record_events.from_json(json.loads(line)["event"])
    except MALFORMED:
        event = None
    report.tampered(
        "record", "record line", str(error.args[0]),
        round_=_number(getattr(event, "round", None)), uid=_uid_of(event),
    )  # fmt: skip
    return event


def _uid_of(event: Event | None) -> int | None:
    """The peer that a line is of: a validator for its verdicts and votes."""
    uid = getattr(event, "validator", getattr(event, "uid", getattr(event, "lead", None)))
    return _number(uid)


def _number(value: object) -> int | None:
    return value if type(value) is int and value >= 0 else None


def _seq(line: bytes, seq: int) -> int:
    try:
        found = cast("dict[str, Any]", json.loads(line))["seq"]
    except MALFORMED:
        return seq
    return found if type(found) is int else seq
