"""A chain followed block by block, from a thread and a connection of its own.

Blocks are subscribed to, never polled. However fast they come, only the newest is looked at, and at most four
times a second. The thread ends when it is told to, or when the node has been away for `GONE_S`; it never
keeps a process alive. What is read of a block, and who is told, is a subclass's.
"""

import asyncio
import contextlib
import math
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Literal

from subnetlab.errors import NetworkError, NodeUnreachable
from subnetlab.network.wire_client import ANSWER_LIMIT_S, WireClient

GONE_S = 8.0
"""How long a node may be away before it counts as gone: it may be restarting on the same port."""
_PERIOD_S = 0.25
_RETRY_S = 0.5

State = Literal["live", "reconnecting", "gone"]


class Following(ABC):
    """Follows one chain until it is stopped; it begins at once.

    Args:
        endpoint: `ws://host:port`.
        tell: is told the state of the connection; `gone` is the end, with the reason in words.
        closed: whether the node is known to have been given up, so that it need not be waited for.
        name: the thread's.
    """

    def __init__(
        self, endpoint: str, tell: Callable[[State, str], None], *,
        closed: Callable[[], bool] = lambda: False, name: str,
    ) -> None:  # fmt: skip
        self._endpoint, self._tell, self._closed = endpoint, tell, closed
        self._stopped = threading.Event()
        self._wake: Callable[[], object] = lambda: None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    @abstractmethod
    def seen(self) -> object:
        """What was seen last; it differs after every look that saw something new."""

    @abstractmethod
    async def look(self, client: WireClient) -> None:
        """Read the newest block, and tell what is new in it."""

    @property
    def running(self) -> bool:
        """Whether it still follows."""
        return self._thread.is_alive()

    def stop(self, timeout_s: float = 2.0) -> None:
        """End it, and wait a moment for its thread unless that is the caller."""
        self._stopped.set()
        with contextlib.suppress(RuntimeError):  # its loop has ended already
            self._wake()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        answered = time.monotonic()
        while not self._stopped.is_set():
            before, client = self.seen, WireClient(self._endpoint)
            try:
                with client.patience(math.inf):  # until it is stopped
                    client.run(self._follow(client))
            except NodeUnreachable:
                if self.seen != before:
                    answered = time.monotonic()
                if self._closed() or time.monotonic() - answered > GONE_S:
                    self._tell("gone", f"Nothing answers at {self._endpoint}.")
                    return
                self._tell("reconnecting", "")
                self._stopped.wait(_RETRY_S)
            except NetworkError as error:
                self._tell("gone", str(error))
                return
            finally:
                client.close()

    async def _follow(self, client: WireClient) -> None:
        loop, stopping, came = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
        self._wake = lambda: loop.call_soon_threadsafe(stopping.set)
        if self._stopped.is_set():
            return

        async def heads() -> None:
            async for _ in client.substrate.blocks():
                came.set()
            raise ConnectionError("the stream of blocks ended")

        async def looks() -> None:
            while True:
                await asyncio.wait_for(self.look(client), ANSWER_LIMIT_S)
                self._tell("live", "")
                await asyncio.sleep(_PERIOD_S)
                await came.wait()
                came.clear()

        # A question asked of a node that has just died is asked again for long; the stream knows at once.
        tasks = {asyncio.create_task(work) for work in (heads(), looks(), stopping.wait())}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=_PERIOD_S)
