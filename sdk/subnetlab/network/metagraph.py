"""A subnet at one block, frozen: who holds which uid, what they are paid, and who weighs whom.

Scores stay as the chain keeps them (u16 fractions of 65535), amounts in alpha-rao. All columns are read at
the same block, so they belong together.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from subnetlab.errors import ChainRejected
from subnetlab.network.wire_client import WireClient
from subnetlab.units import AlphaRao

_GET_METAGRAPH = ("SubnetInfoRuntimeApi", "get_metagraph")


@dataclass(frozen=True, slots=True, kw_only=True)
class NeuronSnapshot:
    """One uid's row."""

    uid: int
    hotkey: str
    coldkey: str
    active: bool
    validator_permit: bool
    incentive: int
    """u16, as are dividends, consensus and validator_trust."""
    dividends: int
    consensus: int
    validator_trust: int
    emission_alpha_rao: AlphaRao
    """Paid by the last epoch."""
    stake_alpha_rao: AlphaRao
    """Total stake: alpha plus what root stake counts for."""
    last_update: int
    registered_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MetagraphSnapshot:
    """A subnet at `block`; `neurons` in uid order."""

    netuid: int
    block: int
    name: str
    tempo: int
    last_step: int
    owner_hotkey: str
    owner_coldkey: str
    neurons: tuple[NeuronSnapshot, ...]
    weights: Mapping[int, Mapping[int, int]]
    """Weight rows (u16) by validator uid, then uid; absent where none were set, or none were asked for."""
    tao_in_rao: int
    alpha_in_rao: int

    def by_hotkey(self, hotkey: str) -> NeuronSnapshot | None:
        """The row of a hotkey, or None."""
        return next((neuron for neuron in self.neurons if neuron.hotkey == hotkey), None)

    @property
    def validators(self) -> tuple[NeuronSnapshot, ...]:
        """The rows with a validator permit."""
        return tuple(neuron for neuron in self.neurons if neuron.validator_permit)


def read_metagraph(client: WireClient, netuid: int, block: int | None = None) -> MetagraphSnapshot:
    """Read a subnet at a block, the head unless given.

    Raises:
        ChainRejected: there is no such subnet.
        NodeUnreachable: the node does not answer, or the block does not exist.
    """
    return client.run(metagraph_at(client, netuid, block))


async def metagraph_at(
    client: WireClient, netuid: int, block: int | None = None, *, weights: bool = True
) -> MetagraphSnapshot:
    """As `read_metagraph`, on the client's own loop; without `weights` for a caller that needs seats only."""
    substrate = client.substrate
    if block is None:
        at = str(await client.rpc_async("chain_getHead"))
        header = await client.rpc_async("chain_getHeader", at)
        number = int(header["number"], 16)
    else:
        at, number = str(await client.rpc_async("chain_getBlockHash", block)), block
    questions = [
        substrate.runtime_call(*_GET_METAGRAPH, [netuid], block_hash=at),
        substrate.query("SubtensorModule", "ValidatorTrust", [netuid], block_hash=at),
    ]
    if weights:
        questions.append(substrate.query_map("SubtensorModule", "Weights", [netuid], block_hash=at))
    graph, trust, *given = await asyncio.gather(*questions)
    if not isinstance(graph, dict):
        raise ChainRejected(
            f"There is no subnet {netuid}.",
            pallet="SubtensorModule",
            code="SubnetNotExists",
            hint="`btcli subnets list` or net.client.subnets.all() lists those that exist.",
        )
    return MetagraphSnapshot(
        netuid=netuid,
        block=number,
        name=_text(graph.get("name")),
        tempo=int(graph["tempo"]),
        last_step=int(graph["last_step"]),
        owner_hotkey=str(graph["owner_hotkey"]),
        owner_coldkey=str(graph["owner_coldkey"]),
        neurons=_neurons(graph, list(trust or [])),
        weights={int(uid): {int(to): int(value) for to, value in row} for rows in given for uid, row in rows},
        tao_in_rao=int(graph["tao_in"]),
        alpha_in_rao=int(graph["alpha_in"]),
    )


def _neurons(graph: dict[str, Any], trust: list[Any]) -> tuple[NeuronSnapshot, ...]:
    def number(column: str, uid: int) -> int:
        values = graph[column]
        return int(values[uid]) if uid < len(values) else 0

    return tuple(
        NeuronSnapshot(
            uid=uid,
            hotkey=str(hotkey),
            coldkey=str(graph["coldkeys"][uid]),
            active=bool(number("active", uid)),
            validator_permit=bool(number("validator_permit", uid)),
            incentive=number("incentives", uid),
            dividends=number("dividends", uid),
            consensus=number("consensus", uid),
            validator_trust=int(trust[uid]) if uid < len(trust) else 0,
            emission_alpha_rao=AlphaRao(number("emission", uid)),
            stake_alpha_rao=AlphaRao(number("total_stake", uid)),
            last_update=number("last_update", uid),
            registered_at=number("block_at_registration", uid),
        )
        for uid, hotkey in enumerate(graph["hotkeys"])
    )


def _text(value: Any) -> str:
    if isinstance(value, str):
        if not value.startswith("0x"):
            return value
        value = bytes.fromhex(value[2:])
    return bytes(value or b"").decode("utf-8", errors="replace")
