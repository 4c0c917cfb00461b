"""The connection to a remote kernel: REST and websocket on an event loop of its own, in a thread."""

import asyncio
import contextlib
import json
import queue
import threading
import uuid
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import aiohttp

from subnetlab.errors import HostError, RemoteUnreachable
from subnetlab.text import plain

_PROTOCOL: Final = "v1.kernel.websocket.jupyter.org"
_KERNEL: Final = "subnetlab"
_ASK_LIMIT_S: Final = 60.0
_MOST_BYTES: Final = 64_000_000
"""Of one message."""

_T = TypeVar("_T")


class Line:
    """One kernel that was started for this line, and its messages.

    Args:
        url: of the host, without a slash at its end.
        token: sent with every request.

    Raises:
        HostError: as `remote.RemoteKernel`.
    """

    def __init__(self, url: str, token: str) -> None:
        self._url, self._session_id = url, ""
        self._headers = {"Authorization": f"token {token}"}
        self._came: queue.SimpleQueue[dict[str, Any] | Exception] = queue.SimpleQueue()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="remote kernel", daemon=True)
        self._thread.start()
        self.kernel = ""
        self._http: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reading: asyncio.Task[None] | None = None
        try:
            self._wait(self._open())
        except BaseException:
            self.close()
            raise

    def send(self, channel: str, kind: str, message: str, content: dict[str, Any]) -> None:
        """Send a message to the kernel."""
        header = {
            "msg_id": message, "msg_type": kind, "session": self._session_id, "username": "subnetlab",
            "version": "5.4", "date": datetime.now(UTC).isoformat(),
        }  # fmt: skip
        if self._socket is None or self._socket.closed:
            raise RemoteUnreachable(
                "The connection to the remote kernel is closed.", hint="Call sl.remote again."
            )
        self._wait(self._socket.send_bytes(encoded(channel, header, content)))

    def next(self, timeout_s: float | None) -> dict[str, Any]:
        """The next message of the kernel.

        Raises:
            queue.Empty: none comes within so many seconds.
            RemoteUnreachable: none comes any more.
        """
        message = self._came.get(timeout=timeout_s)
        if isinstance(message, Exception):
            self._came.put(message)  # for the next who asks
            raise message
        return message

    def ask(self, method: str, path: str) -> Any:
        """A request about this kernel."""
        return self._wait(self._request(method, f"/api/kernels/{self.kernel}{path}"))

    def restart(self) -> None:
        """Start the kernel anew.

        The host answers before the new process hears and is heard, and waits for that where a connection
        begins: a message sent on the old one could be carried out without its answer coming through.
        """
        self.ask("POST", "/restart")
        self._wait(self._reconnect())

    def close(self) -> None:
        """End kernel and connection; harmless twice."""
        if self._loop.is_closed():
            return
        with contextlib.suppress(HostError, TimeoutError):
            self._wait(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _wait(self, work: Coroutine[Any, Any, _T]) -> _T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(_ASK_LIMIT_S)
        except (aiohttp.ClientError, ConnectionError) as error:
            raise RemoteUnreachable(f"No host answers at {plain(self._url)}: {plain(str(error))}.") from None
        except TimeoutError:
            future.cancel()
            raise RemoteUnreachable(f"{plain(self._url)} said nothing for {_ASK_LIMIT_S:g} s.") from None

    async def _open(self) -> None:
        self._http = aiohttp.ClientSession(headers=self._headers, trust_env=False)
        started = await self._request("POST", "/api/kernels", {"name": _KERNEL})
        self.kernel = str(uuid.UUID(str(started.get("id")))) if isinstance(started, dict) else ""
        await self._connect()

    async def _connect(self) -> None:
        assert self._http is not None
        # A name of its own: under one that the host still knows, it would join what it is about to close.
        self._session_id = uuid.uuid4().hex
        self._came = queue.SimpleQueue()  # what came before, such as that the last connection ended, is over
        self._socket = await self._http.ws_connect(
            f"{self._url}/api/kernels/{self.kernel}/channels?session_id={self._session_id}",
            protocols=(_PROTOCOL,), max_msg_size=_MOST_BYTES,
        )  # fmt: skip
        if self._socket.protocol != _PROTOCOL:
            raise RemoteUnreachable(
                "The host speaks an older protocol.", hint="It takes jupyter-server 2 or later."
            )
        self._reading = asyncio.create_task(self._read(self._socket))

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        why = "The connection to the remote kernel ended."
        try:
            async for frame in socket:
                if frame.type is aiohttp.WSMsgType.BINARY:
                    self._came.put(decoded(frame.data))
        except (aiohttp.ClientError, ValueError, IndexError) as error:
            why = f"The remote kernel said what cannot be read: {error}."
        self._came.put(RemoteUnreachable(why, hint="Call sl.remote again."))

    async def _request(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        assert self._http is not None
        async with self._http.request(method, self._url + path, json=body, allow_redirects=False) as answer:
            if answer.status in (401, 403):
                raise HostError("The host does not take this token.", hint="Ask its keeper for yours.")
            said: Any = None
            with contextlib.suppress(ValueError, aiohttp.ContentTypeError):
                said = await answer.json()
            if answer.status >= 300:
                why = said.get("message") if isinstance(said, dict) else None
                raise HostError(plain(str(why or f"The host answers {answer.status}.")), hint="")
            return said

    async def _reconnect(self) -> None:
        await self._disconnect()
        await self._connect()

    async def _disconnect(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
        if self._socket is not None:
            await self._socket.close()

    async def _close(self) -> None:
        if self._http is None:
            return
        try:
            await self._disconnect()
            if self.kernel:
                await self._request("DELETE", f"/api/kernels/{self.kernel}")
        finally:
            await self._http.close()
            await asyncio.sleep(0)  # lets the transport close before its loop


def decoded(frame: bytes) -> dict[str, Any]:
    """A message of the websocket protocol v1; its buffers are dropped.

    Raises:
        ValueError: it is none.
    """
    count = int.from_bytes(frame[:8], "little")
    if not 2 <= count <= (len(frame) // 8) - 1:
        raise ValueError("not a message of a kernel")
    at = [int.from_bytes(frame[8 * i : 8 * i + 8], "little") for i in range(1, count + 1)]
    parts = [frame[at[i] : at[i + 1]] for i in range(1, min(count - 1, 5))]
    header, parent, metadata, content = (json.loads(part) for part in parts)
    if not all(isinstance(part, dict) for part in (header, parent, content)):
        raise ValueError("not a message of a kernel")
    return {"header": header, "parent_header": parent, "metadata": metadata, "content": content}


def encoded(channel: str, header: dict[str, Any], content: dict[str, Any]) -> bytes:
    """A message as the websocket protocol v1 has it."""
    parts = [channel.encode(), *(json.dumps(part).encode() for part in (header, {}, {}, content))]
    at = [8 * (len(parts) + 2)]
    for part in parts:
        at.append(at[-1] + len(part))
    return b"".join([len(at).to_bytes(8, "little"), *(i.to_bytes(8, "little") for i in at), *parts])
