"""The newer JSON-RPC interface: `chainHead_v1_*`, `chainSpec_v1_*`, `transaction_v1_*`, which PAPI speaks.

Every sealed block is best and final at once, and blocks stay for ever, so pinning only checks that a
subscription lives. A chain that was put back by `dev_revert` ends subscriptions with `stop`, after which
clients follow anew. Source: the JSON-RPC interface specification (paritytech/json-rpc-interface-spec).
"""

from collections.abc import Callable
from typing import Any

from subnetlab.devnet import version
from subnetlab.devnet.block import Block, hexed
from subnetlab.devnet.extrinsic import digest
from subnetlab.devnet.node import BadArguments, Changes, UnknownApi
from subnetlab.devnet.refusal import Refusal
from subnetlab.devnet.rpc.method import Parameters, RpcError, from_hex, invalid_params, method
from subnetlab.devnet.rpc.service import Peer, Service
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
def follow(service: Service, parameters: Parameters, peer: Peer) -> str:
    """Hear of every block, and be allowed to ask about them."""
    with_runtime, subscription = bool(parameters.get(0)), begin(service, peer)
    last = service.node.blocks.head.hash

    def tell(event: str, **fields: Any) -> None:
        peer.notify(FOLLOW_EVENT, subscription, {"event": event, **fields})

    def on_block(block: Block, _changes: Changes) -> None:
        nonlocal last
        if block.parent_hash != last:
            del peer.on_block[subscription]
            tell("stop")
            return
        parent, last = hexed(last), block.hash
        fresh = hexed(block.hash)
        runtime = {"newRuntime": None} if with_runtime else {}
        tell("newBlock", blockHash=fresh, parentBlockHash=parent, **runtime)
        tell("bestBlockChanged", bestBlockHash=fresh)
        tell("finalized", finalizedBlockHashes=[fresh], prunedBlockHashes=[])

    def first() -> None:
        runtime = {"type": "valid", "spec": _spec(service)}
        extra = {"finalizedBlockRuntime": runtime} if with_runtime else {}
        tell("initialized", finalizedBlockHashes=[hexed(last)], **extra)
        tell("bestBlockChanged", bestBlockHash=hexed(last))

    peer.on_block[subscription] = on_block
    peer.after_reply(first)
    return subscription


@method("chainHead_v1_unfollow")
def unfollow(_service: Service, parameters: Parameters, peer: Peer) -> None:
    """Hear no more."""
    peer.on_block.pop(parameters.text(0), None)


@method("chainHead_v1_unpin", "chainHead_v1_continue", "chainHead_v1_stopOperation")
def nothing(_service: Service, _parameters: Parameters, _peer: Peer) -> None:
    """Blocks stay and operations end at once: there is nothing to let go."""


def _followed(service: Service, parameters: Parameters, peer: Peer) -> Block | None:
    """The block asked about, None where the subscription has ended."""
    if parameters.text(0) not in peer.on_block:
        return None
    wanted = parameters.block_hash(1)
    block = None if wanted is None else service.node.blocks.find(wanted)
    if block is None or block.number < service.node.pruned_before:
        raise RpcError(INVALID_BLOCK, "Invalid block hash")
    return block


def _operate(service: Service, parameters: Parameters, peer: Peer, work: Callable[[Block], list[Any]]) -> Any:
    """Start an operation whose events follow the reply."""
    block = _followed(service, parameters, peer)
    if block is None:
        return LIMIT_REACHED
    operation, subscription = service.new_id(), parameters.text(0)
    events = work(block)

    def send() -> None:
        for event in events:
            peer.notify(FOLLOW_EVENT, subscription, {**event, "operationId": operation})

    peer.after_reply(send)
    return {"result": "started", "operationId": operation}


@method("chainHead_v1_header")
def header(service: Service, parameters: Parameters, peer: Peer) -> str | None:
    """A block's SCALE header."""
    block = _followed(service, parameters, peer)
    return None if block is None else hexed(block.encoded_header())


@method("chainHead_v1_body")
def body(service: Service, parameters: Parameters, peer: Peer) -> Any:
    """A block's extrinsics."""
    return _operate(
        service,
        parameters,
        peer,
        lambda block: [{"event": "operationBodyDone", "value": [hexed(raw) for raw in block.extrinsics]}],
    )


@method("chainHead_v1_call")
def call(service: Service, parameters: Parameters, peer: Peer) -> Any:
    """A runtime API's answer."""
    name, data = parameters.text(2), parameters.data(3)

    def work(block: Block) -> list[Any]:
        try:
            output = service.node.call_api(name, data, block)
        except (UnknownApi, BadArguments) as error:
            return [{"event": "operationError", "error": f"{name} cannot be called: {error}"}]
        return [{"event": "operationCallDone", "output": hexed(output)}]

    return _operate(service, parameters, peer, work)


@method("chainHead_v1_storage")
def storage(service: Service, parameters: Parameters, peer: Peer) -> Any:
    """Values or hashes under keys, or below them."""
    asked = parameters.get(2)
    if not isinstance(asked, list) or not all(isinstance(item, dict) for item in asked):
        raise invalid_params("expected a list of items")
    items = [(from_hex(item.get("key"), 2), item.get("type")) for item in asked]
    if any(kind not in VALUE_KINDS for _, kind in items):
        raise invalid_params(f"expected items of type {', '.join(VALUE_KINDS)}")

    def work(block: Block) -> list[Any]:
        found = [entry for key, kind in items for entry in _entries(service, block, key, str(kind))]
        done = [{"event": "operationStorageDone"}]
        return [{"event": "operationStorageItems", "items": found}, *done] if found else done

    started = _operate(service, parameters, peer, work)
    return started if started is LIMIT_REACHED else {**started, "discardedItems": 0}


def _entries(service: Service, block: Block, key: bytes, kind: str) -> list[dict[str, Any]]:
    state = service.node.state
    keys = state.keys(key, block.number) if kind.startswith("descendants") else [key]
    pairs = [(k, value) for k in keys if (value := state.get(k, block.number)) is not None]
    if kind in ("hash", "descendantsHashes"):
        return [{"key": hexed(k), "hash": hexed(digest(value))} for k, value in pairs]
    return [{"key": hexed(k), "value": hexed(value)} for k, value in pairs]


@method("chainSpec_v1_chainName")
def chain_name(_service: Service, _parameters: Parameters, _peer: Peer) -> str:
    """The chain's name."""
    return "Development"


@method("chainSpec_v1_genesisHash")
def genesis_hash(service: Service, _parameters: Parameters, _peer: Peer) -> str:
    """The first block's hash."""
    return hexed(service.node.blocks.genesis.hash)


@method("chainSpec_v1_properties")
def properties(_service: Service, _parameters: Parameters, _peer: Peer) -> dict[str, Any]:
    """Address format and token."""
    return {"ss58Format": 42, "tokenDecimals": 9, "tokenSymbol": "TAO"}


@method("transaction_v1_broadcast")
def broadcast(service: Service, parameters: Parameters, _peer: Peer) -> str:
    """Take an extrinsic into the pool; what is refused is dropped in silence, as the interface says."""
    try:
        service.node.submit(parameters.data(0))
    except Refusal as error:
        service.log_refusal(error)
    return service.new_id()


@method("transaction_v1_stop")
def stop(_service: Service, _parameters: Parameters, _peer: Peer) -> None:
    """Nothing is sent on to anybody, so there is nothing to stop."""
