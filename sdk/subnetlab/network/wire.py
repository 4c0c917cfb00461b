"""The connection itself: the SDK's own client, with the few questions its synchronous face leaves out.

`WireClient` is a `bittensor.Subtensor` (every method of the SDK's blocking client works on it) that also runs
a coroutine on its own loop, asks plain JSON-RPC, and can forget what it cached. It connects on first use.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar, cast

import bittensor
from bittensor.settings import default_archive_endpoints, default_fallback_endpoints

from subnetlab.network.rejection import translated

T = TypeVar("T")

CONNECT_TIMEOUT_S = 30.0


class WireClient(bittensor.Subtensor):
    """One connection to one endpoint; nothing is opened before the first question."""

    def __init__(self, endpoint: str) -> None:
        self.substrate = bittensor.RpcSubstrate(
            endpoint,
            fallback_endpoints=default_fallback_endpoints(endpoint),
            archive_endpoints=default_archive_endpoints(endpoint),
        )
        super().__init__(endpoint, substrate=cast("bittensor.Substrate", self.substrate))

    def run(self, question: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the client's loop and wait for it.

        Raises:
            ChainRejected: the chain refused.
            NodeUnreachable: nobody answers.
        """
        with translated(self.endpoint):
            result: T = self._call(question)
            return result

    def rpc(self, method: str, *params: Any) -> Any:
        """Ask the node a plain JSON-RPC question; what it answers is not decoded.

        Raises:
            ChainRejected: the node knows no such method, or refuses.
            NodeUnreachable: nobody answers.
        """

        async def ask() -> Any:
            return await self.rpc_async(method, *params)

        return self.run(ask())

    async def rpc_async(self, method: str, *params: Any) -> Any:
        """As `rpc`, on the client's own loop."""
        return await self.substrate.raw.rpc_request(method, list(params))

    def forget(self) -> None:
        """Open a fresh connection: after time was turned back, every cached hash and nonce is wrong."""

        async def reopen() -> None:
            await self.substrate.close()
            await asyncio.wait_for(self.substrate.connect(), CONNECT_TIMEOUT_S)

        self.run(reopen())
