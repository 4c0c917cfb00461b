"""JupyterLab's connection to kernels on a host, with widgets: binary frames stay binary.

`jupyter lab --gateway-url` reads every frame as text, so the first widget with a buffer ends the connection
(jupyter_server 2.21, gateway/connections.py; jupyter-widgets/ipywidgets#3798). Reconnecting stays upstream's.
`subnetlab lab --gateway` names this class in `ServerApp.kernel_websocket_connection_class`.
"""

import os
import uuid
from pathlib import Path
from typing import Any

from jupyter_server.gateway.connections import GatewayWebSocketConnection
from jupyter_server.gateway.gateway_client import GatewayTokenRenewerBase
from tornado.websocket import WebSocketClosedError

from subnetlab.commands.lab import TOKEN_FILE


class TokenFromFile(GatewayTokenRenewerBase):
    """Reads the host's token from a file: JupyterLab prints its environment when a kernel starts."""

    def get_token(self, auth_header_key: str, auth_scheme: str | None, auth_token: str, **_: Any) -> str:  # noqa: ARG002
        """The token; what is there already where there is no file."""
        path = os.environ.get(TOKEN_FILE)
        return Path(path).read_text(encoding="ascii").strip() if path else auth_token


class _Frame:
    """A binary frame on its way to the page, in a guise that is not read as text."""

    def __init__(self, data: bytes) -> None:
        self.data = data


class BinaryGatewayConnection(GatewayWebSocketConnection):
    """Upstream's connection, for frames of both kinds."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._number = uuid.uuid4().hex[:8]

    @property
    def session_id(self) -> str:
        """The page's session, told apart by connection.

        A page that connects anew at once would otherwise be cut off by its own first connection, where that
        reaches the host last: a host closes what it takes for an older connection of the same session.
        """
        return f"{super().session_id}-{self._number}"

    def _connection_done(self, fut: Any) -> None:
        super()._connection_done(fut)
        if self.disconnected and not fut.cancelled() and fut.exception() is None:
            fut.result().close()  # the page had gone before the host answered
        socket: Any = self.ws
        if socket is None:
            return
        read = socket.read_message

        async def read_message() -> Any:
            message = await read()
            return _Frame(message) if isinstance(message, bytes) else message

        socket.read_message = read_message

    def handle_outgoing_message(self, incoming_msg: Any, *args: Any) -> None:
        """Send a message on to the page."""
        if not isinstance(incoming_msg, _Frame):
            super().handle_outgoing_message(incoming_msg, *args)
            return
        try:
            self.websocket_handler.write_message(incoming_msg.data, binary=True)
        except WebSocketClosedError:
            self.log.debug("The page closed its connection; a binary message was dropped.")

    def _write_message(self, message: Any) -> None:
        socket: Any = self.ws
        if not isinstance(message, bytes):
            super()._write_message(message)
        elif not self.disconnected and socket is not None:
            try:
                socket.write_message(message, binary=True)
            except WebSocketClosedError:
                self.log.warning("A binary message to the kernel was dropped: its connection is closed.")
