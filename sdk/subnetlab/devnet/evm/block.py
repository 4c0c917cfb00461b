"""Ethereum blocks: one for every block of the chain, of the same height, hashed as Ethereum hashes.

The state root is that of the chain's parent block, for there is no state trie of Ethereum's kind. Times are
milliseconds in the header, as Frontier has them. Source: the `ethereum` crate and pallet-ethereum.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from subnetlab.devnet.evm import rlp
from subnetlab.devnet.evm.addresses import ZERO_ADDRESS
from subnetlab.devnet.evm.engine import BLOCK_GAS_LIMIT, Log
from subnetlab.devnet.evm.keccak import keccak
from subnetlab.devnet.evm.transaction import LEGACY, Transaction
from subnetlab.devnet.evm.trie import EMPTY_ROOT, list_root

BLOOM_BYTES = 256
_HELD_ENTRIES = 1024
NO_BLOOM = bytes(BLOOM_BYTES)
OMMERS_HASH = bytes.fromhex("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347")
"""Of no uncles."""
ZERO_HASH = bytes(32)
_OF_20, _OF_32, _OF_256 = b"\x94", b"\xa0", b"\xb9\x01\x00"
"""RLP's prefix of a string of 20, 32 or 256 bytes: a header's fields have these lengths, or are numbers."""
_NO_DIFFICULTY = rlp.encode(b"")
_NO_EXTRA_AND_SEAL = rlp.joined((b"", ZERO_HASH, bytes(8)))


def bloom(logs: Iterable[Log]) -> bytes:
    """The filter that a log's address and topics set three bits each in."""
    bits = 0
    for log in logs:
        for entry in (log.address, *log.topics):
            bits |= _bits(entry)
    return bits.to_bytes(BLOOM_BYTES, "big")


@lru_cache(_HELD_ENTRIES)
def _bits(entry: bytes) -> int:
    """Three bits; contracts and their events come again and again."""
    digest = keccak(entry)
    return sum({1 << (int.from_bytes(digest[at : at + 2], "big") & 2047) for at in (0, 2, 4)})


class Receipt(NamedTuple):
    """What became of a transaction, as its block's root commits to."""

    kind: int
    succeeded: bool
    cumulative_gas: int
    bloom: bytes
    logs: tuple[Log, ...]

    def encoded(self) -> bytes:
        """The bytes that the receipts' root is made of."""
        logs: list[rlp.Item] = [[log.address, list(log.topics), log.data] for log in self.logs]
        fields: list[rlp.Item] = [
            rlp.number(int(self.succeeded)), rlp.number(self.cumulative_gas), self.bloom, logs,
        ]  # fmt: skip
        body = rlp.encode(fields)
        return body if self.kind == LEGACY else bytes([self.kind]) + body


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Who a transaction was from and to, and what it left, as the chain keeps it beside the receipt."""

    transaction_hash: bytes
    index: int
    sender: bytes
    to: bytes | None
    contract: bytes | None
    logs: tuple[Log, ...]
    bloom: bytes


@dataclass(frozen=True, kw_only=True)
class Header:
    """A block's header; what is not here is always zero or empty."""

    parent_hash: bytes = ZERO_HASH
    beneficiary: bytes = ZERO_ADDRESS
    state_root: bytes = ZERO_HASH
    transactions_root: bytes = EMPTY_ROOT
    receipts_root: bytes = EMPTY_ROOT
    bloom: bytes = NO_BLOOM
    number: int = 0
    gas_limit: int = BLOCK_GAS_LIMIT
    gas_used: int = 0
    timestamp_ms: int = 0

    @cached_property
    def encoded(self) -> bytes:
        """The bytes that the hash is made over."""
        numbers = map(rlp.number, (self.number, self.gas_limit, self.gas_used, self.timestamp_ms))
        return rlp.listed(
            b"".join(
                (
                    _OF_32, self.parent_hash, _OF_32, OMMERS_HASH, _OF_20, self.beneficiary, _OF_32,
                    self.state_root, _OF_32, self.transactions_root, _OF_32, self.receipts_root, _OF_256,
                    self.bloom, _NO_DIFFICULTY, rlp.joined(numbers), _NO_EXTRA_AND_SEAL,
                )
            )
        )  # fmt: skip

    @cached_property
    def hash(self) -> bytes:
        """What names the block."""
        return keccak(self.encoded)


class EthereumBlock(NamedTuple):
    """A header and the transactions it commits to."""

    header: Header
    transactions: tuple[Transaction, ...] = ()


def built(
    *,
    parent_hash: bytes,
    state_root: bytes,
    number: int,
    timestamp_ms: int,
    beneficiary: bytes,
    transactions: tuple[Transaction, ...] = (),
    receipts: tuple[Receipt, ...] = (),
) -> EthereumBlock:
    """The block that these make."""
    header = Header(
        parent_hash=parent_hash, beneficiary=beneficiary, state_root=state_root, number=number,
        timestamp_ms=timestamp_ms,
        transactions_root=list_root([one.encoded for one in transactions]),
        receipts_root=list_root([one.encoded() for one in receipts]),
        bloom=bloom(log for one in receipts for log in one.logs),
        gas_used=receipts[-1].cumulative_gas if receipts else 0,
    )  # fmt: skip
    return EthereumBlock(header=header, transactions=transactions)
