"""The dashboard as a widget: `Dashboard.follow(record)` shows a run that is going on, or one that is over.

A run that is only being set up has its frame already: `Dashboard(foreseen(…))`, then `begin(record)`.
"""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import traitlets

from subnetlab.fleet.launch import was_left
from subnetlab.record.described import is_of_answers, loss_unit
from subnetlab.record.events import Event, RunInterrupted, RunStarted, RunStatus
from subnetlab.record.reader import Tail
from subnetlab.record.view import MINING
from subnetlab.text import plain
from subnetlab_widgets.bundle import BundledWidget
from subnetlab_widgets.dashboard.feed import Feed
from subnetlab_widgets.dashboard.round_table import METRICS, RoundTable

POLL_S = 0.05
QUIET_POLLS = 20
"""A record without news for so long may have lost its writer."""


def header_of(started: RunStarted) -> dict[str, Any]:
    """What never changes during a run, as the page needs it."""
    manifest = started.manifest
    return {
        "name": str(manifest.get("name") or started.run_id),
        "run_id": started.run_id,
        "network": started.network,
        "real_money": started.play_money is False,
        "netuid": started.netuid,
        "rounds": int(manifest.get("rounds") or 0),
        "inner_steps": int((manifest.get("strategy") or {}).get("inner_steps") or 1),
        "miners": miners_of(started.seats),
        "metrics": list(METRICS),
        "unit": loss_unit(manifest) if started.run_id and not is_of_answers(manifest) else "",
        "trains": not is_of_answers(manifest),
    }


def miners_of(seats: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The miners among some seats, as the page needs them; a foreseen one has no number."""
    return [
        {"uid": seat["uid"] if seat["uid"] >= 0 else "…", "hotkey": seat["hotkey"]}
        for seat in seats
        if seat["role"] in MINING
    ]


def foreseen(
    *,
    name: str,
    network: str,
    netuid: int,
    block: int,
    rounds: int,
    miners: int,
    play_money: bool | None = None,
) -> RunStarted:
    """What a run that is being set up will begin with, as far as it is known: seats without numbers."""
    seats = [{"uid": -1 - each, "hotkey": "", "role": "miner"} for each in range(miners)]
    manifest = {"name": name, "rounds": rounds}
    return RunStarted(
        run_id="",
        network=network,
        netuid=netuid,
        manifest_hash="",
        manifest=manifest,
        seats=seats,
        block=block,
        play_money=play_money,
    )


class Dashboard(BundledWidget):
    """One run, live; every view of it gets the whole history first."""

    header = traitlets.Dict().tag(sync=True)

    def __init__(self, started: RunStarted, *, waiting: str = "", **kwargs: Any) -> None:
        """Prepare the picture of a run, `waiting` for what; `begin` or `follow` fills it."""
        header = header_of(started) | {"waiting": waiting}
        super().__init__("dashboard", header=header, **kwargs)
        self.feed = Feed(RoundTable(started), self._transmit)
        self._stop = threading.Event()
        self.on_msg(self._receive)
        self.feed.start()

    @classmethod
    def follow(cls, record: Path, *, timeout_s: float = 30.0) -> "Dashboard":
        """Show the run that is being written to `record`, waiting for its first event.

        Raises:
            TimeoutError: nothing was recorded within `timeout_s` seconds.
        """
        tail = Tail(record)
        events, started = _beginning(tail, timeout_s)
        widget = cls(started)
        widget._go_on(tail, events)
        return widget

    def begin(self, record: Path, *, timeout_s: float = 30.0) -> None:
        """Turn the frame of a run that was being set up into the run that is being written to `record`.

        Raises:
            TimeoutError: as `follow`.
        """
        tail = Tail(record)
        events, started = _beginning(tail, timeout_s)
        self.header = header_of(started)  # the page makes room before the first row comes
        self.feed.begin(RoundTable(started))
        self._go_on(tail, events)

    def _take(self, events: Sequence[Event]) -> None:
        """Fold events; where miners joined, the page makes room for them and is sent every row again."""
        self.feed.apply(events)
        table = self.feed.table
        if len(table.miners) != len(self.header["miners"]):
            self.header = {**self.header, "miners": miners_of(table.seats)}
            self.feed.again()

    def _go_on(self, tail: Tail, events: list[Event]) -> None:
        self._take(events)
        if events[-1].kind != "run_ended":
            self.chase(tail)

    def chase(self, tail: Tail) -> None:
        """Fold the record as it grows, in the background, until the run is over or the widget closed."""
        threading.Thread(target=self._chase, args=(tail,), name="subnetlab-record", daemon=True).start()

    def _chase(self, tail: Tail) -> None:
        quiet = 0
        while not self._stop.is_set():
            events = _read(tail)
            quiet = 0 if events else quiet + 1
            status = self.feed.table.status
            if (
                quiet == QUIET_POLLS
                and status["state"] != RunStatus.INTERRUPTED
                and was_left(tail.path.parent)
            ):
                block = int(status["block"])
                events = [RunInterrupted(reason="Its supervisor is gone.", block=block)]
            if events:
                self._take(events)
                if events[-1].kind == "run_ended":
                    return
            self._stop.wait(POLL_S)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle: Any = super()._repr_mimebundle_(**kwargs)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        if data:
            run = (
                f"run {self.header['run_id']}" if self.header["run_id"] else f"a run on {self.header['name']}"
            )
            data["text/plain"] = plain(f"Live dashboard of {run}")
        return bundle

    def close(self) -> None:
        """End the stream and the widget."""
        self._stop.set()
        self.feed.stop()
        super().close()

    def _transmit(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        self.send(content, buffers)

    def _receive(self, _widget: Any, content: dict[str, Any], _buffers: list[Any]) -> None:
        if content.get("k") == "hello":
            self.send({"k": "hello"})  # the answer: until it comes, the page says hello again
            self.feed.hello()
        elif content.get("k") == "ack":
            self.feed.acknowledge(int(content.get("seq", 0)))


def _read(tail: Tail) -> list[Event]:
    return [entry.event for entry in tail.entries() if entry.event is not None]


def _beginning(tail: Tail, timeout_s: float) -> tuple[list[Event], RunStarted]:
    """What a record holds once it has begun, and its first event."""
    waited = threading.Event()
    for _ in range(max(1, int(timeout_s / POLL_S))):
        events = _read(tail)
        started = next((e for e in events if isinstance(e, RunStarted)), None)
        if started is not None:
            return events, started
        waited.wait(POLL_S)
    raise TimeoutError(f"The run has recorded nothing within {timeout_s:.0f} seconds.")
