"""What a subnet paid in past epochs, read back from the chain's own state.

The chain keeps the pay of the last epoch only, but a node keeps the state of past blocks: the block of an
epoch holds its pay, and the block before that the pay of the epoch before. A node that has forgotten those
blocks ends the walk; a public node remembers about 256.
"""

from dataclasses import dataclass
from typing import Any

import bittensor

from subnetlab.network.wire_client import WireClient


@dataclass(frozen=True, slots=True)
class PaidEpoch:
    """One epoch of a subnet: its block, and what each uid was paid, in alpha-rao."""

    block: int
    paid_alpha_rao: tuple[int, ...]


async def past_epochs(
    client: WireClient, netuid: int, *, block: int, most: int, after: int = 0
) -> list[PaidEpoch]:
    """The epochs up to `block`, oldest first; on the client's own loop.

    Args:
        client: the connection.
        netuid: the subnet.
        block: the height to look back from.
        most: how many at most.
        after: leave out epochs up to this height, because they are known.
    """
    found: list[PaidEpoch] = []
    number = block
    while len(found) < most:
        try:
            step = await _read(client, "LastMechansimStepBlock", netuid, number)
            if not step or int(step) <= after:
                break
            paid = await _read(client, "Emission", netuid, int(step))
        except bittensor.BittensorError:
            break  # the node keeps no state that old
        if not paid:
            break
        found.append(PaidEpoch(block=int(step), paid_alpha_rao=tuple(int(amount) for amount in paid)))
        number = int(step) - 1
    return found[::-1]


async def _read(client: WireClient, item: str, netuid: int, number: int) -> Any:
    at = await client.rpc_async("chain_getBlockHash", number)
    return (
        None if at is None else await client.substrate.query("SubtensorModule", item, [netuid], block_hash=at)
    )
