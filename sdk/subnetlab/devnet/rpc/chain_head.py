"""The newer JSON-RPC interface: `chainHead_v1_*`, `chainSpec_v1_*`, `transaction_v1_*`, which PAPI speaks.

Every sealed block is best and final at once, and blocks stay for ever, so pinning only checks that a
subscription lives. A chain that was put back by `dev_revert` ends subscriptions with `stop`, after which
clients follow anew. Source: the JSON-RPC interface specification (paritytech/json-rpc-interface-spec).
"""

from collections.abc import Callable, Iterator
from typing import Any

from subnetlab.devnet.chain import version
from subnetlab.devnet.chain.block import Block, hexed
from subnetlab.devnet.chain.extrinsic import digest
from subnetlab.devnet.chain.transaction_error import TransactionError
from subnetlab.devnet.node.node import BadArguments, UnknownApi
from subnetlab.devnet.rpc.connection import Connection, Sealed
from subnetlab.devnet.rpc.method import Parameters, RpcError, bounded, from_hex, invalid_params, method
from subnetlab.devnet.rpc.service import Service
from subnetlab.devnet.rpc.subscriptions import begin

INVALID_BLOCK = -32801
FOLLOW_EVENT = "chainHead_v1_followEvent"
VALUE_KINDS = ("value", "hash", "descendantsValues", "descendantsHashes")
LIMIT_REACHED = {"result": "limitReached"}


def _spec(service: Service) -> dict[str, Any]:
    described = version.json_value(service.node.codec)
    kept = ("specName", "implName", "specVersion", "implVersion", "transactionVersion")
    return {**{name: described[name] for name in kept}, "apis": dict(described["apis"])}


@method("chainHead_v1_follow")
def follow(service: Service, parameters: Parameters, connection: Connection) -> str:
    """Hear of every block, and be allowed to ask about them."""
    with_runtime = bool(parameters.get(0))
    last = service.node.blocks.head.hash

    def tell(event: str, **fields: Any) -> None:
        connection.notify(FOLLOW_EVENT, subscription, {"event": event, **fields})

    def on_block(sealed: Sealed) -> None:
        nonlocal last
        block = sealed.block
        if block.parent_hash != last:
            connection.end(subscription)
            tell("stop")
            return
        last = block.hash
        runtime = {"newRuntime": None} if with_runtime else {}
        for event, content in _block_events(block, runtime).items():
            text = sealed.text(f"{event} {with_runtime}", lambda content=content: content)
            connection.notify_text(FOLLOW_EVENT, subscription, text)

    subscription = begin(service, connection, on_block)
    runtime = {"type": "valid", "spec": _spec(service)}
    extra = {"finalizedBlockRuntime": runtime} if with_runtime else {}
    tell("initialized", finalizedBlockHashes=[hexed(last)], **extra)
    tell("bestBlockChanged", bestBlockHash=hexed(last))
    return subscription


def _block_events(block: Block, runtime: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What a follower is told of one block, in order."""
    fresh, parent = hexed(block.hash), hexed(block.parent_hash)
    events = {
        "newBlock": {"blockHash": fresh, "parentBlockHash": parent, **runtime},
        "bestBlockChanged": {"bestBlockHash": fresh},
        "finalized": {"finalizedBlockHashes": [fresh], "prunedBlockHashes": []},
    }
    return {event: {"event": event, **fields} for event, fields in events.items()}


@method("chainHead_v1_unfollow")
def unfollow(_service: Service, parameters: Parameters, connection: Connection) -> None:
    """Hear no more."""
    connection.end(parameters.text(0))


@method("chainHead_v1_unpin", "chainHead_v1_continue", "chainHead_v1_stopOperation")
def nothing(_service: Service, _parameters: Parameters, _connection: Connection) -> None:
    """Blocks stay and operations end at once: there is nothing to let go."""


def _followed(service: Service, parameters: Parameters, connection: Connection) -> Block | None:
    """The block asked about, None where the subscription has ended."""
    if parameters.text(0) not in connection.on_block:
        return None
    wanted = parameters.block_hash(1)
    block = None if wanted is None else service.node.blocks.find(wanted)
    if block is None or block.number < service.node.pruned_before:
        raise RpcError(INVALID_BLOCK, "Invalid block hash")
    return block


def _operate(
    service: Service, parameters: Parameters, connection: Connection, work: Callable[[Block], list[Any]]
) -> Any:
    """Start an operation whose events follow the reply."""
    block = _followed(service, parameters, connection)
    if block is None:
        return LIMIT_REACHED
    operation, subscription = service.new_id(), parameters.text(0)
    events = work(block)

    def send() -> None:
        for event in events:
            connection.notify(FOLLOW_EVENT, subscription, {**event, "operationId": operation})

    connection.after_reply(send)
    return {"result": "started", "operationId": operation}


@method("chainHead_v1_header")
def header(service: Service, parameters: Parameters, connection: Connection) -> str | None:
    """A block's SCALE header."""
    block = _followed(service, parameters, connection)
    return None if block is None else hexed(block.encoded_header())


@method("chainHead_v1_body")
def body(service: Service, parameters: Parameters, connection: Connection) -> Any:
    """A block's extrinsics."""
    return _operate(
        service,
        parameters,
        connection,
        lambda block: [{"event": "operationBodyDone", "value": [hexed(raw) for raw in block.extrinsics]}],
    )


@method("chainHead_v1_call")
def call(service: Service, parameters: Parameters, connection: Connection) -> Any:
    """A runtime API's answer."""
    name, data = parameters.text(2), parameters.data(3)

    def work(block: Block) -> list[Any]:
        try:
            output = service.node.call_api(name, data, block)
        except (UnknownApi, BadArguments) as error:
            return [{"event": "operationError", "error": f"{name} cannot be called: {error}"}]
        return [{"event": "operationCallDone", "output": hexed(output)}]

    return _operate(service, parameters, connection, work)


@method("chainHead_v1_storage")
def storage(service: Service, parameters: Parameters, connection: Connection) -> Any:
    """Values or hashes under keys, or below them."""
    asked = parameters.list(2)
    if not all(isinstance(item, dict) for item in asked):
        raise invalid_params("expected a list of items")
    items = [(from_hex(item.get("key"), 2), item.get("type")) for item in asked]
    if any(kind not in VALUE_KINDS for _, kind in items):
        raise invalid_params(f"expected items of type {', '.join(VALUE_KINDS)}")

    def work(block: Block) -> list[Any]:
        found = bounded(entry for key, kind in items for entry in _entries(service, block, key, str(kind)))
        done = [{"event": "operationStorageDone"}]
        return [{"event": "operationStorageItems", "items": found}, *done] if found else done

    started = _operate(service, parameters, connection, work)
    return started if started is LIMIT_REACHED else {**started, "discardedItems": 0}


def _entries(service: Service, block: Block, key: bytes, kind: str) -> Iterator[dict[str, str]]:
    state = service.node.state
    hashed = kind in ("hash", "descendantsHashes")
    for found in state.keys(key, block.number) if kind.startswith("descendants") else [key]:
        value = state.get(found, block.number)
        if value is not None:
            what = {"hash": hexed(digest(value))} if hashed else {"value": hexed(value)}
            yield {"key": hexed(found), **what}


@method("chainSpec_v1_chainName")
def chain_name(_service: Service, _parameters: Parameters, _connection: Connection) -> str:
    """The chain's name."""
    return "Development"


@method("chainSpec_v1_genesisHash")
def genesis_hash(service: Service, _parameters: Parameters, _connection: Connection) -> str:
    """The first block's hash."""
    return hexed(service.node.blocks.genesis.hash)


@method("chainSpec_v1_properties")
def properties(_service: Service, _parameters: Parameters, _connection: Connection) -> dict[str, Any]:
    """Address format and token."""
    return {"ss58Format": 42, "tokenDecimals": 9, "tokenSymbol": "TAO"}


@method("transaction_v1_broadcast")
def broadcast(service: Service, parameters: Parameters, _connection: Connection) -> str:
    """Take an extrinsic into the pool; what is refused is dropped in silence, as the interface says."""
    try:
        service.node.submit(parameters.data(0))
    except TransactionError as error:
        service.log_rejected(error)
    return service.new_id()


@method("transaction_v1_stop")
def stop(_service: Service, _parameters: Parameters, _connection: Connection) -> None:
    """Nothing is sent on to anybody, so there is nothing to stop."""
