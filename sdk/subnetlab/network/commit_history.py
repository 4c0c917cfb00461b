"""What hotkeys committed and voted on a subnet, block by block, read from the bodies of blocks.

The chain's state keeps the last commitment of a hotkey alone; the extrinsics that made all earlier ones stay
in the bodies of blocks, each signed by its hotkey. A body tells block and index of an extrinsic; whether it
succeeded, and what an epoch paid, is state, which a node that is no archive forgets: after 256 blocks, as a
rule. The node is trusted to say what the chain holds: no proof of its answers is asked.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

import bittensor

from subnetlab.network.chain import Commitment
from subnetlab.network.commitment_fields import decode_fields
from subnetlab.network.metagraph import MetagraphSnapshot, metagraph_at
from subnetlab.network.pay_history import past_epochs
from subnetlab.network.wire_client import WireClient

_AT_ONCE: Final = 16
"""Blocks that are asked for at the same time."""
_READ_LIMIT_S: Final = 600.0
"""How long reading all blocks of a run may take; a thousand rounds take about a minute."""
_FAILED: Final = frozenset({"ExtrinsicFailed", "BatchInterrupted", "ItemFailed"})
_BATCHES: Final = frozenset({"batch", "batch_all", "force_batch"})
_PLAIN_VOTES: Final = frozenset({"set_weights", "set_mechanism_weights"})
_SEALED_VOTES: Final = frozenset({
    "commit_weights", "commit_mechanism_weights", "commit_crv3_weights", "commit_crv3_mechanism_weights",
    "commit_timelocked_weights", "commit_timelocked_mechanism_weights",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Committed:
    """One commitment of a hotkey: where it is in the chain, and its bytes."""

    block: int
    index: int
    """Of the extrinsic in its block."""
    hotkey: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Voted:
    """Weights (u16 by uid) that a hotkey set; None where it set them sealed."""

    block: int
    index: int
    hotkey: str
    weights: dict[int, int] | None
    refused: bool = False
    """Whether the chain refused them, because they came too soon for instance."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch of the subnet, as `given` one block before it and as `found` at its own block."""

    given: MetagraphSnapshot
    found: MetagraphSnapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainHistory:
    """What a chain holds of one subnet between two heights, both included."""

    netuid: int
    first: int
    last: int
    """At most the head when it was read."""
    hashes: dict[int, str]
    commitments: tuple[Committed, ...] = ()
    """In the order of the chain; so are the votes and the epochs."""
    votes: tuple[Voted, ...] = ()
    epochs: tuple[Epoch, ...] = ()
    epochs_since: int = 0
    """The first height from which every epoch is known."""
    seats: MetagraphSnapshot | None = None
    """The subnet's seats at `first`, or at the oldest height that the node has state of."""
    seats_last: MetagraphSnapshot | None = None
    """The seats at the head when this was read."""
    standing: dict[str, Commitment] = field(default_factory=dict[str, Commitment])
    """The last commitment of every hotkey when this was read."""
    unread: tuple[int, ...] = ()
    """Blocks with an extrinsic that this version of the SDK cannot decode."""
    unproven: tuple[int, ...] = ()
    """Blocks whose events the node has forgotten: their extrinsics may have failed."""

    def commitments_at(self, height: int) -> dict[str, Commitment]:
        """The last commitment of each hotkey up to a height, as the chain's state held it there."""
        found: dict[str, Commitment] = {}
        for each in self.commitments:
            if each.block <= height:
                found[each.hotkey] = Commitment(each.hotkey, each.data, each.block)
        return found


@dataclass(slots=True)
class _Body:
    """What one block holds of the subnet."""

    hash: str
    commitments: list[Committed] = field(default_factory=list[Committed])
    votes: list[Voted] = field(default_factory=list[Voted])
    unread: bool = False
    unproven: bool = False


def read_history(client: WireClient, netuid: int, first: int, last: int) -> ChainHistory:
    """Read a subnet's history from a node.

    Args:
        client: the connection.
        netuid: the subnet.
        first: the first height.
        last: the last height; a chain that has not come so far is read up to its head.

    Raises:
        ChainRejected: there is no such subnet.
        NodeUnreachable: the node does not answer, or not in time.
    """
    with client.patience(_READ_LIMIT_S):
        return client.run(_history(client, netuid, first, last))


async def _history(client: WireClient, netuid: int, first: int, last: int) -> ChainHistory:
    head = await client.substrate.block_number()
    last = min(last, head)
    turn = asyncio.Semaphore(_AT_ONCE)

    async def read(number: int) -> _Body:
        async with turn:
            return await _body(client, netuid, number)

    heights = range(first, last + 1)
    bodies = dict(zip(heights, await asyncio.gather(*map(read, heights)), strict=True))
    standing = await client.substrate.query_map("Commitments", "CommitmentOf", [netuid])
    epochs, since = await _epochs(client, netuid, first, last)
    return ChainHistory(
        netuid=netuid,
        first=first,
        last=last,
        hashes={number: body.hash for number, body in bodies.items()},
        commitments=tuple(each for body in bodies.values() for each in body.commitments),
        votes=tuple(each for body in bodies.values() for each in body.votes),
        epochs=epochs,
        epochs_since=since,
        seats=await _seats(client, netuid, first),
        seats_last=await metagraph_at(client, netuid, weights=False),
        standing={
            str(key): Commitment(str(key), decode_fields(value["info"]["fields"]), int(value["block"]))
            for key, value in standing
        },
        unread=tuple(number for number, body in bodies.items() if body.unread),
        unproven=tuple(number for number, body in bodies.items() if body.unproven),
    )


async def _body(client: WireClient, netuid: int, number: int) -> _Body:
    at = str(await client.rpc_async("chain_getBlockHash", number))
    block: Any = await client.substrate.get_block(block_hash=at)
    body = _Body(at)
    for index, extrinsic in enumerate(block["extrinsics"]):
        if extrinsic is None:
            body.unread = True
        elif extrinsic.get("address") is not None:
            signer = str(extrinsic["address"])
            for call in _calls(extrinsic["call"]):
                _take(body, call, (number, index, signer), netuid)
    if body.commitments or body.votes:
        try:
            events: Any = await client.substrate.events(at)
        except bittensor.BittensorError:  # the node keeps no state that old
            body.unproven = True
            return body
        failed = {event.get("extrinsic_idx") for event in events if event["event_id"] in _FAILED}
        body.commitments = [each for each in body.commitments if each.index not in failed]
        body.votes = [replace(each, refused=each.index in failed) for each in body.votes]
    return body


def _calls(call: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A call, and what it carries where it is a batch."""
    if call["call_module"] == "Utility" and call["call_function"] in _BATCHES:
        for inner in _arguments(call)["calls"]:
            yield from _calls(inner)
    else:
        yield call


def _take(body: _Body, call: dict[str, Any], where: tuple[int, int, str], netuid: int) -> None:
    """Keep what a call says of the subnet."""
    module, function = call["call_module"], call["call_function"]
    if module not in ("Commitments", "SubtensorModule"):
        return
    given = _arguments(call)
    if given.get("netuid") != netuid:
        return
    if (module, function) == ("Commitments", "set_commitment"):
        body.commitments.append(Committed(*where, decode_fields(given["info"]["fields"])))
    elif function in _PLAIN_VOTES:
        pairs = zip(given["dests"], given["weights"], strict=True)
        body.votes.append(Voted(*where, {int(uid): int(weight) for uid, weight in pairs}))
    elif function in _SEALED_VOTES:
        body.votes.append(Voted(*where, None))


def _arguments(call: dict[str, Any]) -> dict[str, Any]:
    return {argument["name"]: argument["value"] for argument in call["call_args"]}


async def _epochs(client: WireClient, netuid: int, first: int, last: int) -> tuple[tuple[Epoch, ...], int]:
    """The epochs from `first` to `last`, and the height from which all of them are known."""
    most = last - first + 1
    paid = await past_epochs(client, netuid, block=last, most=most, after=first - 1)
    found: list[Epoch] = []
    for each in paid:
        try:
            given = await metagraph_at(client, netuid, max(each.block - 1, 0))
            found.append(Epoch(given, await metagraph_at(client, netuid, each.block)))
        except bittensor.BittensorError:
            found.clear()  # a node forgets the oldest states first
    since = first
    if not await _has_state(client, netuid, first):
        since = found[0].found.block if found else last + 1
    return tuple(found), since


async def _seats(client: WireClient, netuid: int, first: int) -> MetagraphSnapshot:
    block = first if await _has_state(client, netuid, first) else None
    return await metagraph_at(client, netuid, block, weights=False)


async def _has_state(client: WireClient, netuid: int, number: int) -> bool:
    at = await client.rpc_async("chain_getBlockHash", number)
    try:
        return at is not None and bool(
            await client.substrate.query("SubtensorModule", "NetworksAdded", [netuid], block_hash=at)
        )
    except bittensor.BittensorError:
        return False
