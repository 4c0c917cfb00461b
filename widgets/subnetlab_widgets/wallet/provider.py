"""web3.py with a wallet in the page: what needs the key goes to the wallet, everything else to the node.

`PageProvider` is for `web3.Web3` and works inside a cell, `AsyncPageProvider` for `web3.AsyncWeb3`. Through
them a contract's own methods work unchanged; they bypass the purse, as everything on `net.w3` does, so the
budget does not count them. `net.pay(…, wallet=page.evm_wallet())` passes it.
"""

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any, Final

from web3 import AsyncHTTPProvider, HTTPProvider
from web3.providers import JSONBaseProvider
from web3.providers.async_base import AsyncJSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from subnetlab.errors import NodeUnreachable, SubnetLabError, WalletSilent
from subnetlab_widgets.wallet.exchange import REJECTED

_ACCOUNTS: Final = ("eth_accounts", "eth_requestAccounts")
_ASKED: Final = ("eth_sendTransaction", "personal_sign", "eth_signTypedData_v4")
_NEVER: Final = ("eth_sign", "eth_signTransaction", "eth_signTypedData_v3")
"""What signs blindly, or what no wallet in a page does; not passed on to the node either."""
_UNSUPPORTED: Final = 4200
_DISCONNECTED: Final = 4900

Asked = Callable[..., Any]
"""Asks the wallet for a method of EIP-1193 with parameters and waits; raises SubnetLab's errors.

As a third it takes a function that is told how to take the question back.
"""


def _ours(address: Callable[[], str], ask: Asked, method: str, params: Any) -> RPCResponse | None:
    """The wallet's answer, or None where the node answers."""
    if method in _ACCOUNTS:
        return _result([address()])
    if method in _NEVER:
        return _error(_UNSUPPORTED, f"A wallet in a page does not do {method}.")
    given = list(params)
    if method == "eth_signTypedData":  # as web3.py calls it
        method = "eth_signTypedData_v4"
    if method not in _ASKED:
        return None
    if method == "eth_signTypedData_v4" and not isinstance(given[1], str):
        given[1] = json.dumps(given[1])
    try:
        return _result(ask(method, given))
    except (NodeUnreachable, WalletSilent) as error:
        return _error(_DISCONNECTED, str(error))
    except SubnetLabError as error:
        return _error(REJECTED, str(error))


class PageProvider(JSONBaseProvider):
    """A provider of web3.py whose account is in the page.

    Args:
        url: where the node answers everything that needs no key.
        address: the account of the wallet.
        ask: asks the wallet and waits for the person.
    """

    def __init__(self, url: str, *, address: Callable[[], str], ask: Asked) -> None:
        super().__init__()
        self.endpoint_uri = url
        self._node, self._address, self._ask = HTTPProvider(url), address, ask

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """Ask the wallet or the node."""
        answered = _ours(self._address, self._ask, method, params)
        return self._node.make_request(method, params) if answered is None else answered


class AsyncPageProvider(AsyncJSONBaseProvider):
    """As `PageProvider`, for cells that `await`."""

    def __init__(self, url: str, *, address: Callable[[], str], ask: Asked) -> None:
        super().__init__()
        self.endpoint_uri = url
        self._node, self._address, self._ask = AsyncHTTPProvider(url), address, ask

    async def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """Ask the wallet or the node; the loop of the cell goes on meanwhile."""
        taken_back, ways = threading.Event(), list[Callable[[], None]]()

        def begun(take_back: Callable[[], None]) -> None:
            ways.append(take_back)
            if taken_back.is_set():
                take_back()

        def ask(method: str, params: list[Any]) -> Any:
            return self._ask(method, params, begun)

        try:
            answered = await asyncio.to_thread(_ours, self._address, ask, method, params)
        except asyncio.CancelledError:  # the cell was interrupted, and its thread still waits for the page
            taken_back.set()
            for take_back in ways:
                take_back()
            raise
        return await self._node.make_request(method, params) if answered is None else answered

    async def disconnect(self) -> None:
        """Close the connections to the node."""
        await self._node.disconnect()


def _result(result: Any) -> RPCResponse:
    return {"jsonrpc": "2.0", "id": 0, "result": result}


def _error(code: int, message: str) -> RPCResponse:
    return {"jsonrpc": "2.0", "id": 0, "error": {"code": code, "message": message}}
