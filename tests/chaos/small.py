"""A small real run, a moment in it, and what must be true of it in the end, whatever was killed."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil

import subnetlab as sl
from subnetlab.record.events import BlockSealed, Event, RoundClosed, RoundLost, RunEnded, RunStarted
from subnetlab.record.line import FILE_NAME
from subnetlab.record.reader import Tail, verify
from subnetlab.train.strategies.base import Strategy

ROUNDS = 4
LIMIT_S = 300.0
TRAIN = f"""\
%%train --miners 3 --validators 2 --free-riders 1 --rounds {ROUNDS}
model = sl.models.TinyGPT("binder", n_embd=32, n_layer=1, n_head=2, seq_len=32)
data = sl.data.stdlib(400_000)
strategy = sl.strategies.SparseLoCo(inner_steps=2)
"""


def begin(
    net: sl.Net, *, detach: bool = False, rounds: int = ROUNDS, strategy: Strategy | None = None
) -> sl.Run:
    """The same run as `TRAIN`, without a notebook, or with another strategy."""
    return net.create_subnet("tiny-lm").train(
        model=sl.models.TinyGPT("binder", n_embd=32, n_layer=1, n_head=2, seq_len=32),
        data=sl.data.stdlib(400_000),
        strategy=strategy or sl.strategies.SparseLoCo(inner_steps=2),
        rounds=rounds,
        detach=detach,
        fleet=sl.LocalFleet(miners=3, validators=2, free_riders=1),
    )


def until(done: Callable[[], bool], what: str) -> None:
    """Wait for something that only shows by looking."""
    deadline = time.monotonic() + LIMIT_S
    while not done():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def events_of(folder: Path) -> list[Event]:
    return [entry.event for entry in Tail(folder / FILE_NAME).entries() if entry.event is not None]


def reach(folder: Path, round_: int, offset: int) -> list[Event]:
    """Wait until a block of a round is sealed: 0 open, 1 commit, 2 beacon, 3 close; the record so far."""
    events: list[Event] = []

    def sealed() -> bool:
        events[:] = events_of(folder)
        inside = [event for event in events if isinstance(event, BlockSealed) and event.round == round_]
        return len(inside) > offset

    until(sealed, f"round {round_} does not come")
    return events


def kill(pid: int) -> None:
    """What a machine that runs out of memory does, and wait until it is done."""
    process = psutil.Process(pid)

    def dead() -> bool:
        try:
            return process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    os.kill(pid, signal.SIGKILL)
    until(dead, f"{pid} does not die")


def alive_below(home: Path) -> list[psutil.Process]:
    """Every process that was started with this home."""

    def belongs(process: psutil.Process) -> bool:
        try:
            return process.environ().get("SUBNETLAB_HOME") == str(home)
        except psutil.Error:
            return False

    return [process for process in psutil.process_iter() if belongs(process)]


def check(run: sl.Run, before: bytes, rounds: int = ROUNDS) -> None:
    """The record begins with what it held at the kill, is whole, and every round is in it once."""
    record = run.folder / FILE_NAME
    assert record.read_bytes().startswith(before)
    assert verify(record).torn_bytes == 0
    events = events_of(run.folder)
    assert [type(events[0]), type(events[-1])] == [RunStarted, RunEnded]
    assert len([event for event in events if isinstance(event, RunStarted | RunEnded)]) == 2
    over = [event.round for event in events if isinstance(event, RoundClosed | RoundLost)]
    assert over == list(range(rounds))
    assert run.status == "finished"
    assert run.round == rounds
    assert run.frame("rounds").height == rounds
    closed = [event for event in events if isinstance(event, RoundClosed)]
    assert len(closed) >= rounds - 1
    assert sum(part.numel() for part in run.result(timeout=0).parameters()) > 1000
    assert "strangers reached" in run.headline
