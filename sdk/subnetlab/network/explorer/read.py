"""Reads blocks from a node and decodes them; what was read is kept by its hash, which no chain reuses.

A body is asked for with its events: only they say what an extrinsic cost and whether it succeeded. Events
are state, which a node that is no archive forgets; such a block is read without outcomes and says so. An
extrinsic that the SDK cannot decode keeps its place in the block.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any, Final

import bittensor
from bittensor._transport.extrinsics import resolve_outcome

from subnetlab.errors import NotOnChain
from subnetlab.network.explorer.block import Argument, ChainBlock, ChainEvent, EthereumTransaction, Extrinsic
from subnetlab.network.explorer.ethereum import carried
from subnetlab.network.wire_client import WireClient
from subnetlab.text import REASON, plain

KEPT: Final = 300
"""Blocks that are kept decoded."""
AT_ONCE: Final = 8
"""Blocks that are asked for at the same time."""


class BlockReader:
    """Blocks of one network, decoded once each.

    Args:
        client: the connection; its coroutines run on its own loop.
    """

    def __init__(self, client: WireClient) -> None:
        self.client = client
        self._kept: OrderedDict[str, ChainBlock] = OrderedDict()
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def head(self) -> tuple[int, str]:
        """Number and hash of the newest block."""
        found = str(await self.client.rpc_async("chain_getHead"))
        header = await self.client.rpc_async("chain_getHeader", found)
        return int(header["number"], 16), found

    async def hash_of(self, number: int) -> str:
        """The hash of a block by its number.

        Raises:
            NotOnChain: the chain has not come so far.
        """
        found = await self.client.rpc_async("chain_getBlockHash", number)
        if found is None:
            head, _ = await self.head()
            raise NotOnChain(f"There is no block {number:,}; the newest is {head:,}.")
        return str(found)

    async def numbered(self, number: int) -> ChainBlock:
        """A block by its number; errors as `hash_of`."""
        return await self.at(await self.hash_of(number))

    async def several(self, numbers: Iterable[int]) -> list[ChainBlock]:
        """Blocks by their numbers, in the order given."""
        return list(await asyncio.gather(*map(self.numbered, numbers)))

    async def at(self, block_hash: str) -> ChainBlock:
        """A block by its hash.

        Raises:
            NotOnChain: the node knows no such block.
        """
        known = self._kept.get(block_hash)
        if known is not None:
            self._kept.move_to_end(block_hash)
            return known
        async with self._turn:
            block = await _read(self.client, block_hash)
        self._kept[block_hash] = block
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return block


async def _read(client: WireClient, block_hash: str) -> ChainBlock:
    found: Any = await client.substrate.get_block(block_hash=block_hash)
    if found is None:
        raise NotOnChain(f"The node knows no block {block_hash[:18]}….")
    raw: Any = await client.rpc_async("chain_getBlock", block_hash)
    encoded: list[str] = raw["block"]["extrinsics"]
    events = await _events(client, block_hash)
    raw_client: Any = client.substrate.raw
    codec: Any = await raw_client._runtimes.codec_at(block_hash)  # noqa: SLF001 - the SDK gives it no public name
    of_index: dict[int | None, list[dict[str, Any]]] = {}
    for event in events or ():
        of_index.setdefault(event.get("extrinsic_idx"), []).append(event)
    extrinsics = tuple(
        _extrinsic(
            index, given, _hash(encoded[index]), None if events is None else of_index.get(index, []), codec
        )
        for index, given in enumerate(found["extrinsics"])
    )
    header = found["header"]
    return ChainBlock(
        number=int(header["number"]),
        hash=block_hash,
        parent=str(header["parentHash"]),
        time_s=_time(extrinsics),
        extrinsics=extrinsics,
        events=_told(of_index.get(None, [])),
        complete=events is not None,
    )


async def _events(client: WireClient, block_hash: str) -> list[dict[str, Any]] | None:
    try:
        return await client.substrate.events(block_hash)
    except bittensor.BittensorError:  # the node keeps no state that old
        return None


def _extrinsic(
    index: int, given: dict[str, Any] | None, known_hash: str, events: list[dict[str, Any]] | None, codec: Any
) -> Extrinsic:
    ok, error, fee = _outcome(events, codec)
    if given is None:
        return Extrinsic(
            index=index, hash=known_hash, call="", ok=ok, error=error, fee_rao=fee, events=_told(events or [])
        )
    call = given["call"]
    arguments = tuple(
        Argument(str(each["name"]), str(each["type"]), each["value"]) for each in call["call_args"]
    )
    name = f"{call['call_module']}.{call['call_function']}"
    signer = str(given.get("address") or "")
    inside: EthereumTransaction | None = None
    if name == "Ethereum.transact":
        inside, failure = carried(arguments[0].value, events or [])
        fee, signer = None, inside.sender
        if failure:
            ok, error = False, failure
    return Extrinsic(
        index=index,
        hash=known_hash,
        call=name,
        arguments=arguments,
        signer=signer,
        nonce=inside.nonce if inside else given.get("nonce"),
        tip_rao=_tip(given.get("tip")),
        fee_rao=fee if signer and inside is None else None,
        ok=ok,
        error=error,
        events=_told(events or []),
        ethereum=inside,
    )


def _hash(encoded: str) -> str:
    return f"0x{blake2b(bytes.fromhex(encoded.removeprefix('0x')), digest_size=32).hexdigest()}"


def _tip(tip: Any) -> int:
    found = tip.get("tip") if isinstance(tip, dict) else tip
    return found if type(found) is int else 0


def _outcome(events: list[dict[str, Any]] | None, codec: Any) -> tuple[bool | None, str, int | None]:
    """Whether an extrinsic succeeded, why not, and its fee in rao."""
    if not events:
        return None, "", None
    found = resolve_outcome(events, codec)
    error = found["error_message"]
    if error is None:
        return bool(found["is_success"]), "", int(found["total_fee_amount"])
    docs = error.get("docs") or ""
    said = " ".join(docs) if isinstance(docs, list | tuple) else str(docs)
    name = str(error.get("name") or "")
    words = said.strip().rstrip(".")
    together = f"{words} ({name})" if words and name and words != name else words or name
    return False, plain(together or "refused", REASON), int(found["total_fee_amount"])


def _told(events: list[dict[str, Any]]) -> tuple[ChainEvent, ...]:
    return tuple(
        ChainEvent(f"{event['module_id']}.{event['event_id']}", event.get("attributes")) for event in events
    )


def _time(extrinsics: tuple[Extrinsic, ...]) -> float | None:
    for each in extrinsics:
        if each.call == "Timestamp.set" and type(each.arguments[0].value) is int:
            return each.arguments[0].value / 1000
    return None
