"""The `dev_` methods, which only a devnet has: sealing, money, snapshots, time.

They change play money and play time only. On a shared machine `--dev-token` keeps them to who can read the
token's file.
"""

from pathlib import Path
from typing import Any

from subnetlab.devnet import snapshot
from subnetlab.devnet.block import Block, hexed
from subnetlab.devnet.registry import DispatchError
from subnetlab.devnet.rpc.method import SERVER_ERROR, Parameters, RpcError, invalid_params, method
from subnetlab.devnet.rpc.service import Peer, Service
from subnetlab.devnet.sealing import Instant, describe, parse_sealing
from subnetlab.errors import StateFileInvalid

MAX_SEAL = 100_000
MAX_SNAPSHOTS = 64


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
    try:
        service.node.endow(who, amount)
    except (ValueError, DispatchError) as error:
        raise invalid_params(f"cannot endow {who} with {amount} rao: {error}") from error
    if isinstance(service.sealer.mode, Instant):
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


@method("dev_snapshot")
def take_snapshot(service: Service, _parameters: Parameters, _peer: Peer) -> str:
    """Hold the chain as it stands; answers an id for `dev_revert`. Only the newest 64 are kept."""
    while len(service.snapshots) >= MAX_SNAPSHOTS:
        del service.snapshots[next(iter(service.snapshots))]  # the oldest
    identifier = f"{service.new_id()}-at-{service.node.blocks.head.number}"
    service.snapshots[identifier] = snapshot.take(service.node)
    return identifier


@method("dev_revert")
def revert(service: Service, parameters: Parameters, _peer: Peer) -> dict[str, Any]:
    """Put a held chain back; it stays held."""
    held = service.snapshots.get(parameters.text(0))
    if held is None:
        raise invalid_params(f"no such snapshot: {parameters.text(0)}")
    snapshot.put_back(service.node, held)
    service.announce_head()
    return _head(service.node.blocks.head)


@method("dev_save")
def save(service: Service, parameters: Parameters, _peer: Peer) -> dict[str, Any]:
    """Write the chain to a file on the node's machine (`--state` where none is named)."""
    journal = service.journal
    path = None if parameters.get(0) is None else Path(parameters.text(0)).absolute()
    if path is None and journal is None:
        raise invalid_params("expected a path, because the node was started without --state")
    try:
        if journal is not None and path in (None, journal.path.absolute()):
            journal.fold()
        elif path is not None:
            snapshot.save(service.node, path)
    except OSError as error:
        raise RpcError(SERVER_ERROR, f"The chain cannot be saved: {error}") from error
    return _head(service.node.blocks.head)


@method("dev_load")
def load(service: Service, parameters: Parameters, _peer: Peer) -> dict[str, Any]:
    """Replace the chain by a saved one of the same genesis."""
    service.node.pool.clear()
    try:
        snapshot.load(service.node, Path(parameters.text(0)))
    except StateFileInvalid as error:
        raise RpcError(SERVER_ERROR, str(error)) from error
    service.announce_head()
    return _head(service.node.blocks.head)


@method("dev_increaseTime")
def increase_time(service: Service, parameters: Parameters, _peer: Peer) -> int:
    """Move the clock of coming blocks forward by seconds; answers milliseconds since 1970."""
    service.node.clock.advance(1000 * parameters.integer(0, low=0, high=10**10))
    return service.node.clock.now()


@method("dev_setStorage")
def set_storage(service: Service, parameters: Parameters, _peer: Peer) -> None:
    """Write a raw value under a raw key in the next block; null removes it."""
    service.node.state.put(parameters.data(0), parameters.optional_data(1))


@method("dev_shutdown")
def shutdown(service: Service, _parameters: Parameters, _peer: Peer) -> bool:
    """Stop the node after this answer."""
    service.stop()
    return True
