"""Reading objects below an http(s) address without a key: a public bucket, a mirror, another peer's place.

Follows no redirect, inflates nothing, and stops at so many bytes and so many seconds, whatever the server
says or does. Where only public addresses are allowed, the address is checked at the moment a socket connects
to it, so that no name server can lead a peer into its own network. Writes nothing and lists nothing.
"""

import asyncio
import atexit
import errno
import os
import socket
import threading
from collections.abc import Coroutine
from typing import Any, Final

import aiohttp

from subnetlab.errors import ObjectMissing, ObjectTooLarge, StoreUnreachable
from subnetlab.store.address import is_public
from subnetlab.store.base import MOST_NAMES
from subnetlab.store.object_names import checked
from subnetlab.store.patience import OTHERS, Away, Patience, outcome

_CHUNK: Final = 1 << 16
_ABSENT: Final = frozenset({403, 404, 410})
"""A bucket that may not be listed answers 403 for what is not there."""
_MAY_PASS: Final = frozenset({408, 425, 429})
_SERVER_FAULT: Final = 500
_NOT_PUBLIC: Final = "no address of the public internet"


class Mirror:
    """`store.base.Reader` over what lies below an http(s) address."""

    def __init__(self, url: str, *, local: bool = False, patience: Patience = OTHERS) -> None:
        """Keep the address; nothing is sent.

        Args:
            url: checked already; see `address.checked_locator`.
            local: whether addresses that are not public may be connected to.
            patience: how long an object is tried.
        """
        self.where, self.local, self.patience = url.rstrip("/"), local, patience

    def get(self, name: str, limit: int) -> bytes:
        """Read a whole object of at most `limit` bytes.

        Raises:
            ObjectMissing: no such name.
            ObjectTooLarge: larger than `limit`; no more than that was read.
            InvalidObjectName: the name is not a plain relative one.
            StoreUnreachable: the server did not answer in time, or not with an object.
        """
        url, seconds = f"{self.where}/{checked(name)}", self.patience.for_bytes(limit)
        return self.patience.tried(
            lambda _: _WEB.run(self._read(url, name, limit, seconds)), f"{self.where} did not serve {name!r}"
        )

    def names(self, prefix: str, limit: int = MOST_NAMES) -> list[str]:
        """Nothing can be listed here.

        Raises:
            StoreUnreachable: always.
        """
        del limit
        raise StoreUnreachable(
            f"{self.where} keeps no list of {prefix or 'its objects'!r}.",
            hint="Read objects by their names, or open the bucket itself (s3://…).",
        )

    async def _read(self, url: str, name: str, limit: int, seconds: float) -> bytes:
        try:
            async with asyncio.timeout(seconds):
                session = _WEB.session(local=self.local)
                async with session.get(url, allow_redirects=False) as answer:
                    self._accepted(answer.status, name)
                    return await self._body(answer, name, limit)
        except TimeoutError:
            raise Away(f"no whole answer within {seconds:.0f} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            if isinstance(error, aiohttp.ClientConnectorError) and _NOT_PUBLIC in str(error.os_error):
                raise StoreUnreachable(f"{self.where} is {_NOT_PUBLIC}.", hint="") from None
            raise Away(str(error).partition("\n")[0] or type(error).__name__) from None

    def _accepted(self, status: int, name: str) -> None:
        if status in _ABSENT:
            raise ObjectMissing(f"{name!r} is not in {self.where}.")
        if status in _MAY_PASS or status >= _SERVER_FAULT:
            raise Away(f"the server answered {status}")
        if status != 200:
            raise StoreUnreachable(
                f"{self.where} answered {status} for {name!r}.",
                hint="A place answers with the object itself; redirects are not followed.",
            )

    async def _body(self, answer: aiohttp.ClientResponse, name: str, limit: int) -> bytes:
        size = answer.content_length
        if size is not None and size > limit:
            answer.close()
            raise ObjectTooLarge(f"{name!r} has {size} bytes; at most {limit} are read.")
        data = bytearray()
        async for chunk in answer.content.iter_chunked(_CHUNK):
            data += chunk
            if len(data) > limit:
                answer.close()
                raise ObjectTooLarge(f"{name!r} has more than {limit} bytes; at most {limit} are read.")
        return bytes(data)


class _Web:
    """One event loop in a thread of its own for all mirrors of a process, begun anew after a fork."""

    def __init__(self) -> None:
        self._starting = threading.Lock()
        self._pid = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    def run(self, work: Coroutine[Any, Any, bytes]) -> bytes:
        """Wait for a read, from any thread."""
        return outcome(asyncio.run_coroutine_threadsafe(work, self._running()))

    def session(self, *, local: bool) -> aiohttp.ClientSession:
        """The connections; called inside the loop. No proxy and no credentials are taken from anywhere."""
        if local not in self._sessions:
            connector = aiohttp.TCPConnector(limit=0, socket_factory=_socket if local else _public_socket)
            self._sessions[local] = aiohttp.ClientSession(
                connector=connector, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None), headers={"Accept-Encoding": "identity"},
            )  # fmt: skip
        return self._sessions[local]

    def close(self) -> None:
        """End the connections; at the end of the process that opened them."""
        loop, sessions, self._sessions = self._loop, list(self._sessions.values()), {}
        if loop is None or self._pid != os.getpid():
            return

        async def end() -> None:
            for session in sessions:
                await session.close()

        asyncio.run_coroutine_threadsafe(end(), loop).result()

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._starting:
            if self._loop is None or self._pid != os.getpid():
                self._loop, self._pid, self._sessions = asyncio.new_event_loop(), os.getpid(), {}
                threading.Thread(target=self._loop.run_forever, name="store-mirror", daemon=True).start()
            return self._loop


_AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]
"""An entry of `socket.getaddrinfo`."""
_WEB: Final = _Web()
atexit.register(_WEB.close)


def _socket(info: _AddressInfo) -> socket.socket:
    family, kind, proto, *_ = info
    return socket.socket(family, kind, proto)


def _public_socket(info: _AddressInfo) -> socket.socket:
    address = str(info[4][0])
    if not is_public(address):
        raise OSError(errno.EACCES, _NOT_PUBLIC)
    return _socket(info)
