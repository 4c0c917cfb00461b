"""`eth_getLogs`, and filters that a client asks again and again for what is new.

Filters belong to the node, not to a connection.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from subnetlab.devnet.rpc.connection import Connection
from subnetlab.devnet.rpc.ethereum import answers
from subnetlab.devnet.rpc.ethereum.logs import LogFilter, found, log_filter, span
from subnetlab.devnet.rpc.ethereum.parameters import internal, quantity
from subnetlab.devnet.rpc.method import Parameters, method
from subnetlab.devnet.rpc.service import Service

MOST_FILTERS = 500


@dataclass(slots=True)
class Filter:
    """What is new since it was last asked about: logs, block hashes, or waiting transactions."""

    next_block: int
    logs: LogFilter | None = None
    seen: set[bytes] | None = None
    """Hashes of waiting transactions that were told; None where it is not about them."""


@dataclass(slots=True)
class Filters:
    """Every filter of a node, by id."""

    by_id: dict[int, Filter] = field(default_factory=dict[int, Filter])
    last_id: int = 0

    def add(self, one: Filter) -> str:
        """Keep a filter; its id."""
        if len(self.by_id) >= MOST_FILTERS:
            raise internal(f"Filter pool is full (limit {MOST_FILTERS}).")
        self.last_id += 1
        self.by_id[self.last_id] = one
        return hex(self.last_id)

    def get(self, identifier: int) -> Filter:
        """A filter.

        Raises:
            RpcError: there is none of this id.
        """
        one = self.by_id.get(identifier)
        if one is None:
            raise internal(f"Filter id {identifier} does not exist.")
        return one


_BY_NODE: WeakKeyDictionary[Service, Filters] = WeakKeyDictionary()


def _filters(service: Service) -> Filters:
    return _BY_NODE.setdefault(service, Filters())


@method("eth_getLogs")
async def get_logs(service: Service, parameters: Parameters, _connection: Connection) -> list[Any]:
    """The logs that a filter means."""
    wanted = log_filter(parameters.get(0), 0)
    placed = await found(service.history, wanted, *span(service.history, wanted.blocks, 0))
    return [answers.log(one) for one in placed]


@method("eth_newFilter")
def new_filter(service: Service, parameters: Parameters, _connection: Connection) -> str:
    """A filter of logs."""
    wanted = log_filter(parameters.get(0), 0)
    return _filters(service).add(Filter(service.history.head + 1, logs=wanted))


@method("eth_newBlockFilter")
def new_block_filter(service: Service, _parameters: Parameters, _connection: Connection) -> str:
    """A filter of block hashes."""
    return _filters(service).add(Filter(service.history.head + 1))


@method("eth_newPendingTransactionFilter")
def new_pending_filter(service: Service, _parameters: Parameters, _connection: Connection) -> str:
    """A filter of transactions that wait."""
    return _filters(service).add(Filter(service.history.head + 1, seen=set(_waiting(service))))


def _waiting(service: Service) -> Sequence[bytes]:
    return [one.transaction.hash for one in service.node.transaction_pool if one.transaction is not None]


@method("eth_getFilterChanges")
async def get_filter_changes(service: Service, parameters: Parameters, _connection: Connection) -> list[Any]:
    """What is new since the last time."""
    one, history = _filters(service).get(quantity(parameters.get(0), 0, 64)), service.history
    first, head = min(one.next_block, history.head + 1), history.head
    one.next_block = head + 1
    if one.logs is not None:
        _, last = span(history, one.logs.blocks, 0)
        return [answers.log(log) for log in await found(history, one.logs, first, min(last, head))]
    if one.seen is None:
        return [answers.hexed(history.hash_at(number)) for number in range(first, head + 1)]
    waiting = _waiting(service)
    fresh = [one_hash for one_hash in waiting if one_hash not in one.seen]
    one.seen = set(waiting)
    return [answers.hexed(one_hash) for one_hash in fresh]


@method("eth_getFilterLogs")
async def get_filter_logs(service: Service, parameters: Parameters, _connection: Connection) -> list[Any]:
    """Every log that a filter of logs means."""
    identifier = quantity(parameters.get(0), 0, 64)
    wanted = _filters(service).get(identifier).logs
    if wanted is None:
        raise internal(f"Filter id {identifier} is not a Log filter.")
    placed = await found(service.history, wanted, *span(service.history, wanted.blocks, 0))
    return [answers.log(one) for one in placed]


@method("eth_uninstallFilter")
def uninstall_filter(service: Service, parameters: Parameters, _connection: Connection) -> bool:
    """Forget a filter."""
    identifier = quantity(parameters.get(0), 0, 64)
    _filters(service).get(identifier)
    del _filters(service).by_id[identifier]
    return True
