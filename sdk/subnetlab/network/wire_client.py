"""The connection itself: the SDK's own client, with the few questions its synchronous face leaves out.

`WireClient` is a `bittensor.Subtensor` (every method of the SDK's blocking client works on it) that also runs
a coroutine on its own loop, asks plain JSON-RPC, and can forget what it cached. It connects on first use. A
question of ours that the node does not answer in time is given up; the SDK's own methods wait as it does.
"""

import asyncio
import concurrent.futures
import contextlib
import inspect
import math
import threading
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from typing import Any, Self, TypeVar, cast

import bittensor
from bittensor.settings import default_archive_endpoints, default_fallback_endpoints

from subnetlab.errors import NodeUnreachable
from subnetlab.network.rejection import translated
from subnetlab.network.stages import sending
from subnetlab.network.transport import Transport

T = TypeVar("T")

CONNECT_TIMEOUT_S = 30.0
ANSWER_LIMIT_S = 40.0
"""How long a node may take to answer one question; a large metagraph on a busy machine takes seconds."""
_LET_GO_S = 1.0
"""How long callers that still wait may take to hear that the connection is closed."""


class WireClient(bittensor.Subtensor):
    """One connection to one endpoint; nothing is opened before the first question.

    Args:
        endpoint: `ws://host:port`.
        answer_s: how long the node may take to answer one question.
    """

    def __init__(self, endpoint: str, *, answer_s: float = ANSWER_LIMIT_S) -> None:
        self.substrate = Transport(
            endpoint,
            fallback_endpoints=default_fallback_endpoints(endpoint),
            archive_endpoints=default_archive_endpoints(endpoint),
        )
        super().__init__(endpoint, substrate=cast("bittensor.Substrate", self.substrate))
        self._own_loop: asyncio.AbstractEventLoop | None = None
        self._patience = threading.local()
        self._waiting: set[asyncio.Task[Any]] = set()
        self.answer_s, self._closed = answer_s, False

    def connect(self) -> Self:
        """Open the connection; idempotent, and run by itself on first use.

        Raises:
            NodeUnreachable: it was closed.
            TimeoutError: the node takes no connection in time.
        """
        if self._closed:
            raise NodeUnreachable(
                f"The connection to {self.endpoint} was closed.", hint="net = sl.connect() opens another."
            )
        if self._own_loop is None:
            self._own_loop = self._loop.call(_quiet_loop())
        if not self._state["connected"]:
            limit = min(CONNECT_TIMEOUT_S, self._limit() or self.answer_s)
            self._loop.call(asyncio.wait_for(self._client.connect(), limit))
            self._state["connected"] = True
        return self

    def close(self) -> None:
        """Leave the node for good: waiting callers are told, the SDK stops its loop, and this frees it."""
        self._closed = True
        if self._own_loop is not None and not self._loop.owns_current_thread:
            with contextlib.suppress(RuntimeError, TimeoutError):
                self._loop.call(self._let_go(), timeout=_LET_GO_S)
        super().close()
        loop, self._own_loop = self._own_loop, None
        if loop is not None and not loop.is_running():
            loop.close()

    def run(self, question: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the client's loop and wait for it.

        Raises:
            ChainRejected: the chain refused.
            NodeUnreachable: the node does not answer, or not in time.
        """
        with self.question():
            result: T = self._call(question)
            return result

    def rpc(self, method: str, *params: Any) -> Any:
        """Ask the node a plain JSON-RPC question; what it answers is not decoded.

        Raises:
            ChainRejected: the node knows no such method, or refuses.
            NodeUnreachable: the node does not answer.
        """

        async def ask() -> Any:
            return await self.rpc_async(method, *params)

        return self.run(ask())

    async def rpc_async(self, method: str, *params: Any) -> Any:
        """As `rpc`, on the client's own loop."""
        return await self.substrate.raw.rpc_request(method, list(params))

    @contextmanager
    def question(self) -> Generator[None]:
        """Ask inside the block, in our own errors and with a limit of time; errors as `run`."""
        with translated(self.endpoint), self.patience(self._limit() or self.answer_s):
            yield

    def _limit(self) -> float | None:
        """How long this thread waits for an answer, where that was said."""
        return getattr(self._patience, "s", None)

    @contextmanager
    def patience(self, seconds: float) -> Generator[None]:
        """Give every question this thread asks inside the block this long; `TimeoutError` after that."""
        before, self._patience.s = self._limit(), seconds
        try:
            yield
        finally:
            self._patience.s = before

    def _call(self, coro: Coroutine[Any, Any, Any]) -> Any:
        limit = self._limit()
        bounded = coro if limit in (None, math.inf) else asyncio.wait_for(coro, limit)
        try:
            return self._waited_for(self._told_of_the_end(bounded))
        except concurrent.futures.CancelledError as error:
            raise NodeUnreachable(
                f"The connection to {self.endpoint} was closed while something waited for it.",
                hint="What was sent may have been carried out; look at the balance before trying again.",
            ) from error
        finally:
            for work in (bounded, coro):
                if inspect.getcoroutinestate(work) == inspect.CORO_CREATED:
                    work.close()  # the node did not answer, so it was never begun

    def _waited_for(self, coro: Coroutine[Any, Any, Any]) -> Any:
        """As the SDK's own `_call`, which leaves the work going on where its caller is interrupted."""
        try:
            self.connect()
            loop = self._own_loop
            assert loop is not None
        except BaseException:
            coro.close()
            raise
        ended = threading.Event()
        work = asyncio.run_coroutine_threadsafe(_noting_its_end(coro, ended), loop)
        try:
            return work.result()
        except BaseException:  # the work's own error, or an interrupt of the cell that waits for it
            try:
                if work.cancel():
                    ended.wait(_LET_GO_S)
            finally:
                if not ended.is_set():
                    sending()  # it may go on, so what it submits may have left
            raise

    async def _told_of_the_end(self, coro: Coroutine[Any, Any, Any]) -> Any:
        # The SDK stops its loop under whatever runs on it, and a thread that waits for that waits for ever.
        task = asyncio.current_task()
        assert task is not None
        self._waiting.add(task)
        try:
            return await coro
        finally:
            self._waiting.discard(task)

    async def _let_go(self) -> None:
        for task in list(self._waiting):
            task.cancel()
        if self._waiting:
            await asyncio.wait(set(self._waiting), timeout=_LET_GO_S)

    def forget(self) -> None:
        """Open a fresh connection: after time was turned back, every cached hash and nonce is wrong."""
        self.run(self.reopen())

    async def reopen(self) -> None:
        """As `forget`, on the client's own loop."""
        await self.substrate.close()
        await asyncio.wait_for(self.substrate.connect(), CONNECT_TIMEOUT_S)

    def abandon(self) -> None:
        """Let go of a connection that belongs to the parent of this forked process, without closing it."""
        if self._finalizer is not None:
            self._finalizer.detach()


async def _noting_its_end(coro: Coroutine[Any, Any, T], ended: threading.Event) -> T:
    try:
        return await coro
    finally:
        ended.set()


async def _quiet_loop() -> asyncio.AbstractEventLoop:
    """The running loop, kept from printing failures of background tasks that their caller was told anyway."""

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if "never retrieved" not in str(context.get("message")):
            loop.default_exception_handler(context)

    loop = asyncio.get_running_loop()
    loop.set_exception_handler(handle)
    return loop
