"""One connection: its subscriptions, and what waits to be sent to it, counted in bytes.

A client that reads slowly costs memory, so texts on their way are counted, for the connection and for the
whole node. Does no input or output itself: `server` takes texts out and sends them.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from subnetlab.devnet.chain.block import Block

Changes = dict[bytes, bytes | None]
LOW_WATER_BYTES: Final = 64 * 2**10
"""With more than this unsent, a connection's next request is not read."""
MAX_OUTBOX_BYTES: Final = 32 * 2**20
"""With more than this unsent, a connection is closed."""
MAX_UNSENT_BYTES: Final = 256 * 2**20
"""With more than this unsent to all connections together, a connection that adds to it is closed."""


@dataclass(slots=True)
class Unsent:
    """How many bytes wait to be sent, all connections together."""

    size: int = 0


class Outbox:
    """Texts on their way to one client."""

    def __init__(self, unsent: Unsent, abort: Callable[[], None]) -> None:
        """Count into `unsent`; `abort` closes a connection whose client does not keep up."""
        self._unsent, self._abort = unsent, abort
        self._texts: deque[str] = deque()
        self._size, self._closed = 0, False
        self._filled, self._drained = asyncio.Event(), asyncio.Event()
        self._drained.set()

    def put(self, text: str) -> None:
        """Queue a text (ASCII, as `json` writes it, so that its length is its size)."""
        if self.count(text):
            self._texts.append(text)
            self._filled.set()

    @property
    def idle(self) -> bool:
        """Whether no text is on its way, so that one may be sent without queueing."""
        return self._size == 0

    def count(self, text: str) -> bool:
        """Count in a text that is about to be sent; False where the connection is closed, also by this."""
        if self._closed:
            return False
        self._size += len(text)
        self._unsent.size += len(text)
        if self._size > LOW_WATER_BYTES:
            self._drained.clear()
            if self._size > MAX_OUTBOX_BYTES or self._unsent.size > MAX_UNSENT_BYTES:
                self.close()
                self._abort()
        return not self._closed

    async def take(self) -> str:
        """The next text, waiting for one."""
        while not self._texts:
            self._filled.clear()
            await self._filled.wait()
        return self._texts.popleft()

    def sent(self, text: str) -> None:
        """Count out a text that was sent."""
        if self._closed:
            return
        self._size -= len(text)
        self._unsent.size -= len(text)
        if self._size <= LOW_WATER_BYTES:
            self._drained.set()

    async def drained(self) -> None:
        """Wait until little is left to be sent."""
        await self._drained.wait()

    def close(self) -> None:
        """Drop what was not sent, and take nothing more."""
        self._unsent.size -= self._size
        self._size, self._closed = 0, True
        self._texts.clear()
        self._drained.set()


@dataclass(slots=True)
class Sealed:
    """A block that connections are told of, each of its texts written once however many hear it."""

    block: Block
    changes: Changes
    _texts: dict[str, str] = field(default_factory=dict[str, str])

    def text(self, name: str, content: Callable[[], Any]) -> str:
        """The JSON of `content()`, kept by name."""
        found = self._texts.get(name)
        if found is None:
            found = self._texts[name] = json.dumps(content())
        return found


OnBlock = Callable[[Sealed], None]


@dataclass(slots=True, eq=False)
class Connection:
    """A client's WebSocket, or one HTTP request, which cannot subscribe."""

    outbox: Outbox | None = None
    """Where notifications go; None over HTTP."""
    privileged: bool = False
    """Whether `dev_` methods are open to it."""
    on_block: dict[str, OnBlock] = field(default_factory=dict[str, OnBlock])
    """Subscriptions that are told of blocks, by id."""
    watched: dict[str, int] = field(default_factory=dict[str, int])
    """How many storage keys, or addresses and topics of logs, each of them watches."""

    _held: list[Callable[[], None]] | None = None
    _begun: set[str] = field(default_factory=set[str])

    def hold(self) -> None:
        """From now on a request is being answered."""
        self._held = []

    def replied(self) -> None:
        """The reply is queued: send what has to follow it."""
        held, self._held = self._held or [], None
        self._begun.clear()
        for send in held:
            send()

    def after_reply(self, send: Callable[[], None]) -> None:
        """Send once the reply to the request being answered is queued; at once outside of one."""
        if self._held is None:
            send()
        else:
            self._held.append(send)

    def begin(self, subscription: str, on_block: OnBlock, *, keys: int = 0) -> None:
        """Add a subscription; its updates follow the reply that names it."""
        self.on_block[subscription] = on_block
        if keys:
            self.watched[subscription] = keys
        if self._held is not None:
            self._begun.add(subscription)

    def end(self, subscription: str) -> bool:
        """End a subscription; False where there is none."""
        self.watched.pop(subscription, None)
        return self.on_block.pop(subscription, None) is not None

    def notify(self, event: str, subscription: str, result: Any) -> None:
        """Send one update of a subscription."""
        self.notify_text(event, subscription, json.dumps(result))

    def notify_text(self, event: str, subscription: str, result: str) -> None:
        """Send one update whose result is JSON already."""
        if self.outbox is None:
            return
        # Names and ids of subscriptions are plain letters and digits, which JSON writes as they are.
        text = (
            f'{{"jsonrpc": "2.0", "method": "{event}", '
            f'"params": {{"subscription": "{subscription}", "result": {result}}}}}'
        )
        if self._held is not None and subscription in self._begun:
            self._held.append(lambda: self.put(text))
        else:
            self.put(text)

    def put(self, text: str) -> None:
        """Queue a text."""
        if self.outbox is not None:
            self.outbox.put(text)
