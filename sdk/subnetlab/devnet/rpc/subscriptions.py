"""Subscriptions: new heads, storage, the runtime's version, and what becomes of an extrinsic.

The answer with the subscription's id always leaves before its first update, because updates queue behind it.
Source: `sc-rpc-api`.
"""

from typing import Any, Final

from subnetlab.devnet.chain import version
from subnetlab.devnet.chain.block import hexed
from subnetlab.devnet.chain.transaction_error import TransactionError
from subnetlab.devnet.chain.transaction_pool import Status
from subnetlab.devnet.rpc.connection import Connection, OnBlock, Sealed
from subnetlab.devnet.rpc.method import METHOD_NOT_FOUND, Parameters, RpcError, bounded, method
from subnetlab.devnet.rpc.service import Service

MAX_SUBSCRIPTIONS: Final = 1024
"""Of one connection."""
MAX_NODE_SUBSCRIPTIONS: Final = 4096
"""Of all connections together."""
MAX_WATCHED_KEYS: Final = 2**18
"""Storage keys, and addresses and topics of logs, that all subscriptions together watch."""
MAX_CONNECTION_KEYS: Final = 2**16
"""Of one connection."""
TOO_MANY_SUBSCRIPTIONS: Final = -32006
HEADS = {
    "chain_subscribeNewHeads": "chain_newHead",
    "chain_subscribeNewHead": "chain_newHead",
    "chain_subscribeAllHeads": "chain_allHead",
    "chain_subscribeFinalizedHeads": "chain_finalizedHead",
    "chain_subscribeFinalisedHeads": "chain_finalizedHead",
}


def begin(
    service: Service, connection: Connection, on_block: OnBlock, *, keys: int = 0, hex_id: bool = False
) -> str:
    """Add a subscription that watches so many storage keys, or names of logs, and return its id.

    Raises:
        RpcError: the connection cannot be told anything, or it or the node has too many subscriptions.
    """
    if connection.outbox is None:
        raise RpcError(METHOD_NOT_FOUND, "Method not found", "Subscriptions need a WebSocket connection.")
    if len(connection.on_block) >= MAX_SUBSCRIPTIONS:
        raise RpcError(TOO_MANY_SUBSCRIPTIONS, "Too many subscriptions on the connection")
    if sum(len(one.on_block) for one in service.connections) >= MAX_NODE_SUBSCRIPTIONS:
        raise RpcError(TOO_MANY_SUBSCRIPTIONS, "Too many subscriptions on the node")
    if keys and keys + sum(connection.watched.values()) > MAX_CONNECTION_KEYS:
        raise RpcError(TOO_MANY_SUBSCRIPTIONS, "Too many storage keys or logs are watched on the connection")
    if keys and keys + sum(sum(one.watched.values()) for one in service.connections) > MAX_WATCHED_KEYS:
        raise RpcError(TOO_MANY_SUBSCRIPTIONS, "Too many storage keys or logs are watched on the node")
    subscription = service.new_hex_id() if hex_id else service.new_id()
    connection.begin(subscription, on_block, keys=keys)
    return subscription


def _nothing(_sealed: Sealed) -> None:
    """A subscription that blocks do not concern."""


def _heads(event: str) -> Any:
    def subscribe(service: Service, _parameters: Parameters, connection: Connection) -> str:
        def on_block(sealed: Sealed) -> None:
            connection.notify_text(event, subscription, sealed.text("header", sealed.block.header))

        subscription = begin(service, connection, on_block)
        connection.notify(event, subscription, service.node.blocks.head.header())
        return subscription

    return subscribe


for _name, _event in HEADS.items():
    method(_name)(_heads(_event))


@method("state_subscribeStorage")
def subscribe_storage(service: Service, parameters: Parameters, connection: Connection) -> str:
    """Values of keys now, and whenever a block changes one of them."""
    keys, event = dict.fromkeys(parameters.many(0)), "state_storage"

    def on_block(sealed: Sealed) -> None:
        changes = sealed.changes
        if changed := changes.keys() & keys.keys():
            values = [[hexed(key), _maybe(changes[key])] for key in sorted(changed)]
            update = {"block": hexed(sealed.block.hash), "changes": values}
            connection.notify(event, subscription, update)

    block = service.node.blocks.head
    values = bounded([hexed(key), _maybe(service.node.state.get(key, block.number))] for key in keys)
    subscription = begin(service, connection, on_block, keys=len(keys))
    connection.notify(event, subscription, {"block": hexed(block.hash), "changes": values})
    return subscription


@method("state_subscribeRuntimeVersion", "chain_subscribeRuntimeVersion")
def subscribe_version(service: Service, _parameters: Parameters, connection: Connection) -> str:
    """The runtime's version, once: it never changes here."""
    subscription = begin(service, connection, _nothing)
    connection.notify("state_runtimeVersion", subscription, version.json_value(service.node.codec))
    return subscription


@method("author_submitAndWatchExtrinsic")
def submit_and_watch(service: Service, parameters: Parameters, connection: Connection) -> str:
    """Take an extrinsic into the pool and report what becomes of it."""
    raw = parameters.data(0)

    def watch(status: Status) -> None:
        if subscription in connection.on_block:
            connection.notify("author_extrinsicUpdate", subscription, status)

    subscription = begin(service, connection, _nothing)
    try:
        service.node.submit(raw, watch)
    except TransactionError:
        connection.end(subscription)
        raise
    return subscription


@method(
    "chain_unsubscribeNewHeads",
    "chain_unsubscribeNewHead",
    "chain_unsubscribeAllHeads",
    "chain_unsubscribeFinalizedHeads",
    "chain_unsubscribeFinalisedHeads",
    "state_unsubscribeStorage",
    "state_unsubscribeRuntimeVersion",
    "chain_unsubscribeRuntimeVersion",
    "author_unwatchExtrinsic",
)
def unsubscribe(_service: Service, parameters: Parameters, connection: Connection) -> bool:
    """End a subscription; false where there is none."""
    return connection.end(parameters.text(0))


def _maybe(value: bytes | None) -> str | None:
    return None if value is None else hexed(value)
