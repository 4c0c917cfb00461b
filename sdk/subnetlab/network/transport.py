"""The SDK's transport with three things that a person who waits has to know, one repair, and one header.

1. How far an extrinsic on its way has come. `execute` returns once, when everything is over; the two messages
   that the node sends in between (taken, in a block) are passed on to the listener in the context that
   submits. Nothing is changed or delayed by it.
2. That a node went away in order. SDK 11.3 stumbles over a connection that the node closes by the book while
   something waits on it, and leaves it waiting for ever; here it counts as lost, like any other.
3. That an extrinsic is about to leave (`stages.sending`): an interrupt before that has spent nothing.
4. A connection that is given up half way, because the node takes too long, is closed and not left behind.
5. At the chain of a class that was joined, it says who the student is (`membership`).
6. Closing ends: a cancellation that Python 3.11 loses where a frame arrives meanwhile is repeated, and a
   node that answers no closing handshake is waited for a second.
"""

import asyncio
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import bittensor
from bittensor._transport.errors import RpcPolicyRejection
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from subnetlab.membership import headers_for
from subnetlab.network.stages import Stage, leaves_first, listener, sending

_FRAME_BYTES, _WRITE_BYTES, _HANDSHAKE_S = 2**26, 2**16, 20.0
_GOODBYE_S, _LOST_S = 1.0, 0.1
"""How long a node may take to say goodbye; after how long a cancellation counts as lost."""
_SUBMIT, _WATCH = "author_submitExtrinsic", "author_submitAndWatchExtrinsic"


class Transport(bittensor.RpcSubstrate):
    """The SDK's transport, which also tells what becomes of an extrinsic, and that a node has gone."""

    async def connect(self) -> None:
        """Connect; where that is given up half way, nothing of it is left."""
        self._opening: Any = None
        try:
            await super().connect()
        except asyncio.CancelledError:
            if self._opening is not None:
                socket = self._opening._session._ws  # noqa: SLF001 - the SDK has no door for it
                if socket is not None:
                    socket.transport.abort()  # a node that hangs answers no closing handshake
                await self._opening.close()
            raise

    def _interface(self, endpoint: str, fallbacks: list[str]) -> Any:
        connection: Any = super()._interface(endpoint, fallbacks)
        self._opening = connection
        session = connection._session  # noqa: SLF001 - neither has a public name
        session._connect = _saying_who(session._connect)  # noqa: SLF001
        subscribe, request, pump = session.subscribe, session.request, session._pump  # noqa: SLF001
        session.close = _ending(session, session.close)

        async def leaving(params: Any) -> None:
            since = 0
            if leaves_first():  # it is looked for from here on, where its end is not seen
                since = int((await request("chain_getHeader", []))["number"], 16)
            sending(hash_of(str(params[0])), since)

        async def requested(method: str, *given: Any, **options: Any) -> Any:
            if method == _SUBMIT:
                await leaving(given[0])
            return await request(method, *given, **options)

        async def told(method: str, params: list[Any] | None, unsubscribe_method: str) -> Any:
            # A context variable set in the caller's thread is seen by the coroutine that it starts here.
            tell = listener() if method == _WATCH else None
            if method == _WATCH:
                await leaving(params)
            if tell is None:
                return await subscribe(method, params, unsubscribe_method)
            subscription = await subscribe(method, params, unsubscribe_method)
            tell("signed")
            return _Told(subscription, tell)

        async def pumped() -> Exception:
            try:
                reason: Exception = await pump()
            except AssertionError:  # the SDK makes websockets' ConnectionClosed without who closed it first
                return ConnectionError("the node closed the connection")
            return reason

        session.subscribe, session.request, session._pump = told, requested, pumped  # noqa: SLF001
        return connection


def hash_of(extrinsic: str) -> str:
    """The hash of an extrinsic's bytes, `0x…`, as the chain names it."""
    return f"0x{blake2b(bytes.fromhex(extrinsic.removeprefix('0x')), digest_size=32).hexdigest()}"


def _ending(session: Any, plain: Callable[[], Any]) -> Callable[[], Any]:
    """How a session is closed: as the SDK closes it, but so that nothing of it goes on afterwards."""

    async def closed() -> None:
        supervisor, socket = session._supervisor, session._ws  # noqa: SLF001 - neither has a public name
        session._closing = True  # noqa: SLF001 - so that it opens no other connection meanwhile
        while supervisor is not None and not supervisor.done():
            supervisor.cancel()  # `wait_for` of Python 3.11 swallows it where its result is there already
            await asyncio.wait({supervisor}, timeout=_LOST_S)
        try:
            await asyncio.wait_for(plain(), _GOODBYE_S)
        except TimeoutError:
            if socket is not None:
                socket.transport.abort()
            await plain()

    return closed


def _saying_who(plain: Callable[[str], Any]) -> Callable[[str], Any]:
    """How a connection is opened: as the SDK opens it, but where a class was joined, with its header."""

    async def opened(url: str) -> Any:
        headers = headers_for(url)
        if not headers:
            return await plain(url)
        opening = connect(
            url, additional_headers=headers, max_size=_FRAME_BYTES, write_limit=_WRITE_BYTES, compression=None
        )
        try:
            return await asyncio.wait_for(opening, _HANDSHAKE_S)
        except InvalidStatus as error:  # the class says no, which another try would not change
            status = error.response.status_code
            raise RpcPolicyRejection(f"the class answers {status}", status_code=status) from error

    return opened


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
