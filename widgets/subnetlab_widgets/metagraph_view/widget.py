"""The metagraph as a widget: tells its pages what changed, at most two messages ahead of their answers."""

import threading
import time
from collections.abc import Callable
from typing import Any

import traitlets

from subnetlab.network.metagraph import MetagraphSnapshot
from subnetlab.network.pay_history import PaidEpoch
from subnetlab.network.watch import State, Watch
from subnetlab.text import NAME, plain
from subnetlab_widgets.bundle import BundledWidget
from subnetlab_widgets.heartbeat import HEARTBEAT
from subnetlab_widgets.metagraph_view.rows import FIELDS, MetagraphRows
from subnetlab_widgets.saved import Picture, Pictures

MAX_UNANSWERED = 40
"""A page answers every twentieth message: each answer costs the notebook's page memory and a redraw."""
PATIENCE_S = 5.0
"""An unanswered page is tried again after this long: it may have been reloaded."""


class Metagraph(BundledWidget):
    """One subnet's seats, live; every page that opens gets them all first.

    A page that is slow is told less often and never anything old. `see` and `state` take what `Watch` tells.
    """

    header = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        header: dict[str, Any],
        *,
        picture: Picture | None = None,
        follow: "Callable[[Metagraph], Watch] | None" = None,
    ) -> None:
        """Prepare an empty table.

        Args:
            header: `name`, `netuid`, `network` and `real`, which never change.
            picture: what a saved notebook keeps of it; nothing where there is none.
            follow: begins to follow the chain; called when the first page looks, and when one looks again
                after the node was gone.
        """
        self._lock = threading.Lock()
        self._table = MetagraphRows()
        self._sequence = self._answered = 0
        self._sent_at = 0.0
        self._looked_at = False
        self._state: tuple[State, str] = ("live", "")
        self._follow, self._watch = follow, None
        self._pictures = Pictures(picture or Picture(str, lambda: f"Seats of {header['name']}"))
        super().__init__("metagraph", header={**header, "fields": list(FIELDS)})
        self.on_msg(self._receive)

    @property
    def alive(self) -> bool:
        """Whether it follows its node, or will as soon as a page looks."""
        return self.comm is not None and (self._watch is None or self._watch.running)

    def see(self, graph: MetagraphSnapshot, epochs: list[PaidEpoch]) -> None:
        """Take a newer block."""
        with self._lock:
            self._table.put(graph, epochs)
        self._flush()

    def state(self, state: State, reason: str) -> None:
        """Say the state of the connection to the node, if that is new."""
        with self._lock:
            if self._state == (state, reason):
                return
            self._state = (state, reason)
            self._transmit({"k": "state", "state": state, "reason": reason})
        if state == "gone":
            self._pictures.update()

    def close(self) -> None:
        """End the watching and the widget."""
        HEARTBEAT.leave(id(self))
        if self._watch is not None:
            self._watch.stop()
        super().close()

    def _flush(self) -> None:
        with self._lock:
            waiting = self._sequence - self._answered >= MAX_UNANSWERED
            if not self._looked_at or (waiting and time.monotonic() - self._sent_at < PATIENCE_S):
                return
            news = self._table.news()
            if news is not None:
                self._sequence += 1
                self._transmit({"k": "rows", "seq": self._sequence, **news})

    def _transmit(self, content: dict[str, Any]) -> None:
        if self._looked_at and self.comm is not None:
            self._sent_at = time.monotonic()
            self.send(content)

    def _receive(self, _widget: Any, content: Any, _buffers: Any) -> None:
        if not isinstance(content, dict):
            return
        kind, sequence = content.get("k"), content.get("seq")
        if kind == "hello":
            with self._lock:
                self._looked_at = True
                self._answered = self._sequence
                self._table.forget()
                state, reason = self._state
                self._transmit({"k": "state", "state": state, "reason": reason})
                if self._follow is not None and (self._watch is None or not self._watch.running):
                    self._watch = self._follow(self)
            HEARTBEAT.join(id(self), self._beat)
            self._flush()
        elif kind == "ack" and type(sequence) is int:
            with self._lock:
                self._answered = min(self._sequence, max(self._answered, sequence))
            self._flush()

    def _beat(self) -> None:
        if self.comm is not None:
            self.send({"k": "beat"})

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle: Any = super()._repr_mimebundle_(**kwargs)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        if data:
            name = plain(str(self.header["name"]), NAME)
            data["text/plain"] = f"Live seats of subnet {self.header['netuid']} ({name})"
        return bundle

    def _ipython_display_(self) -> None:
        HEARTBEAT.join(id(self), self._beat)  # a page's hello may wait for the next cell to end
        self._pictures.show(self._repr_mimebundle_())
