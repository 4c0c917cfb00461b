"""`eth_subscribe`: new heads, logs and waiting transactions, pushed over a WebSocket.

Source: Frontier's `eth_pubsub`.
"""

from collections.abc import Callable
from typing import Any

from subnetlab.devnet.chain.transaction_pool import Pending
from subnetlab.devnet.rpc.connection import Connection, OnBlock, Sealed
from subnetlab.devnet.rpc.ethereum import answers
from subnetlab.devnet.rpc.ethereum.logs import log_filter
from subnetlab.devnet.rpc.method import Parameters, invalid_params, method
from subnetlab.devnet.rpc.service import Service
from subnetlab.devnet.rpc.subscriptions import begin

EVENT = "eth_subscription"


@method("eth_subscribe")
def subscribe(service: Service, parameters: Parameters, connection: Connection) -> str:
    """Begin a subscription; its id."""
    kind = parameters.text(0)
    make = _KINDS.get(kind)
    if make is None:
        raise invalid_params(f"invalid value at position 0: unknown subscription {kind}")

    def tell(result: Any) -> None:
        connection.notify(EVENT, identifier, result)

    on_block, choices = make(service, parameters, tell)
    identifier = begin(service, connection, on_block, keys=choices, hex_id=True)
    if kind == "newPendingTransactions":
        _tell_of_waiting(service, connection, identifier)
    elif kind == "syncing":
        tell(False)  # noqa: FBT003 - the answer itself
    return identifier


_Made = tuple[OnBlock, int]
"""What is told of blocks, and how many addresses and topics it looks for."""


def _heads(service: Service, _parameters: Parameters, tell: Callable[[Any], None]) -> _Made:
    def on_block(sealed: Sealed) -> None:
        full = service.history.full(sealed.block.number)
        if full is not None:
            tell(answers.header(full))

    return on_block, 0


def _logs(service: Service, parameters: Parameters, tell: Callable[[Any], None]) -> _Made:
    wanted = log_filter(parameters.get(1), 1)

    def on_block(sealed: Sealed) -> None:
        full = service.history.full(sealed.block.number)
        for placed in [] if full is None else wanted.of(full):
            tell(answers.log(placed))

    return on_block, wanted.choices


def _nothing(_service: Service, _parameters: Parameters, _tell: Callable[[Any], None]) -> _Made:
    return (lambda _sealed: None), 0


_KINDS = {"newHeads": _heads, "logs": _logs, "newPendingTransactions": _nothing, "syncing": _nothing}


def _tell_of_waiting(service: Service, connection: Connection, identifier: str) -> None:
    listeners = service.node.on_admitted

    def on_admitted(pending: Pending) -> None:
        if connection not in service.connections or identifier not in connection.on_block:
            listeners.remove(on_admitted)
        elif pending.transaction is not None:
            connection.notify(EVENT, identifier, answers.hexed(pending.transaction.hash))

    listeners.append(on_admitted)


@method("eth_unsubscribe")
def unsubscribe(_service: Service, parameters: Parameters, connection: Connection) -> bool:
    """End a subscription; false where there is none."""
    return connection.end(parameters.text(0))
