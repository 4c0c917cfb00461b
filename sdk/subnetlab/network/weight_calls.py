"""A validator's weights as a call: the SDK's own way, and the plain one for a runtime older than the SDK.

The SDK's `SetWeights` asks which consensus a subnet runs, an item that runtimes before it do not have. There
is only one consensus then, and the plain call says the same.
"""

from collections.abc import Mapping
from typing import Any

import bittensor

from subnetlab.errors import ChainRejected


async def weights_call(
    substrate: bittensor.RpcSubstrate, signer: bittensor.Signer, netuid: int, weights: Mapping[int, float]
) -> Any:
    """The composed call that sets these weights, by uid in any non-negative scale.

    Raises:
        bittensor.BittensorError: not registered, too soon, all zero, or a weight is not a number.
        ChainRejected: an older runtime that wants sealed weights.
    """
    intent: Any = bittensor.SetWeights(netuid=netuid, weights=dict(weights))  # pyright: ignore[reportArgumentType]
    try:
        built = await intent.build(substrate, signer)
    except ValueError as error:
        if "not found" not in str(error):
            raise
        return await plain_weights_call(substrate, netuid, weights)
    return getattr(built, "call", built)


async def plain_weights_call(
    substrate: bittensor.RpcSubstrate, netuid: int, weights: Mapping[int, float]
) -> Any:
    """The composed plain call for weights by uid; errors as `weights_call`."""
    if await substrate.query("SubtensorModule", "CommitRevealWeightsEnabled", [netuid]):
        raise ChainRejected(
            f"Subnet {netuid} takes sealed weights only.",
            pallet="SubtensorModule",
            code="CommitRevealEnabled",
            hint="The owner can turn commit-reveal off.",
        )
    uids, values = bittensor.intents.normalize(list(weights), list(weights.values()))
    if not uids:
        raise bittensor.BittensorError("All weights are zero; nothing to set.")
    call: Any = bittensor.calls.SubtensorModule.set_mechanism_weights
    return await substrate.compose(call(netuid=netuid, mecid=0, dests=uids, weights=values, version_key=0))
