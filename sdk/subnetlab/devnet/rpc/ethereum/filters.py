"""`eth_getLogs`, and filters that a client asks again and again for what is new.

Filters belong to the node, not to a connection, so they end by themselves: after five minutes without a poll,
as in Geth. Frontier's lifetime of 100 blocks would be a moment here, where a test seals a thousand at once.
"""

import time
from collections.abc import Callable
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
MOST_CHOICES = 2**18
"""Addresses and topics that all filters together name."""
LIFETIME_S = 300.0


@dataclass(slots=True)
class Filter:
    """What is new since it was last asked about: logs, block hashes, or waiting transactions."""

    next_block: int
    logs: LogFilter | None = None
    seen: frozenset[bytes] | None = None
    """Hashes of waiting transactions that were told; None where it is not about them."""
    polled: bool = False
    """Whether somebody has asked for what is new."""
    asked_s: float = 0.0
    """When it was made or last polled."""

    @property
    def choices(self) -> int:
        """How many addresses and topics it names."""
        return 0 if self.logs is None else self.logs.choices


@dataclass(slots=True)
class Filters:
    """Every filter of a node, by id."""

    clock: Callable[[], float] = time.monotonic
    by_id: dict[int, Filter] = field(default_factory=dict[int, Filter])
    """Those asked longest ago first."""
    last_id: int = 0
    _waiting: frozenset[bytes] = frozenset()

    def add(self, one: Filter) -> str:
        """Keep a filter; its id. Where there is no room, one that was never polled gives way first."""
        self._drop_old()
        left = MOST_CHOICES - one.choices - sum(kept.choices for kept in self.by_id.values())
        while len(self.by_id) >= MOST_FILTERS or left < 0:
            given_up = min(self.by_id, key=lambda at: self.by_id[at].polled)  # the first such
            left += self.by_id.pop(given_up).choices
        one.asked_s = self.clock()
        self.last_id += 1
        self.by_id[self.last_id] = one
        return hex(self.last_id)

    def get(self, identifier: int) -> Filter:
        """A filter that is polled now.

        Raises:
            RpcError: there is none of this id.
        """
        self._drop_old()
        one = self.by_id.get(identifier)
        if one is None:
            raise internal(f"Filter id {identifier} does not exist.")
        one.polled, one.asked_s = True, self.clock()
        self.by_id[identifier] = self.by_id.pop(identifier)
        return one

    def waiting(self, service: Service) -> frozenset[bytes]:
        """Hashes of the transactions that wait, one set for all filters that saw the same."""
        pool = service.node.transaction_pool
        found = frozenset(one.transaction.hash for one in pool if one.transaction is not None)
        if found != self._waiting:
            self._waiting = found
        return self._waiting

    def _drop_old(self) -> None:
        since = self.clock() - LIFETIME_S
        while self.by_id and self.by_id[first := next(iter(self.by_id))].asked_s < since:
            del self.by_id[first]


_BY_NODE: WeakKeyDictionary[Service, Filters] = WeakKeyDictionary()


def _filters(service: Service) -> Filters:
    return _BY_NODE.setdefault(service, Filters())


@method("eth_getLogs")
async def get_logs(service: Service, parameters: Parameters, _connection: Connection) -> list[Any]:
    """The logs that a filter means."""
    wanted = log_filter(parameters.get(0), 0)
    placed = await found(service.history, wanted, *span(service.history, wanted))
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
    return _filters(service).add(Filter(service.history.head + 1, seen=_filters(service).waiting(service)))


@method("eth_getFilterChanges")
async def get_filter_changes(service: Service, parameters: Parameters, _connection: Connection) -> list[Any]:
    """What is new since the last time."""
    one, history = _filters(service).get(quantity(parameters.get(0), 0, 64)), service.history
    first, head = min(one.next_block, history.head + 1), history.head
    one.next_block = head + 1
    if one.logs is not None:
        _, last = span(history, one.logs)
        return [answers.log(log) for log in await found(history, one.logs, first, min(last, head))]
    if one.seen is None:
        return [answers.hexed(history.hash_at(number)) for number in range(first, head + 1)]
    told, one.seen = one.seen, _filters(service).waiting(service)
    pool = (pending.transaction for pending in service.node.transaction_pool)
    waiting = [transaction.hash for transaction in pool if transaction is not None]
    return [answers.hexed(one_hash) for one_hash in waiting if one_hash not in told]


@method("eth_getFilterLogs")
async def get_filter_logs(service: Service, parameters: Parameters, _connection: Connection) -> list[Any]:
    """Every log that a filter of logs means."""
    identifier = quantity(parameters.get(0), 0, 64)
    wanted = _filters(service).get(identifier).logs
    if wanted is None:
        raise internal(f"Filter id {identifier} is not a Log filter.")
    placed = await found(service.history, wanted, *span(service.history, wanted))
    return [answers.log(one) for one in placed]


@method("eth_uninstallFilter")
def uninstall_filter(service: Service, parameters: Parameters, _connection: Connection) -> bool:
    """Forget a filter."""
    identifier = quantity(parameters.get(0), 0, 64)
    _filters(service).get(identifier)
    del _filters(service).by_id[identifier]
    return True
