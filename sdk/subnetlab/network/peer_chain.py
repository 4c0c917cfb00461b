"""A training peer's view of one subnet, on the wire: the `Chain` of miners and validators.

Blocks come by subscription, so waiting costs nothing; commitments and weights go into the node's pool and
are not waited for, because the round waits for the block anyway. The next nonce is asked of the node each
time: one peer owns its hotkey, and a pool that was emptied by a revert must not leave a gap. Nothing is
opened before the first question, and a forked child opens its own.

`set_commitment` has no intent in the SDK, so it goes as a raw call; weights go through the SDK's
`SetWeights`, which fits them to the subnet and commits them sealed where the subnet demands it.
"""

import asyncio
import contextlib
import os
from collections.abc import Mapping
from typing import Any, TypeAlias, cast

import bittensor
from bittensor_core import Keypair

from subnetlab.errors import NodeUnreachable
from subnetlab.network.chain import Block, Commitment, shares_of
from subnetlab.network.commitment_fields import decode_fields, encode_fields
from subnetlab.network.rejection import refused_for_good, rejected
from subnetlab.network.wallets import dev_keypair
from subnetlab.network.weight_calls import weights_call
from subnetlab.network.wire_client import ANSWER_LIMIT_S, WireClient

GONE_S = 30.0
"""How long a broken connection is tried again before waiting for a block gives up."""

_OUT_OF_DATE = ("BadProof", "AncientBirthBlock", "Stale")
"""Refusals of an extrinsic that was built on blocks or nonces that are no more."""

_RECHECK_S = 5.0
_RETRY_S = 0.2


Hotkey: TypeAlias = str | Keypair | bittensor.Signer | bittensor.KeyedWallet
"""Whatever can sign for a hotkey; a string is a development URI such as `//Alice//hotkey`."""


class PeerChain:
    """One hotkey's view of one subnet through a node; implements `Chain`.

    Args:
        endpoint: `ws://host:port`.
        netuid: the subnet.
        hotkey: a keypair or another signer, a wallet (its hotkey is used), or a development URI such as
            `//Alice//hotkey`.
    """

    def __init__(self, endpoint: str, netuid: int, hotkey: Hotkey) -> None:
        self.endpoint, self.netuid = endpoint, netuid
        self._key = _signer(hotkey)
        self._wire: WireClient | None = None
        self._pid = 0
        self._heads = _Heads()

    @property
    def hotkey(self) -> str:
        """The ss58 address that signs."""
        return self._key.ss58_address

    @property
    def _client(self) -> WireClient:
        """The connection of this process; one opened before a fork belongs to the parent."""
        if self._wire is None or self._pid != os.getpid():
            if self._wire is not None:
                self._wire.abandon()
            self._wire, self._pid, self._heads = WireClient(self.endpoint), os.getpid(), _Heads()
        return self._wire

    def wait_for(self, number: int, timeout_s: float) -> Block:
        """The head as soon as its height is at least `number`; 0 answers at once.

        Raises:
            NodeUnreachable: no such block within `timeout_s`, or the connection stayed broken for `GONE_S`.
            NotInClass: a class that does not know this student any more closed the connection.
        """
        client = self._client

        async def wait() -> Block:
            if number > 0:
                async with asyncio.timeout(timeout_s):
                    await self._heads.reach(number, client)
            return await _head(client)

        try:
            with client.patience(timeout_s + ANSWER_LIMIT_S):
                return client.run(wait())
        except NodeUnreachable as error:
            if number > 0 and isinstance(error.__cause__, TimeoutError):
                raise NodeUnreachable(
                    f"Block {number} did not come within {timeout_s:g} s from the node at {self.endpoint}.",
                    hint="See whether it still seals blocks, or ask another node.",
                ) from error
            raise

    def block_hash(self, number: int) -> str:
        """The hash of a sealed block; asked of the node each time, because a development chain can go back.

        Raises:
            NodeUnreachable: there is no such block yet, or the node does not answer.
        """
        found = self._client.rpc("chain_getBlockHash", number)
        if found is None:
            raise NodeUnreachable(f"There is no block {number} yet.", hint="Wait for it with wait_for().")
        return str(found)

    def commit(self, data: bytes) -> None:
        """Submit a commitment of at most 384 bytes (three fields of 128); returns once the pool took it.

        Raises:
            ChainRejected: the pool refused it, such as for a hotkey the node does not know.
            ValueError: too long.
        """
        call = bittensor.calls.Commitments.set_commitment(
            netuid=self.netuid,  # pyright: ignore[reportArgumentType] - the builders name SCALE types
            info={"fields": encode_fields(data)},  # pyright: ignore[reportArgumentType]
        )

        async def submit() -> None:
            await self._submit(await self._client.substrate.compose(call))

        self._client.run(submit())

    def commitments(self) -> dict[str, Commitment]:
        """The latest commitment of every hotkey of the subnet, at the head."""
        client = self._client

        async def ask() -> list[tuple[Any, Any]]:
            return await client.substrate.query_map("Commitments", "CommitmentOf", [self.netuid])

        found: dict[str, Commitment] = {}
        for key, value in client.run(ask()):
            fields = value["info"]["fields"]
            found[str(key)] = Commitment(
                hotkey=str(key), data=decode_fields(fields), block=int(value["block"])
            )
        return found

    def weights(self) -> dict[str, dict[int, float]]:
        """The weights that stand at the head: by the hotkey that set them, then by uid, adding up to 1."""
        client = self._client

        async def ask() -> list[list[tuple[Any, Any]]]:
            ask_map = client.substrate.query_map
            maps = (ask_map("SubtensorModule", name, [self.netuid]) for name in ("Weights", "Keys"))
            return list(await asyncio.gather(*maps))

        rows, keys = client.run(ask())
        hotkeys = {int(uid): str(hotkey) for uid, hotkey in keys}
        found = {hotkeys[int(uid)]: shares_of({int(to): float(w) for to, w in row}) for uid, row in rows}
        return {hotkey: shares for hotkey, shares in found.items() if shares}

    def set_weights(self, weights: Mapping[int, float]) -> None:
        """Submit weights by uid in any non-negative scale; returns once the pool took them.

        Raises:
            ChainRejected: not registered, too soon, all zero, or the pool refused.
        """

        async def submit() -> None:
            await self._submit(await weights_call(self._client.substrate, self._key, self.netuid, weights))

        self._client.run(submit())

    def close(self) -> None:
        """Leave the node; a later question connects again."""
        if self._wire is not None and self._pid == os.getpid():
            client, heads = self._wire, self._heads
            if heads.watching:
                client.run(heads.stop())
            client.close()
        self._wire, self._heads = None, _Heads()

    async def _submit(self, call: Any) -> None:
        result = await self._sent(call)
        if not result.success and result.error is not None and result.error.name in _OUT_OF_DATE:
            # Time was turned back: what the connection remembers of the chain no longer holds.
            await self._client.reopen()
            result = await self._sent(call)
        if not result.success:
            raise rejected(result.error, result.message)

    async def _sent(self, call: Any) -> bittensor.ExtrinsicResult:
        substrate = self._client.substrate
        nonce = await substrate.raw.get_account_next_index(self.hotkey, use_cache=False)
        return await substrate.submit(
            call, self._key, nonce=nonce, wait_for_inclusion=False, wait_for_finalization=False
        )


class _Heads:
    """The newest height, kept by one subscription; lives on the client's loop."""

    def __init__(self) -> None:
        self.number = -1
        self.failure: BaseException | None = None
        self._came = asyncio.Condition()
        self._watcher: asyncio.Task[None] | None = None

    @property
    def watching(self) -> bool:
        return self._watcher is not None

    async def reach(self, number: int, client: WireClient) -> None:
        """Return once the height is at least `number`."""
        while True:
            if self._watcher is None or self._watcher.done():
                if self.failure is not None:
                    failure, self.failure = self.failure, None
                    raise failure
                self._watcher = asyncio.create_task(self._watch(client), name="subnetlab-heads")
                self.number = await client.substrate.block_number()
            async with self._came:
                if self.number >= number:
                    return
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._came.wait(), _RECHECK_S)
                    continue
            with contextlib.suppress(
                bittensor.BittensorError
            ):  # the watcher decides when it is gone for good
                self.number = await client.substrate.block_number()

    async def stop(self) -> None:
        """End the subscription."""
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.cancel()
            await asyncio.wait({watcher})

    async def _watch(self, client: WireClient) -> None:
        loop = asyncio.get_running_loop()
        broken_at: float | None = None
        while True:
            try:
                async for update in client.substrate.blocks():
                    broken_at = None
                    await self._set(int(update["header"]["number"]))
            except (bittensor.BittensorError, OSError) as error:
                broken_at = broken_at if broken_at is not None else loop.time()
                if loop.time() - broken_at > GONE_S or refused_for_good(error):
                    self.failure = error
                    await self._set(self.number)
                    return
            else:
                return  # a stream ends without an error only when the client was closed
            await asyncio.sleep(_RETRY_S)

    async def _set(self, number: int) -> None:
        async with self._came:
            self.number = number
            self._came.notify_all()


def _signer(hotkey: Hotkey) -> bittensor.Signer:
    if isinstance(hotkey, str):
        hotkey = dev_keypair(hotkey)
    # A wallet carries its hotkey; the SDK's protocol names an argument otherwise than its own keypair does.
    return cast("bittensor.Signer", getattr(hotkey, "hotkey", hotkey))


async def _head(client: WireClient) -> Block:
    head = str(await client.rpc_async("chain_getHead"))
    header = await client.rpc_async("chain_getHeader", head)
    return Block(number=int(header["number"], 16), hash=head)
