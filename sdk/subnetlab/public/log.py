"""What a peer that was started by command writes while it works: one line an event, as text or as JSON.

JSON lines are the events of `record.events` with the time before them, so that a log can be read back;
sentences for people come as `{"kind": "note"}`. Everything goes to one stream, whole lines at a time.
"""

import json
import logging
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import isnan
from typing import IO, Final

from subnetlab.record.events import (
    Event,
    Mined,
    PeerReady,
    Phase,
    RoundClosed,
    Sampled,
    Scored,
    Stepped,
    WeightsSet,
    to_json,
)
from subnetlab.report.format import bytes_text, counted
from subnetlab.text import plain_lines

_SILENT: Final = (Phase, Sampled, Stepped)
"""Kinds that the text leaves out: JSON has them all."""


@dataclass(slots=True)
class PeerLog:
    """One peer's log.

    Args:
        as_json: JSON lines instead of text.
        stream: where lines go.
        clock: Unix seconds.
    """

    as_json: bool = False
    stream: IO[str] = field(default_factory=lambda: sys.stderr)
    clock: Callable[[], float] = time.time
    _lost: int = 0
    """Lines that could not be written since the last that was."""
    _why: str = ""

    def note(self, sentence: str, **found: float | str) -> None:
        """Say something to the operator; `found` holds its numbers for a program that reads the log."""
        if self.as_json:
            self._write(json.dumps({"kind": "note", "time": self._now(), "text": sentence, **found}))
        else:
            self._write(f"{self._time()} {plain_lines(sentence)}")

    def event(self, event: Event) -> None:
        """Write an event of the peer."""
        if self.as_json:
            self._write(json.dumps({"time": self._now(), **to_json(event)}, allow_nan=False))
        elif not isinstance(event, _SILENT):
            self._write(f"{self._time()} {plain_lines(_sentence(event))}")

    @contextmanager
    def warnings(self) -> Generator[None]:
        """Take in what the SDK says in the meantime, such as that a store is away, as notes."""
        logger, handler = logging.getLogger("subnetlab"), _Notes(self)
        logger.addHandler(handler)
        level = logger.level
        logger.setLevel(logging.INFO)
        propagated, logger.propagate = logger.propagate, False
        try:
            yield
        finally:
            logger.propagate = propagated
            logger.setLevel(level)
            logger.removeHandler(handler)

    def _write(self, line: str) -> None:
        try:
            self.stream.write(line + "\n")
            self.stream.flush()
        except BrokenPipeError:
            raise  # who reads the log has gone, as `head` does
        except OSError as error:  # a full disk takes no log, and costs no round
            self._lost += 1
            self._why = error.strerror or str(error)
            return
        if self._lost:
            lost, self._lost = self._lost, 0
            was = "was" if lost == 1 else "were"
            self.note(f"{counted(lost, 'line')} of this log before here {was} not written: {self._why}.")

    def _now(self) -> float:
        return round(self.clock(), 3)

    def _time(self) -> str:
        return time.strftime("%H:%M:%S", time.localtime(self.clock()))


class _Notes(logging.Handler):
    """Writes what a logger says as notes."""

    def __init__(self, log: PeerLog) -> None:
        super().__init__(logging.INFO)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.note(record.getMessage())


def _sentence(event: Event) -> str:
    match event:
        case PeerReady():
            where = f", on {event.device}" if event.device else ""
            return f"Ready as uid {event.uid} after {event.seconds:.1f} s{where}."
        case Mined():
            return _mined(event)
        case Scored():
            why = f": {event.reason.removesuffix('.')}" if event.reason else ""
            return (
                f"Round {event.round + 1}: uid {event.uid} {event.verdict}, weight {event.weight:.3f}{why}."
            )
        case WeightsSet():
            return f"Round {event.round + 1}: voted on {len(event.weights)} miners."
        case RoundClosed():
            return _closed(event)
        case _:
            return event.kind.replace("_", " ")


def _mined(event: Mined) -> str:
    """A miner's round, of training or of answers, which have no loss."""
    sent, waited = f"{bytes_text(event.wire_bytes)} committed", f"waited {event.wait_s:.1f} s"
    if isnan(event.loss):
        return f"Round {event.round + 1}: answered in {event.compute_s:.1f} s, {sent}; {waited}."
    return (
        f"Round {event.round + 1}: loss {event.loss:.4f}, {sent}; trained {event.compute_s:.1f} s, {waited}."
    )


def _closed(event: RoundClosed) -> str:
    """How a round closed: with a model, or with scores."""
    if not event.theta_hash:
        mean = event.metrics.get("score", 0.0)
        return f"Round {event.round + 1} closed: {len(event.accepted)} scored, mean score {mean:.3f}."
    return (
        f"Round {event.round + 1} closed: {len(event.accepted)} updates, loss {event.val_loss:.4f}, "
        f"model {event.theta_hash[:12]}."
    )
