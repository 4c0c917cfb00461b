"""How far an extrinsic on its way has come, told while the SDK waits for the end of it.

The SDK's own `execute` returns once, when everything is over. A form shows the way there, so the two messages
that the node sends in between (signed and handed over, in a block) are passed on to whoever listens in the
context that submits. Nothing is changed, delayed or kept; without a listener nothing happens at all.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal

import bittensor

Stage = Literal["signed", "in a block"]
_WATCH = "author_submitAndWatchExtrinsic"
_LISTENER: ContextVar[Callable[[Stage], None] | None] = ContextVar("subnetlab_progress", default=None)


@contextmanager
def listening(tell: Callable[[Stage], None]) -> Generator[None]:
    """Be told about the extrinsics submitted inside the block, on the client's own thread."""
    before = _LISTENER.set(tell)
    try:
        yield
    finally:
        _LISTENER.reset(before)


class TellingSubstrate(bittensor.RpcSubstrate):
    """The SDK's transport, which also tells what becomes of an extrinsic while it is watched."""

    def _interface(self, endpoint: str, fallbacks: list[str]) -> Any:
        connection: Any = super()._interface(endpoint, fallbacks)
        session = connection._session  # noqa: SLF001 - the SDK hides the updates it reads from here
        subscribe = session.subscribe

        async def told(method: str, params: list[Any] | None, unsubscribe_method: str) -> Any:
            # A context variable set in the caller's thread is seen by the coroutine that it starts here.
            tell = _LISTENER.get() if method == _WATCH else None
            if tell is None:
                return await subscribe(method, params, unsubscribe_method)
            subscription = await subscribe(method, params, unsubscribe_method)
            tell("signed")
            return _Told(subscription, tell)

        session.subscribe = told
        return connection


class _Told:
    """A subscription whose updates are looked at as they pass."""

    def __init__(self, subscription: Any, tell: Callable[[Stage], None]) -> None:
        self._subscription, self._tell = subscription, tell

    def __aiter__(self) -> "_Told":
        return self

    async def __anext__(self) -> Any:
        update = await anext(self._subscription)
        status = update["result"]
        if isinstance(status, dict) and "inBlock" in status:
            self._tell("in a block")
        return update

    async def unsubscribe(self) -> None:
        await self._subscription.unsubscribe()
