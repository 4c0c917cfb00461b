"""Time and money of a development chain under control, by the node's `dev_` methods over HTTP.

Needs neither the SDK nor a websocket, so a pacer can use it from anywhere. The node answers them to the user
who started it: its token lies in a file that is found by its port. Other chains have no such methods: every
verb raises `DevnetOnly` there.
"""

import json
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from subnetlab.errors import ChainRejected, DevnetNotYours, DevnetOnly, NodeUnreachable
from subnetlab.membership import headers_for
from subnetlab.network.chain import Block
from subnetlab.network.endpoints import unreachable
from subnetlab.settings import dev_token_file

ANSWER_LIMIT_S = 40.0
_METHOD_NOT_FOUND = -32601
_UNSAFE = "RPC call is unsafe to be called externally"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_LONG = ("dev_seal", "dev_save", "dev_revert")
"""Sealing many blocks with epochs in them takes a while."""


class DevControls:
    """The controls of the development node at an endpoint.

    Args:
        endpoint: `ws://host:port`; the node answers HTTP on the same port.
        timeout_s: longest wait for blocks to be sealed, or a chain to be saved or turned back.
        answer_s: longest wait for anything else.

    Every verb raises:
        DevnetOnly: the node at the endpoint is no development node.
        DevnetNotYours: another user started it, or it was started with another home of SubnetLab.
        NodeUnreachable: the node does not answer.
        ChainRejected: the node refuses, such as an unknown snapshot.
    """

    def __init__(self, endpoint: str, *, timeout_s: float = 120.0, answer_s: float = ANSWER_LIMIT_S) -> None:
        self.endpoint = endpoint
        self._timeout_s, self._answer_s = timeout_s, min(answer_s, timeout_s)

    def set_sealing(self, sealing: Literal["instant", "manual"] | float) -> None:
        """Seal a block per extrinsic (`instant`), only when asked (`manual`), or every so many seconds."""
        self._ask("dev_setSealing", sealing if isinstance(sealing, str) else {"interval": float(sealing)})

    def seal(self, blocks: int = 1) -> Block:
        """Seal blocks now, with whatever is in the pool, and return the new head."""
        head = self._ask("dev_seal", blocks)
        return Block(number=int(head["number"]), hash=str(head["hash"]))

    def faucet(self, ss58: str, rao: int) -> None:
        """Mint play money onto an account."""
        self._ask("dev_faucet", ss58, rao)

    def snapshot(self) -> str:
        """Remember the chain as it is now; the id leads back with `revert`."""
        return str(self._ask("dev_snapshot"))

    def revert(self, snapshot: str) -> None:
        """Turn the chain back; connections must forget what they know (`WireClient.forget`)."""
        self._ask("dev_revert", snapshot)

    def save(self, path: Path) -> None:
        """Write the whole state to a file that a node can be started from.

        Args:
            path: below the folder of the node's own state file (`--state`).
        """
        self._ask("dev_save", str(path))

    def shutdown(self) -> None:
        """Tell the node to end; it answers first."""
        self._ask("dev_shutdown")

    def info(self) -> dict[str, Any]:
        """What the node says about itself: sealing, genesis, coverage."""
        return dict(self._ask("dev_info"))

    def available(self) -> bool:
        """Whether the node at the endpoint is a development node."""
        try:
            self.info()
        except DevnetOnly:
            return False
        return True

    def _ask(self, method: str, *params: Any) -> Any:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
        answer = self._post(body, self._timeout_s if method in _LONG else self._answer_s)
        error = answer.get("error")
        if error is None:
            return answer.get("result")
        if error.get("message") == _UNSAFE:
            raise DevnetNotYours(f"The node at {self.endpoint} does not let you call {method}.")
        if error.get("code") == _METHOD_NOT_FOUND:
            raise DevnetOnly(f"The node at {self.endpoint} has no {method}.")
        raise ChainRejected(
            f"The node refused {method}: {error.get('message')}.",
            code=str(error.get("code")),
            hint="net.sealing says who seals this chain; net.snapshot() makes what net.revert() takes.",
        )

    def _post(self, body: str, limit_s: float) -> dict[str, Any]:
        parts = urlsplit(self.endpoint)
        secure = parts.scheme in ("wss", "https")
        connect = HTTPSConnection if secure else HTTPConnection
        connection = connect(parts.hostname or "", parts.port or (443 if secure else 80), timeout=limit_s)
        headers = {"Content-Type": "application/json", **_authorization(parts.hostname, parts.port)}
        headers |= headers_for(self.endpoint)
        try:
            connection.request("POST", parts.path or "/", body, headers)
            response = connection.getresponse()
            if response.status == HTTPStatus.UNAUTHORIZED:
                raise unreachable(self.endpoint, response.reason, status=response.status)
            answer = json.loads(response.read())
        except TimeoutError as error:
            raise NodeUnreachable(
                f"The node at {self.endpoint} did not answer within {limit_s:g} s.",
                hint="See whether it still runs, then ask again.",
            ) from error
        except (OSError, HTTPException) as error:
            raise unreachable(self.endpoint, error) from error
        except ValueError as error:
            raise DevnetOnly(f"What answers at {self.endpoint} is no development node.") from error
        finally:
            connection.close()
        return dict(answer)


def _authorization(host: str | None, port: int | None) -> dict[str, str]:
    """The header that carries the token of a node of this machine, where this user can read it."""
    if host not in _LOOPBACK or port is None:
        return {}
    try:
        token = dev_token_file(port).read_text(encoding="ascii")
    except (OSError, ValueError):
        return {}
    return {"Authorization": f"Bearer {token}"}
