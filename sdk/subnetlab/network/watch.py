"""A subnet followed block by block, from a thread and a connection of its own.

Blocks are subscribed to, never polled. However fast they come, only the newest is read, and at most four
times a second. The thread ends when it is told to, or when the node has been away for `GONE_S`; it never
keeps a process alive.
"""

import asyncio
import contextlib
import math
import threading
import time
from collections.abc import Callable
from typing import Literal, Protocol

from subnetlab.errors import NetworkError, NodeUnreachable
from subnetlab.network.metagraph import MetagraphSnapshot, metagraph_at
from subnetlab.network.pay_history import PaidEpoch, past_epochs
from subnetlab.network.wire_client import ANSWER_LIMIT_S, WireClient

GONE_S = 8.0
"""How long a node may be away before it counts as gone: it may be restarting on the same port."""
EPOCHS = 30
_PERIOD_S = 0.25
_RETRY_S = 0.5

State = Literal["live", "reconnecting", "gone"]


class Viewer(Protocol):
    """What is told; called from the watching thread."""

    def see(self, graph: MetagraphSnapshot, epochs: list[PaidEpoch]) -> None:
        """A newer block, and the epochs that were not seen before, oldest first."""
        ...

    def state(self, state: State, reason: str) -> None:
        """The state of the connection; `gone` is the end, with the reason in words."""
        ...


class Watch:
    """Follows one subnet until it is stopped.

    Args:
        endpoint: `ws://host:port`.
        netuid: the subnet.
        viewer: who is told.
        closed: whether the node is known to have been given up, so that it need not be waited for.
    """

    def __init__(
        self, endpoint: str, netuid: int, viewer: Viewer, *, closed: Callable[[], bool] = lambda: False
    ) -> None:
        self._endpoint, self._netuid, self._viewer, self._closed = endpoint, netuid, viewer, closed
        self._stopped = threading.Event()
        self._wake: Callable[[], object] = lambda: None
        self._seen: tuple[int, int] = (-1, 0)
        self._thread = threading.Thread(target=self._run, name="subnetlab-watch", daemon=True)
        self._thread.start()

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
            before, client = self._seen, WireClient(self._endpoint)
            try:
                with client.patience(math.inf):  # until it is stopped
                    client.run(self._follow(client))
            except NodeUnreachable:
                if self._seen != before:
                    answered = time.monotonic()
                if self._closed() or time.monotonic() - answered > GONE_S:
                    self._viewer.state("gone", f"Nothing answers at {self._endpoint}.")
                    return
                self._viewer.state("reconnecting", "")
                self._stopped.wait(_RETRY_S)
            except NetworkError as error:
                self._viewer.state("gone", str(error))
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
                await asyncio.wait_for(self._look(client), ANSWER_LIMIT_S)
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

    async def _look(self, client: WireClient) -> None:
        graph = await metagraph_at(client, self._netuid, weights=False)
        block, step = self._seen
        known = step if graph.block >= block else 0  # time was turned back: what was known may not have been
        epochs: list[PaidEpoch] = []
        if graph.last_step > known or known == 0:
            epochs = await past_epochs(client, self._netuid, block=graph.block, most=EPOCHS, after=known)
        self._seen = (graph.block, max(known, graph.last_step))
        self._viewer.see(graph, epochs)
        self._viewer.state("live", "")
