"""The `dev_` methods, which only a devnet has: sealing, money, snapshots, time.

They change play money and play time only, and are open to who sends the node's token (`token`).
"""

import asyncio
from pathlib import Path
from typing import Any

from subnetlab.devnet.chain.block import Block, hexed
from subnetlab.devnet.chain.registry import DispatchError
from subnetlab.devnet.node.sealer import Instant, describe, parse_sealing
from subnetlab.devnet.rpc.connection import Connection
from subnetlab.devnet.rpc.method import SERVER_ERROR, Parameters, RpcError, invalid_params, method
from subnetlab.devnet.rpc.service import Service
from subnetlab.devnet.storage import snapshot
from subnetlab.errors import StateFileInvalid

MAX_SEAL = 100_000
MAX_SNAPSHOTS = 64


def _head(block: Block) -> dict[str, Any]:
    return {"number": block.number, "hash": hexed(block.hash)}


@method("dev_setSealing")
def set_sealing(service: Service, parameters: Parameters, _connection: Connection) -> Any:
    """Switch to `"instant"`, `"manual"` or `{"interval": seconds}`; answers the mode."""
    try:
        mode = parse_sealing(parameters.get(0))
    except ValueError as error:
        raise invalid_params(str(error)) from error
    service.sealer.switch(mode)
    return describe(service.sealer.mode)


@method("dev_seal")
async def seal(service: Service, parameters: Parameters, _connection: Connection) -> dict[str, Any]:
    """Seal blocks now and answer the new head."""
    return _head(await service.sealer.seal_many(parameters.integer(0, 1, low=1, high=MAX_SEAL)))


@method("dev_faucet")
def faucet(service: Service, parameters: Parameters, _connection: Connection) -> dict[str, Any]:
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
def info(service: Service, _parameters: Parameters, _connection: Connection) -> dict[str, Any]:
    """What this node is and how it seals."""
    node = service.node
    return {
        "head": _head(node.blocks.head),
        "genesis": hexed(node.blocks.genesis.hash),
        "sealing": describe(service.sealer.mode),
        "pool": len(node.transaction_pool),
        "spec_version": node.codec.spec_version,
        "snapshots": sorted(service.snapshots),
    }


@method("dev_snapshot")
def take_snapshot(service: Service, _parameters: Parameters, _connection: Connection) -> str:
    """Hold the chain as it is; answers an id for `dev_revert`. Only the newest 64 are kept."""
    while len(service.snapshots) >= MAX_SNAPSHOTS:
        del service.snapshots[next(iter(service.snapshots))]  # the oldest
    identifier = f"{service.new_id()}-at-{service.node.blocks.head.number}"
    service.snapshots[identifier] = snapshot.take(service.node)
    return identifier


@method("dev_revert")
def revert(service: Service, parameters: Parameters, _connection: Connection) -> dict[str, Any]:
    """Put a held chain back; it stays held."""
    held = service.snapshots.get(parameters.text(0))
    if held is None:
        raise invalid_params(f"no such snapshot: {parameters.text(0)}")
    snapshot.put_back(service.node, held)
    service.announce_head()
    return _head(service.node.blocks.head)


@method("dev_save")
async def save(service: Service, parameters: Parameters, _connection: Connection) -> dict[str, Any]:
    """Write the chain to a file below the folder of `--state` (to that file where none is named)."""
    journal, node = service.journal, service.node
    path = journal.path if journal and parameters.get(0) is None else _path(service, parameters.text(0))
    head = _head(node.blocks.head)
    try:
        if journal is not None and path == journal.path.absolute():
            journal.fold()
        else:
            await asyncio.to_thread(snapshot.write, snapshot.document(node), path)
    except OSError as error:
        raise RpcError(SERVER_ERROR, f"The chain cannot be saved: {error}") from error
    return head


@method("dev_load")
async def load(service: Service, parameters: Parameters, _connection: Connection) -> dict[str, Any]:
    """Replace the chain by a saved one of the same genesis, in a file below the folder of `--state`."""
    node, path = service.node, _path(service, parameters.text(0))
    try:
        saved = await asyncio.to_thread(snapshot.read, path, node.blocks.genesis.hash)
    except StateFileInvalid as error:
        raise RpcError(SERVER_ERROR, str(error)) from error
    node.transaction_pool.clear()
    snapshot.adopt(node, saved)
    service.announce_head()
    return _head(node.blocks.head)


def _path(service: Service, text: str) -> Path:
    """The file that a client names: a new or a plain one below the node's own folder, by no link."""
    if service.folder is None:
        raise invalid_params("the node was started without --state, so it has no folder for files")
    folder = service.folder.resolve()
    path = folder / text
    if "\0" in text or path.parent.resolve() / path.name != path or not path.is_relative_to(folder):
        raise invalid_params(f"expected a file below {folder}, named without links")
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise invalid_params(f"{path} is no plain file")
    return path


@method("dev_increaseTime")
def increase_time(service: Service, parameters: Parameters, _connection: Connection) -> int:
    """Move the clock of coming blocks forward by seconds; answers milliseconds since 1970."""
    service.node.clock.advance(1000 * parameters.integer(0, low=0, high=10**10))
    return service.node.clock.now()


@method("dev_setStorage")
def set_storage(service: Service, parameters: Parameters, _connection: Connection) -> None:
    """Write a raw value under a raw key in the next block; null removes it."""
    service.node.state.put(parameters.data(0), parameters.optional_data(1))


@method("dev_shutdown")
def shutdown(service: Service, _parameters: Parameters, _connection: Connection) -> bool:
    """Stop the node after this answer."""
    service.stop()
    return True
