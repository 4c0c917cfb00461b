"""Subscriptions: new heads, storage, the runtime's version, and what becomes of an extrinsic.

The answer with the subscription's id always leaves before its first update, because updates queue behind it.
Source: `sc-rpc-api`.
"""

from typing import Any

from subnetlab.devnet import version
from subnetlab.devnet.block import Block, hexed
from subnetlab.devnet.node import Changes
from subnetlab.devnet.pool import Status
from subnetlab.devnet.refusal import Refusal
from subnetlab.devnet.rpc.method import METHOD_NOT_FOUND, Parameters, RpcError, method
from subnetlab.devnet.rpc.service import Peer, Service

MAX_SUBSCRIPTIONS = 1024
TOO_MANY_SUBSCRIPTIONS = -32006
HEADS = {
    "chain_subscribeNewHeads": "chain_newHead",
    "chain_subscribeNewHead": "chain_newHead",
    "chain_subscribeAllHeads": "chain_allHead",
    "chain_subscribeFinalizedHeads": "chain_finalizedHead",
    "chain_subscribeFinalisedHeads": "chain_finalizedHead",
}


def begin(service: Service, peer: Peer) -> str:
    """A new subscription's id.

    Raises:
        RpcError: the peer cannot be told anything, or holds too many subscriptions.
    """
    if peer.push is None:
        raise RpcError(METHOD_NOT_FOUND, "Method not found", "Subscriptions need a WebSocket connection.")
    if len(peer.on_block) >= MAX_SUBSCRIPTIONS:
        raise RpcError(TOO_MANY_SUBSCRIPTIONS, "Too many subscriptions on the connection")
    return service.new_id()


def _nothing(_block: Block, _changes: Changes) -> None:
    """A subscription that blocks do not concern."""


def _heads(event: str) -> Any:
    def subscribe(service: Service, _parameters: Parameters, peer: Peer) -> str:
        subscription = begin(service, peer)

        def on_block(block: Block, _changes: Changes) -> None:
            peer.notify(event, subscription, block.header())

        peer.on_block[subscription] = on_block
        peer.after_reply(lambda: peer.notify(event, subscription, service.node.blocks.head.header()))
        return subscription

    return subscribe


for _name, _event in HEADS.items():
    method(_name)(_heads(_event))


@method("state_subscribeStorage")
def subscribe_storage(service: Service, parameters: Parameters, peer: Peer) -> str:
    """Values of keys now, and whenever a block changes one of them."""
    keys, subscription, event = parameters.many(0), begin(service, peer), "state_storage"

    def on_block(block: Block, changes: Changes) -> None:
        changed = [[hexed(key), _maybe(changes[key])] for key in keys if key in changes]
        if changed:
            peer.notify(event, subscription, {"block": hexed(block.hash), "changes": changed})

    def first() -> None:
        block = service.node.blocks.head
        values = [[hexed(key), _maybe(service.node.state.get(key, block.number))] for key in keys]
        peer.notify(event, subscription, {"block": hexed(block.hash), "changes": values})

    peer.on_block[subscription] = on_block
    peer.after_reply(first)
    return subscription


@method("state_subscribeRuntimeVersion", "chain_subscribeRuntimeVersion")
def subscribe_version(service: Service, _parameters: Parameters, peer: Peer) -> str:
    """The runtime's version, once: it never changes here."""
    subscription = begin(service, peer)
    peer.on_block[subscription] = _nothing
    value = version.json_value(service.node.codec)
    peer.after_reply(lambda: peer.notify("state_runtimeVersion", subscription, value))
    return subscription


@method("author_submitAndWatchExtrinsic")
def submit_and_watch(service: Service, parameters: Parameters, peer: Peer) -> str:
    """Take an extrinsic into the pool and report what becomes of it."""
    raw, subscription = parameters.data(0), begin(service, peer)

    def watch(status: Status) -> None:
        if subscription in peer.on_block:
            peer.after_reply(lambda: peer.notify("author_extrinsicUpdate", subscription, status))

    peer.on_block[subscription] = _nothing
    try:
        service.node.submit(raw, watch)
    except Refusal:
        del peer.on_block[subscription]
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
def unsubscribe(_service: Service, parameters: Parameters, peer: Peer) -> bool:
    """End a subscription; false where there is none."""
    return peer.on_block.pop(parameters.text(0), None) is not None


def _maybe(value: bytes | None) -> str | None:
    return None if value is None else hexed(value)
