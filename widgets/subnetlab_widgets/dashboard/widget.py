"""The dashboard as a widget: `Dashboard.follow(record)` shows a run that is going on, or one that is over."""

import threading
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from subnetlab.record.events import Event, RunStarted
from subnetlab.record.reader import Tail
from subnetlab_widgets.bundle import bundled
from subnetlab_widgets.dashboard.feed import Feed
from subnetlab_widgets.dashboard.story import METRICS, Story

POLL_S = 0.05
PLAY_MONEY = ("devnet", "local", "test")


def header_of(started: RunStarted) -> dict[str, Any]:
    """What never changes during a run, as the page needs it."""
    manifest = started.manifest
    return {
        "name": str(manifest.get("name") or started.run_id),
        "run_id": started.run_id,
        "network": started.network,
        "real_money": started.network not in PLAY_MONEY and not started.network.startswith("ws://127.0.0.1"),
        "netuid": started.netuid,
        "rounds": int(manifest.get("rounds") or 0),
        "inner_steps": int((manifest.get("strategy") or {}).get("inner_steps") or 1),
        "miners": [
            {"uid": s["uid"], "hotkey": s["hotkey"]}
            for s in started.seats
            if s["role"] in ("miner", "free_rider")
        ],
        "metrics": list(METRICS),
    }


class Dashboard(anywidget.AnyWidget):
    """One run, live; every view of it gets the whole history first."""

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    header = traitlets.Dict().tag(sync=True)

    def __init__(self, started: RunStarted, **kwargs: Any) -> None:
        """Prepare the picture of a run; `apply` or `follow` fills it."""
        super().__init__(
            _esm=bundled("dashboard.js"), _css=bundled("dashboard.css"), header=header_of(started), **kwargs
        )
        self.feed = Feed(Story(started), self._transmit)
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
        waited = threading.Event()
        for _ in range(max(1, int(timeout_s / POLL_S))):
            events = _read(tail)
            started = next((e for e in events if isinstance(e, RunStarted)), None)
            if started is not None:
                widget = cls(started)
                widget.feed.apply(events)
                if events[-1].kind != "run_ended":
                    widget.chase(tail)
                return widget
            waited.wait(POLL_S)
        raise TimeoutError(f"The run has recorded nothing within {timeout_s:.0f} seconds.")

    def chase(self, tail: Tail) -> None:
        """Fold the record as it grows, in the background, until the run is over or the widget closed."""
        threading.Thread(target=self._chase, args=(tail,), name="subnetlab-record", daemon=True).start()

    def _chase(self, tail: Tail) -> None:
        while not self._stop.is_set():
            events = _read(tail)
            if events:
                self.feed.apply(events)
                if events[-1].kind == "run_ended":
                    return
            self._stop.wait(POLL_S)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle: Any = super()._repr_mimebundle_(**kwargs)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        if data:
            data["text/plain"] = f"Live dashboard of run {self.header['run_id']}"
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
            self.feed.hello()
        elif content.get("k") == "ack":
            self.feed.acknowledge(int(content.get("seq", 0)))


def _read(tail: Tail) -> list[Event]:
    return [entry.event for entry in tail.entries() if entry.event is not None]
