"""A TCP proxy that can fall silent: it accepts, keeps every connection open, and passes nothing on."""

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass(slots=True)
class SilentProxy:
    """Where clients connect, and whether what they send arrives."""

    port: int
    to: int
    """The port on this machine that bytes are passed on to."""
    _loop: asyncio.AbstractEventLoop
    _passing: asyncio.Event
    _open: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    @property
    def endpoint(self) -> str:
        """As a node's."""
        return f"ws://127.0.0.1:{self.port}"

    def fall_silent(self) -> None:
        """Pass nothing on from now; no connection is closed."""
        self._loop.call_soon_threadsafe(self._passing.clear)

    def speak(self) -> None:
        """Pass on what was held back, and whatever comes."""
        self._loop.call_soon_threadsafe(self._passing.set)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        # A task that is seen to be cancelled makes the streams of Python 3.11 print a traceback.
        with suppress(asyncio.CancelledError):
            await self._passing.wait()
            back, forth = await asyncio.open_connection("127.0.0.1", self.to)
            await asyncio.gather(self._pass(reader, forth), self._pass(back, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                await self._passing.wait()
                writer.write(data)
                await writer.drain()
        writer.close()


@contextmanager
def silent_proxy(to: int) -> Generator[SilentProxy]:
    """A proxy before a port of this machine, until the block ends."""
    loop, up, over = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    made: list[SilentProxy] = []

    async def serve() -> None:
        passing = asyncio.Event()
        passing.set()
        proxy = SilentProxy(0, to, loop, passing)
        server = await asyncio.start_server(proxy._accept, "127.0.0.1", 0)
        proxy.port = server.sockets[0].getsockname()[1]
        made.append(proxy)
        up.set()
        await over.wait()
        server.close()
        for task in list(proxy._open):
            task.cancel()
        await asyncio.gather(*proxy._open, return_exceptions=True)

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), name="silent-proxy")
    thread.start()
    assert up.wait(300)
    try:
        yield made[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()
