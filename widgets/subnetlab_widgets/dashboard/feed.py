"""Pump a table to a page: 30 messages a second at most, two megabytes unanswered, not from the shell's loop.

Rows that change while the page is busy are sent once, in their newest form, so a slow browser falls behind
in smoothness and never in truth. A page that owes answers may be hidden or gone, or a busy cell keeps its
answers from us: it hears from us more seldom the longer it has been silent, so that nothing piles up in the
notebook server and a picture beside a busy cell still moves. Answers are few, because each one makes the
kernel look busy for a moment: JupyterLab swaps its icon then, and Chromium keeps 48 kB of every icon. The
thread ends with the widget.
"""

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from subnetlab.record.events import Event, RunStarted, RunStatus
from subnetlab_widgets.dashboard.round_table import RoundTable

Send = Callable[[dict[str, Any], list[bytes]], None]

MAX_MESSAGES_PER_S = 30
IN_FLIGHT_BYTES = 2 * 1024 * 1024
"""What a page may owe answers for; it answers after half of it."""
MESSAGE_BYTES = 600
"""What Jupyter adds to a message, roughly."""
SILENT_S = 150.0
"""A page answers every two minutes; after this long it is taken to be away."""
BYTES_PER_MESSAGE = 512 * 1024
"""A long history travels in messages of this size; the first is thinned to `FIRST_ROWS` of all rounds."""
FIRST_ROWS = 600
"""As many rounds as the page draws points."""
BEAT_S = 1.0
"""While a run goes on, a message at least this often: a quiet run is not a dead kernel."""
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 60.0
"""Between messages to a page that owes answers."""
PAUSE_SHARE = 1 / 120
"""Of the silence so far: a page silent for two minutes hears from us once a second."""


class Feed:
    """The stream from one table to all views of one widget."""

    def __init__(self, table: RoundTable, send: Send, clock: Callable[[], float] = time.monotonic) -> None:
        """Send through `send(content, buffers)`; nothing is sent before `start` or `flush`."""
        self.table, self._send, self._clock = table, send, clock
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._sent = 0  # bytes; a message's `seq` is what was sent up to its end
        self._answered = 0
        self._answered_at = clock()
        self._last_sent = -BEAT_S
        self._sent_status: dict[str, Any] = {}
        self._thinned = False
        self._thread: threading.Thread | None = None

    def apply(self, new: Iterable[Event]) -> None:
        """Fold events and wake the pump."""
        with self._lock:
            for event in new:
                if not isinstance(event, RunStarted):
                    self.table.apply(event)
        self._wake.set()

    def begin(self, table: RoundTable) -> None:
        """Stream another table from now on, from its first row."""
        with self._lock:
            self.table, self._sent_status = table, {}
        self._wake.set()

    def again(self) -> None:
        """Send every row once more: the page has just made room for more miners."""
        with self._lock:
            self.table.changed.update(self.table.rounds)
        self._wake.set()

    def hello(self) -> None:
        """A view has opened: send it the whole history."""
        with self._lock:
            self._answered, self._answered_at = self._sent, self._clock()
            self._sent_status = {}
            self.table.changed.update(self.table.rounds)
            self._thinned = True
        self._wake.set()

    def acknowledge(self, seq: int) -> None:
        """A view has drawn everything up to this message."""
        with self._lock:
            self._answered = max(self._answered, min(seq, self._sent))
            self._answered_at = self._clock()
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
        """Send what changed, or a beat where nothing did; less often while the page owes answers."""
        now = self._clock()
        with self._lock:
            quiet, silence = now - self._last_sent, now - self._answered_at
            owed = self._sent - self._answered
            away = owed >= IN_FLIGHT_BYTES or (owed and silence > SILENT_S)
            if away and quiet < pause(silence):
                return
            status = self.table.status
            news = {name: value for name, value in status.items() if self._sent_status.get(name) != value}
            self._sent_status = dict(status)
            if self.table.changed:
                self._send_rows(news)
            elif news:
                self._transmit({"k": "status", "status": news}, [])
            elif quiet > BEAT_S and status["state"] in (RunStatus.STARTING, RunStatus.RUNNING):
                self._transmit({"k": "beat"}, [])

    def _send_rows(self, news: dict[str, Any]) -> None:
        changed = sorted(self.table.changed)
        if self._thinned:
            rounds = thinned(changed)
        else:
            rounds = changed[: max(1, BYTES_PER_MESSAGE // self.table.row(changed[0]).nbytes)]
        self._thinned = False
        self.table.changed.difference_update(rounds)
        block = np.stack([self.table.row(r) for r in rounds])
        content = {"k": "rows", "t": round(time.time(), 4), "status": news, "more": len(self.table.changed)}
        content["miners"] = len(self.table.miners)
        self._transmit(content, [block.astype("<f4").tobytes()])
        if self.table.changed:
            self._wake.set()

    def _transmit(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        self._last_sent = self._clock()
        if self._sent == self._answered:
            self._answered_at = self._last_sent  # nothing was owed until now
        self._sent += MESSAGE_BYTES + sum(map(len, buffers))
        self._send({**content, "seq": self._sent}, buffers)


def pause(silence: float) -> float:
    """Seconds between messages to a page that has answered nothing for `silence` seconds."""
    return min(LONGEST_PAUSE_S, max(SHORTEST_PAUSE_S, silence * PAUSE_SHARE))


def thinned(rounds: list[int]) -> list[int]:
    """Rounds spread evenly over all of them, the last among them, at most `FIRST_ROWS`."""
    return rounds[:: -max(1, -(-len(rounds) // FIRST_ROWS))][::-1]
