"""A widget that follows a chain: tells its pages what changed, at most two messages ahead of their answers.

Every page that opens gets everything first. A page that is slow is told less often and never anything old.
A subclass says what is followed and what counts as news; `Shown` keeps one widget per place and kernel.
"""

import threading
import time
from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, Protocol, TypeVar

import traitlets

from subnetlab.network.following import State
from subnetlab_widgets.saved import Picture, SavedWidget

MAX_UNANSWERED = 40
"""A page answers every twentieth message: each answer costs the notebook's page memory and a redraw."""
PATIENCE_S = 5.0
"""An unanswered page is tried again after this long: it may have been reloaded."""


class Follower(Protocol):
    """What follows the chain, in a thread of its own."""

    @property
    def running(self) -> bool:
        """Whether it still follows."""
        ...

    def stop(self) -> None:
        """End it."""
        ...


class LiveWidget(SavedWidget):
    """A view of a chain that goes on; `state` takes what its follower tells of the connection."""

    part = traitlets.Unicode().tag(sync=True)
    header = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        part: str,
        header: dict[str, Any],
        *,
        picture: Picture,
        follow: Callable[[], Follower] | None = None,
    ) -> None:
        """Prepare an empty view.

        Args:
            part: which of the bundle's views it is.
            header: what never changes, for the page.
            picture: what a saved notebook keeps of it.
            follow: begins to follow the chain; called when the first page looks, and when one looks again
                after the node was gone.
        """
        self._lock = threading.Lock()
        self._sequence = self._answered = 0
        self._sent_at = 0.0
        self._looked_at = False
        self._state: tuple[State, str] = ("live", "")
        self._follow: Callable[[], Follower] | None = follow
        self._follower: Follower | None = None
        super().__init__("views", picture, part=part, header=header)

    @abstractmethod
    def _news(self) -> dict[str, Any] | None:
        """What the pages have not been told yet; None where there is nothing. Called under the lock."""

    @abstractmethod
    def _forget(self) -> None:
        """Make the next news everything, because a new page looks. Called under the lock."""

    def _asked(self, content: dict[str, Any]) -> None:
        """A page said something else than hello and ack; it is dropped."""

    @property
    def alive(self) -> bool:
        """Whether it follows its node, or will as soon as a page looks."""
        return self.comm is not None and (self._follower is None or self._follower.running)

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
        """End the following and the widget."""
        if self._follower is not None:
            self._follower.stop()
        super().close()

    def _flush(self) -> None:
        with self._lock:
            waiting = self._sequence - self._answered >= MAX_UNANSWERED
            if not self._looked_at or (waiting and time.monotonic() - self._sent_at < PATIENCE_S):
                return
            news = self._news()
            if news is not None:
                self._sequence += 1
                self._transmit({"seq": self._sequence, **news})

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
                self._forget()
                state, reason = self._state
                self._transmit({"k": "state", "state": state, "reason": reason})
                if self._follow is not None and (self._follower is None or not self._follower.running):
                    self._follower = self._follow()
            self._join()
            self._flush()
        elif kind == "ack":
            if type(sequence) is int:
                with self._lock:
                    self._answered = min(self._sequence, max(self._answered, sequence))
                self._flush()
        else:
            self._asked(content)


W = TypeVar("W", bound=LiveWidget)
K = TypeVar("K", bound=Hashable)


class Shown(Generic[K, W]):
    """One live widget per place, however often it is shown: a second cell gets another view of the same.

    One whose node has gone is replaced when its place is shown again; of many the oldest is closed, so that a
    long session does not collect threads.
    """

    def __init__(self, most: int) -> None:
        """Keep at most so many."""
        self._most = most
        self._kept: OrderedDict[K, W] = OrderedDict()

    def at(self, place: K, opened: Callable[[], W]) -> W:
        """The widget of a place, opened where there is none that is alive."""
        present = self._kept.get(place)
        if present is not None and not present.alive:
            self._kept.pop(place).close()
        if place not in self._kept:
            self._kept[place] = opened()
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)[1].close()
        self._kept.move_to_end(place)
        return self._kept[place]

    def close_where(self, holds: Callable[[K], bool]) -> None:
        """Close those whose place is one of these."""
        for place in [place for place in self._kept if holds(place)]:
            self._kept.pop(place).close()
