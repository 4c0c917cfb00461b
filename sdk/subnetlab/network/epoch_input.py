"""What an epoch of a subnet was told, read back over the wire: stakes, permits, weights, bonds and rules.

An epoch runs at the beginning of its block, so what it saw is the state of the block before. A node that has
forgotten that block answers with the newest instead: then it is what the next epoch would see if nothing
moved. Stake is what the metagraph shows, a fraction of a rao less than the chain's own number; sealed weights
that wait for their reveal are not seen. Proportions and amounts are as `yuma.epoch` takes them.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

import bittensor

from subnetlab.errors import NetworkError
from subnetlab.network.metagraph import MetagraphSnapshot, metagraph_at
from subnetlab.network.wire_client import WireClient
from subnetlab.yuma.bonds import BondRules
from subnetlab.yuma.epoch import EpochInput, EpochRules, Neuron
from subnetlab.yuma.fixed import I64F64

_ON_SUBNET: tuple[str, ...] = (
    "AlphaValues", "ActivityCutoffFactorMilli", "Yuma3On", "BondsMovingAverage", "BondsPenalty",
    "LiquidAlphaOn", "AlphaSigmoidSteepness", "Kappa", "MaxAllowedValidators",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochRead:
    """What an epoch evaluates, and the metagraph it was read from."""

    given: EpochInput
    graph: MetagraphSnapshot
    """Before the epoch where `ran`, else the newest block."""
    after: MetagraphSnapshot
    """With what the chain made of it; the same as `graph` where no epoch ran."""
    ran: bool
    """Whether the chain evaluated exactly this."""


def read_epoch(client: WireClient, netuid: int, block: int | None = None) -> EpochRead:
    """Read what the last epoch up to a block (the head unless given) was told.

    Raises:
        ChainRejected: there is no such subnet.
        NodeUnreachable: the node does not answer, or the block does not exist.
    """
    return client.run(_read(client, netuid, block))


async def _read(client: WireClient, netuid: int, block: int | None) -> EpochRead:
    newest = await metagraph_at(client, netuid, block)
    ran = newest.last_step
    if ran > 1:
        try:
            before = await metagraph_at(client, netuid, ran - 1)
            after = newest if newest.block == ran else await metagraph_at(client, netuid, ran)
        except (bittensor.BittensorError, NetworkError):
            pass  # the node keeps no state that old
        else:
            return EpochRead(
                given=await _given(client, before, ran, after), graph=before, after=after, ran=True
            )
    given = await _given(client, newest, newest.block + 1, newest)
    return EpochRead(given=given, graph=newest, after=newest, ran=False)


async def _given(
    client: WireClient, graph: MetagraphSnapshot, block: int, after: MetagraphSnapshot
) -> EpochInput:
    """The state of `graph` as the epoch of `block` sees it; what it shares out is what `after` shows."""
    at = str(await client.rpc_async("chain_getBlockHash", graph.block))
    substrate, netuid = client.substrate, graph.netuid

    async def ask(item: str, keys: list[int]) -> Any:
        return await substrate.query("SubtensorModule", item, keys, block_hash=at)

    told = dict(
        zip(_ON_SUBNET, await asyncio.gather(*(ask(item, [netuid]) for item in _ON_SUBNET)), strict=True)
    )
    threshold = int(await ask("StakeThreshold", []) or 0)
    bonds = await substrate.query_map("SubtensorModule", "Bonds", [netuid], block_hash=at)
    rows = {int(uid): tuple((int(j), int(value)) for j, value in row) for uid, row in bonds}
    owners = [n.uid for n in graph.neurons if n.hotkey == graph.owner_hotkey]
    return EpochInput(
        block=block,
        fresh_since=graph.last_step + 1 if graph.last_step else max(0, block - graph.tempo),
        emission=sum(int(neuron.emission_alpha_rao) for neuron in after.neurons),
        neurons=tuple(
            Neuron(
                stake=I64F64.of(int(neuron.stake_alpha_rao)),
                last_update=neuron.last_update,
                registered_at=neuron.registered_at,
                permit=neuron.validator_permit,
                weights=tuple(sorted(graph.weights.get(neuron.uid, {}).items())),
                bonds=rows.get(neuron.uid, ()),
            )
            for neuron in graph.neurons
        ),
        rules=_rules(told, threshold, graph.tempo),
        owner_uid=owners[0] if owners else None,
    )


def _rules(told: dict[str, Any], threshold: int, tempo: int) -> EpochRules:
    low, high = told["AlphaValues"]
    cutoff = int(told["ActivityCutoffFactorMilli"]) * tempo // 1000
    return EpochRules(
        kappa=int(told["Kappa"]),
        max_validators=int(told["MaxAllowedValidators"]),
        activity_cutoff=max(1, cutoff),
        stake_threshold=threshold,
        bonds=BondRules(
            yuma3=bool(told["Yuma3On"]),
            moving_average=int(told["BondsMovingAverage"]),
            penalty=int(told["BondsPenalty"]),
            liquid_alpha=bool(told["LiquidAlphaOn"]),
            alpha_low=int(low),
            alpha_high=int(high),
            steepness=int(told["AlphaSigmoidSteepness"]),
        ),
    )
