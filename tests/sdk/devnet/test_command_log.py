"""The node's log says a thing that happens in every block once."""

import logging

import pytest

from subnetlab.devnet.node import command
from subnetlab.devnet.node.command import OncePerMinute


def record(text: str, error: Exception | None = None) -> logging.LogRecord:
    raised = None if error is None else (type(error), error, None)
    return logging.LogRecord("node", logging.ERROR, "", 0, text, (), raised)


def test_what_repeats_is_said_once_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(command.time, "monotonic", lambda: now[0])
    filtered = OncePerMinute()
    said = [filtered.filter(record(f"block {n} failed", ZeroDivisionError("x"))) for n in range(50)]
    assert said == [True] + [False] * 49
    assert filtered.filter(record("another"))
    now[0] += command.QUIET_S
    later = record("block 50 failed", ZeroDivisionError("x"))
    assert filtered.filter(later)
    assert later.getMessage() == "block 50 failed (and 49 times more since)"
