"""What a public run asks of a chain beside its hotkey's own view: seats, commitments, rules, block time.

Reads only, by methods that every Subtensor-compatible node answers. Everything is asked of one block, so that
all peers of a run that ask for the same height see the same seats.
"""

import asyncio
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any, Final

from subnetlab.errors import NodeUnreachable
from subnetlab.network.chain import Block, Commitment
from subnetlab.network.commitment_fields import decode_fields
from subnetlab.network.metagraph import MetagraphSnapshot, metagraph_at
from subnetlab.network.wire_client import WireClient
from subnetlab.train.anchors import Anchor
from subnetlab.train.roster import ChainRoster, Neuron

_SPAN: Final = 7
"""Gaps between blocks over which their time is measured."""
_USUAL_BLOCK_S: Final = 12.0
_LEAST_BLOCK_S: Final = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a subnet allows, as far as a run depends on it."""

    tempo: int
    """Blocks between two epochs."""
    weights_every: int
    """Blocks that must lie between two votes of a validator."""
    sealed_weights: bool
    """Whether votes are committed first and revealed an epoch later."""
    commit_bytes: int
    """What a hotkey may commit in an epoch."""
    registration_rao: int
    block_s: float
    """Seconds between two blocks, as the newest ones came."""


class SubnetReads:
    """One subnet of one node, read.

    Args:
        endpoint: `ws://host:port`.
        netuid: the subnet.
    """

    def __init__(self, endpoint: str, netuid: int) -> None:
        self.endpoint, self.netuid = endpoint, netuid
        self.client = WireClient(endpoint)

    def close(self) -> None:
        """Leave the node."""
        self.client.close()

    def head(self) -> Block:
        """The newest block."""
        found = str(self.client.rpc("chain_getHead"))
        return Block(number=int(self.client.rpc("chain_getHeader", found)["number"], 16), hash=found)

    def metagraph(self) -> MetagraphSnapshot:
        """The seats of the subnet at the head.

        Raises:
            ChainRejected: there is no such subnet.
            NodeUnreachable: the node does not answer.
        """
        return self.client.run(metagraph_at(self.client, self.netuid, weights=False))

    def commitment(self, hotkey: str) -> Commitment | None:
        """The last commitment of one hotkey; None where it has none."""

        async def ask() -> Any:
            return await self.client.substrate.query("Commitments", "CommitmentOf", [self.netuid, hotkey])

        found = self.client.run(ask())
        return None if not found else _commitment(hotkey, found)

    def commitments(self, block_hash: str | None = None) -> dict[str, Commitment]:
        """The last commitment of every hotkey of the subnet, at a block or the head."""
        return self.client.run(self._commitments(block_hash))

    async def _commitments(self, block_hash: str | None) -> dict[str, Commitment]:
        ask = self.client.substrate.query_map
        rows = await ask("Commitments", "CommitmentOf", [self.netuid], block_hash=block_hash)
        return {str(key): _commitment(str(key), value) for key, value in rows}

    def rules(self) -> Rules:
        """What the subnet allows at the head."""
        names = ("Tempo", "WeightsSetRateLimit", "CommitRevealWeightsEnabled", "Burn")

        async def ask() -> list[Any]:
            substrate = self.client.substrate
            asked = [substrate.query("SubtensorModule", name, [self.netuid]) for name in names]
            return list(await asyncio.gather(*asked, substrate.query("Commitments", "MaxSpace", [])))

        tempo, limit, sealed, burn, space = self.client.run(ask())
        return Rules(
            tempo=int(tempo), weights_every=int(limit), sealed_weights=bool(sealed), commit_bytes=int(space),
            registration_rao=int(burn or 0), block_s=self.block_s(),
        )  # fmt: skip

    def block_s(self) -> float:
        """Seconds between two blocks: the median of the newest; 12 where a chain is too young.

        The mean would follow the blocks that a development chain sealed at once before it kept an interval.
        """
        head = self.head().number
        since = max(head - _SPAN, 1)
        if head - since < 1:
            return _USUAL_BLOCK_S

        async def stamps() -> list[Any]:
            hashes = (self.client.rpc_async("chain_getBlockHash", n) for n in range(since, head + 1))
            blocks = [str(found) for found in await asyncio.gather(*hashes)]
            ask = self.client.substrate.query
            return list(await asyncio.gather(*(ask("Timestamp", "Now", [], block_hash=at) for at in blocks)))

        times = [int(stamp) for stamp in self.client.run(stamps())]
        between = (after - before for before, after in pairwise(times))
        return max(median(between) / 1000, _LEAST_BLOCK_S)

    def roster(self) -> ChainRoster:
        """The subnet's seats at any height; who says on chain that it mines is a miner, permit or not."""
        return ChainRoster(self._neurons)

    def _neurons(self, height: int) -> list[Neuron]:
        async def ask() -> tuple[MetagraphSnapshot, dict[str, Commitment]]:
            at = await self.client.rpc_async("chain_getBlockHash", height)
            if at is None:
                raise NodeUnreachable(f"The node has no block {height}.", hint="Ask a node that has it.")
            graph = metagraph_at(self.client, self.netuid, height, weights=False)
            return await asyncio.gather(graph, self._commitments(str(at)))

        graph, rows = self.client.run(ask())
        anchors = {hotkey: Anchor.from_bytes(found.data) for hotkey, found in rows.items()}
        return [
            Neuron(
                uid=neuron.uid,
                hotkey=neuron.hotkey,
                stake=int(neuron.stake_alpha_rao),
                permit=neuron.validator_permit,
                is_owner=neuron.hotkey == graph.owner_hotkey,
                mines=(anchor := anchors.get(neuron.hotkey)) is not None and anchor.who == "miner",
            )
            for neuron in graph.neurons
        ]


def _commitment(hotkey: str, value: Any) -> Commitment:
    return Commitment(hotkey=hotkey, data=decode_fields(value["info"]["fields"]), block=int(value["block"]))
