"""The one port of a class: joining, chain, store and board below one path, so that one proxy carries it all.

Puts the parts together and says refusals in one sentence of JSON. Writes no log of requests, only a line
where one cannot be read or fails, without the client's text; does no TLS: where others reach it, a proxy in
front does.
"""

import logging
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from subnetlab.classroom.access import Access, Refused
from subnetlab.classroom.board import Board
from subnetlab.classroom.chain_proxy import ChainProxy
from subnetlab.classroom.joining import Joining
from subnetlab.classroom.objects import OWN_OBJECT_BYTES, Objects
from subnetlab.errors import ClassError, NetworkError

_REFUSED: Final = -32000
"""JSON-RPC's first code for a server's own errors."""
_NAME: Final = r"{place:[A-Za-z0-9_]+}/{name:.+}"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class _WithoutClients(logging.Filter):
    """Say in one line that a request failed, and leave out what the client sent."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep the line, without its traceback."""
        error = record.exc_info[1] if record.exc_info else None
        record.exc_info = record.exc_text = None
        record.args = ()
        if isinstance(error, HttpProcessingError):
            record.msg = f"A request was refused, because it is not HTTP ({type(error).__name__})."
        elif error is not None:
            record.msg = f"A request failed: {type(error).__name__}{_place(error)}."
        else:
            record.msg = "A request failed."
        return True


def _place(error: BaseException) -> str:
    """Where an error was raised, for who mends it."""
    frames = traceback.extract_tb(error.__traceback__)
    return f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""


def _log() -> logging.Logger:
    """What a class's server writes its own faults to."""
    log = logging.getLogger(__name__)
    if not any(isinstance(each, _WithoutClients) for each in log.filters):
        log.addFilter(_WithoutClients())
    return log


@dataclass(slots=True, kw_only=True)
class ClassServer:
    """Serves a class on one port."""

    access: Access
    joining: Joining
    chain: ChainProxy
    objects: Objects
    board: Board
    prefix: str
    """The path that everything lies below, such as `/services/class`; empty for none."""
    _runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> None:
        """Open the port.

        Raises:
            ClassError: it cannot be opened.
        """
        app = web.Application(client_max_size=OWN_OBJECT_BYTES, middlewares=[self._door])
        for verb, path, handler in self._routes:
            app.router.add_route(verb, self.prefix + path, handler)
        # A body counts as it comes: some kilobytes of zeros, unpacked, would pass every bound as gigabytes.
        self._runner = web.AppRunner(
            app, access_log=None, logger=_log(), handle_signals=False, shutdown_timeout=1.0,
            auto_decompress=False,
        )  # fmt: skip
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise ClassError(
                f"Port {port} of {host} cannot be opened: {error.strerror or error}.", hint="Give --port."
            ) from None

    async def stop(self) -> None:
        """Close every connection and the port."""
        await self.chain.close()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def _routes(self) -> list[tuple[str, str, Handler]]:
        return [
            ("get", "/", self._hello),
            ("post", "/join", self.joining.join),
            ("get", "/me", self.joining.about),
            ("post", "/me/wallet", self.joining.wallet),
            ("post", "/me/answers", self.joining.answers),
            ("get", "/chain", self.chain.handle),
            ("post", "/chain", self.chain.handle),
            ("get", f"/objects/{_NAME}", self.objects.get),
            ("put", f"/objects/{_NAME}", self.objects.put),
            ("get", "/board", self.board.page),
            ("get", "/board/{part:board\\.(?:js|css)}", self.board.page),
            ("get", "/board/rows", self.board.rows),
            ("post", "/board/reset", self.board.reset),
            ("get", "/board/grades.csv", self.board.grades),
        ]

    async def _hello(self, _request: web.Request) -> web.Response:
        """Tell a person, and a kernel that looks, that a class is here."""
        text = f"{self.joining.title}: join it from a kernel with sl.connect(address, code=…, name=…).\n"
        return web.Response(text=text)

    @web.middleware
    async def _door(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            self.access.check(request)
            return await handler(request)
        except Refused as refused:
            return self._said(request, refused.status, str(refused))
        except NetworkError:
            return self._said(request, 502, "The chain of this class does not answer.")

    def _said(self, request: web.Request, status: int, sentence: str) -> web.Response:
        """A refusal as who asks reads it: clients of the chain read JSON-RPC."""
        error: object = sentence
        if request.path == f"{self.prefix}/chain":
            error = {"code": _REFUSED, "message": sentence}
        return web.json_response({"jsonrpc": "2.0", "id": None, "error": error}, status=status)
