"""Which logs a filter means: by addresses, topics and blocks.

Blocks without transactions are never read. What a block's logs name is looked up among what is asked for,
never the other way round: a filter may name thousands, and a block's bloom would have to be asked for each.
Source: Frontier's `FilteredParams`.
"""

import asyncio
import time
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from subnetlab.devnet.evm.engine import Log
from subnetlab.devnet.node.ethereum_history import Full, History, Placed
from subnetlab.devnet.rpc.ethereum.parameters import (
    ADDRESS_BYTES,
    HASH_BYTES,
    Which,
    height_of,
    internal,
    sized,
    which,
)
from subnetlab.devnet.rpc.method import RpcError, invalid_params

MOST_LOGS = 10_000
MOST_SECONDS = 10.0
MOST_TOPICS = 4
MOST_CHOICES = 1024
_BLOCKS_A_TURN = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilter:
    """What is asked for; empty means anything."""

    addresses: frozenset[bytes] = frozenset()
    topics: tuple[frozenset[bytes], ...] = ()
    block_hash: bytes | None = None
    """The only block that is meant."""
    first: Which = None
    last: Which = None

    @property
    def choices(self) -> int:
        """How many addresses and topics it names, which is what it costs to keep."""
        return len(self.addresses) + sum(map(len, self.topics))

    def matches(self, log: Log) -> bool:
        """Whether a log is meant."""
        if self.addresses and log.address not in self.addresses:
            return False
        if len(log.topics) < len(self.topics):
            return False
        return all(
            not wanted or topic in wanted for wanted, topic in zip(self.topics, log.topics, strict=False)
        )

    def may_match(self, named: frozenset[bytes]) -> bool:
        """Whether logs that name these addresses and topics may be meant; Python walks the smaller set."""
        return not any(one and one.isdisjoint(named) for one in (self.addresses, *self.topics))

    def of(self, full: Full) -> list[Placed]:
        """The logs of a block that are meant."""
        if not full.named or not self.may_match(full.named):
            return []
        return [placed for placed in full.logs if self.matches(placed.log)]


def log_filter(value: Any, index: int) -> LogFilter:
    """A filter object."""
    fields = {} if value is None else value
    if not isinstance(fields, dict):
        raise invalid_params(f"invalid type at position {index}: expected an object")
    topics = fields.get("topics") or []
    if not isinstance(topics, list) or len(topics) > MOST_TOPICS:
        raise invalid_params(f"invalid value at position {index}: expected at most {MOST_TOPICS} topics")
    only = fields.get("blockHash")
    return LogFilter(
        addresses=_choices(fields.get("address"), ADDRESS_BYTES, index),
        topics=tuple(_choices(one, HASH_BYTES, index) for one in topics),
        block_hash=None if only is None else sized(only, HASH_BYTES, index),
        first=which(fields.get("fromBlock"), index), last=which(fields.get("toBlock"), index),
    )  # fmt: skip


def _choices(value: Any, size: int, index: int) -> frozenset[bytes]:
    if value is None:
        return frozenset()
    listed = value if isinstance(value, list) else [value]
    if len(listed) > MOST_CHOICES:
        raise invalid_params(f"invalid length at position {index}: expected at most {MOST_CHOICES} choices")
    if None in listed:
        return frozenset()
    return frozenset(sized(one, size, index) for one in listed)


def span(history: History, wanted: LogFilter) -> tuple[int, int]:
    """The first and last height that a filter names.

    Raises:
        RpcError: there is no block of the hash that it names.
    """
    if wanted.block_hash is not None:
        number = history.number_of(wanted.block_hash)
        if number is None:
            raise RpcError(-32000, "unknown block")
        return number, number
    first, last, head = height_of(history, wanted.first), height_of(history, wanted.last), history.head
    return (head + 1 if first is None else first), (head if last is None else last)


async def found(history: History, wanted: LogFilter, first: int, last: int) -> list[Placed]:
    """The logs of a range, others having their turns meanwhile.

    Raises:
        RpcError: there are too many, or it takes too long.
    """
    placed: list[Placed] = []
    ends = time.monotonic() + MOST_SECONDS
    for count, number in enumerate(_within(history.busy, first, last)):
        full = history.full(number)
        placed += [] if full is None else wanted.of(full)
        if len(placed) > MOST_LOGS:
            raise internal(f"query returned more than {MOST_LOGS} results")
        if time.monotonic() > ends:
            raise internal(f"query timeout of {MOST_SECONDS:.0f} seconds exceeded")
        if count % _BLOCKS_A_TURN == _BLOCKS_A_TURN - 1:
            await asyncio.sleep(0)
    return placed


def _within(numbers: Sequence[int], first: int, last: int) -> list[int]:
    return list(numbers[bisect_left(numbers, first) : bisect_right(numbers, last)])
