"""Pump a story to a page: at most 30 messages a second, two unanswered, never from the shell's loop.

Rows that change while the page is busy are sent once, in their newest form, so a slow browser falls behind in
smoothness and never in truth. The thread ends with the run, with the page's comm, or when told to.
"""

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from subnetlab.record.events import Event, RunStarted
from subnetlab_widgets.dashboard.story import Story

Send = Callable[[dict[str, Any], list[bytes]], None]

MAX_MESSAGES_PER_S = 30
MAX_UNANSWERED = 2
ROWS_PER_MESSAGE = 256
BEAT_S = 1.0
"""A message at least this often, so that a page can tell a quiet run from a dead kernel."""
PATIENCE_S = 5.0
"""An unanswered page is tried again after this long: it may have been reloaded."""


class Feed:
    """The stream from one story to all views of one widget."""

    def __init__(self, story: Story, send: Send) -> None:
        """Send through `send(content, buffers)`; nothing is sent before `start` or a hello."""
        self.story, self._send = story, send
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._sequence = 0
        self._answered = 0
        self._last_sent = 0.0
        self._sent_status: dict[str, Any] = {}
        self._thread: threading.Thread | None = None

    def apply(self, new: Iterable[Event]) -> None:
        """Fold events and wake the pump."""
        with self._lock:
            for event in new:
                if not isinstance(event, RunStarted):
                    self.story.apply(event)
        self._wake.set()

    def hello(self) -> None:
        """A view has opened: send it the whole history."""
        with self._lock:
            self._answered = self._sequence
            self._sent_status = {}
            self.story.changed.update(self.story.rounds)
        self._wake.set()

    def acknowledge(self, sequence: int) -> None:
        """A view has drawn everything up to this message."""
        self._answered = max(self._answered, sequence)
        self._wake.set()

    def start(self) -> None:
        """Run the pump in a daemon thread."""
        self._thread = threading.Thread(target=self._pump, name="subnetlab-dashboard", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the pump after what is pending."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=2)

    def _pump(self) -> None:
        while not self._stop.is_set():
            self._wake.wait(BEAT_S)
            self._wake.clear()
            self.flush()
            self._stop.wait(1 / MAX_MESSAGES_PER_S)
        self.flush()

    def flush(self) -> None:
        """Send what changed, unless the page still owes answers; a beat where nothing changed."""
        quiet = time.monotonic() - self._last_sent
        with self._lock:
            status = self.story.status
            news = {name: value for name, value in status.items() if self._sent_status.get(name) != value}
            self._sent_status = dict(status)
            if self.story.changed and (
                self._sequence - self._answered < MAX_UNANSWERED or quiet > PATIENCE_S
            ):
                self._send_rows(news)
            elif news:
                self._transmit({"k": "status", "status": news}, [])
            elif quiet > BEAT_S:
                self._transmit({"k": "beat"}, [])

    def _send_rows(self, news: dict[str, Any]) -> None:
        rounds = sorted(self.story.changed)[:ROWS_PER_MESSAGE]
        self.story.changed.difference_update(rounds)
        block = np.stack([self.story.row(r) for r in rounds])
        self._sequence += 1
        content = {"k": "rows", "seq": self._sequence, "t": round(time.time(), 4), "status": news}
        self._transmit(content, [block.astype("<f4").tobytes()])
        if self.story.changed:
            self._wake.set()

    def _transmit(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        self._last_sent = time.monotonic()
        self._send(content, buffers)
