"""The `dev_` methods, which only a devnet has: sealing, money, snapshots, time.

They change play money and play time only. On a shared machine `--dev-token` keeps them to who can read the
token's file.
"""

from typing import Any

from subnetlab.devnet.block import Block, hexed
from subnetlab.devnet.rpc.method import Parameters, invalid_params, method
from subnetlab.devnet.rpc.service import Peer, Service
from subnetlab.devnet.sealing import describe, parse_sealing

MAX_SEAL = 100_000


def _head(block: Block) -> dict[str, Any]:
    return {"number": block.number, "hash": hexed(block.hash)}


@method("dev_setSealing")
def set_sealing(service: Service, parameters: Parameters, _peer: Peer) -> Any:
    """Switch to `"instant"`, `"manual"` or `{"interval": seconds}`; answers the mode."""
    try:
        mode = parse_sealing(parameters.get(0))
    except ValueError as error:
        raise invalid_params(str(error)) from error
    service.sealer.switch(mode)
    return describe(service.sealer.mode)


@method("dev_seal")
def seal(service: Service, parameters: Parameters, _peer: Peer) -> dict[str, Any]:
    """Seal blocks now and answer the new head."""
    return _head(service.sealer.seal(parameters.integer(0, 1, low=1, high=MAX_SEAL)))


@method("dev_faucet")
def faucet(service: Service, parameters: Parameters, _peer: Peer) -> dict[str, Any]:
    """Give an account newly issued rao, from the next block on."""
    who, amount = parameters.text(0), parameters.integer(1, low=1, high=2**63)
    service.node.endow(who, amount)
    if describe(service.sealer.mode) == "instant":
        service.sealer.seal()
    return _head(service.node.blocks.head)


@method("dev_info")
def info(service: Service, _parameters: Parameters, _peer: Peer) -> dict[str, Any]:
    """What this node is and how it seals."""
    node = service.node
    return {
        "head": _head(node.blocks.head),
        "genesis": hexed(node.blocks.genesis.hash),
        "sealing": describe(service.sealer.mode),
        "pool": len(node.pool),
        "spec_version": node.codec.spec_version,
        "snapshots": sorted(service.snapshots),
    }


