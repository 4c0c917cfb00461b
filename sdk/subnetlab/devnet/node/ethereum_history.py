"""Ethereum's view of the sealed blocks: found by hash, with their transactions, receipts and statuses.

The hashes are in the digests of the chain's own headers, the rest is in the state of each block. An empty
block whose state is gone is made anew, and counts where it has the hash that its header names.
"""

from dataclasses import dataclass
from functools import cached_property

from subnetlab.devnet.chain.block import Blocks
from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.scale import Reader
from subnetlab.devnet.evm.block import EthereumBlock, Header, Receipt, Status
from subnetlab.devnet.evm.block_scale import decode_block, decode_receipt, decode_status, read_vector
from subnetlab.devnet.evm.engine import Log
from subnetlab.devnet.node.node import Node
from subnetlab.devnet.pallets.base_fee import base_fee
from subnetlab.devnet.pallets.ethereum import BlockRow, named_in

MOST_HELD = 32
"""Blocks that are held as they were read, because clients ask for the newest again and again."""
_TIMESTAMP_ARGUMENT = 3
"""Where the time begins in the extrinsic that sets it: behind version, pallet and call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A log with where it is."""

    log: Log
    block: Header
    transaction_hash: bytes
    transaction_index: int
    index: int
    """Among the block's logs."""
    index_in_transaction: int


@dataclass(frozen=True, kw_only=True)
class Full:
    """A block with what became of its transactions."""

    block: EthereumBlock
    receipts: tuple[Receipt, ...]
    statuses: tuple[Status, ...]
    base_fee: int

    def gas_used(self, index: int) -> int:
        """Gas of one transaction."""
        before = self.receipts[index - 1].cumulative_gas if index else 0
        return self.receipts[index].cumulative_gas - before

    @cached_property
    def named(self) -> frozenset[bytes]:
        """The addresses and topics of the block's logs; of unlike lengths, so that one set holds both."""
        logs = [log for status in self.statuses for log in status.logs]
        return frozenset(entry for log in logs for entry in (log.address, *log.topics))

    @cached_property
    def logs(self) -> list[Placed]:
        """Every log of the block in order."""
        placed: list[Placed] = []
        for status in self.statuses:
            for number, log in enumerate(status.logs):
                placed.append(
                    Placed(
                        log=log, block=self.block.header, transaction_hash=status.transaction_hash,
                        transaction_index=status.index, index=len(placed), index_in_transaction=number,
                    )
                )  # fmt: skip
        return placed


class History:
    """The Ethereum blocks of one node."""

    def __init__(self, node: Node) -> None:
        """Know no block yet; each is noted when it is first needed."""
        self._node = node
        self._blocks: Blocks | None = None
        self._noted = 0
        self._numbers: dict[bytes, int] = {}
        self._hashes: list[bytes] = []
        self._transactions: dict[bytes, tuple[int, int]] = {}
        self._full: dict[int, Full] = {}
        self.busy: list[int] = []
        """Heights of blocks that have transactions, in order."""

    def _note(self) -> None:
        blocks = self._node.blocks
        if blocks is not self._blocks:
            self.__init__(self._node)
            self._blocks = blocks
        while self._noted < len(blocks):
            number, block = self._noted, blocks.at(self._noted)
            assert block is not None, "a noted block is sealed"
            named = named_in(block.logs)
            block_hash, transactions = named or (Header(number=number).hash, ())
            self._numbers[block_hash] = number
            self._hashes.append(block_hash)
            for index, transaction in enumerate(transactions):
                self._transactions[transaction] = number, index
            if transactions:
                self.busy.append(number)
            self._noted += 1

    @property
    def head(self) -> int:
        """The newest height."""
        self._note()
        return self._noted - 1

    def hash_at(self, number: int) -> bytes:
        """The hash of a sealed height."""
        self._note()
        return self._hashes[number]

    def number_of(self, block_hash: bytes) -> int | None:
        """The height of a block."""
        self._note()
        return self._numbers.get(block_hash)

    def place_of(self, transaction_hash: bytes) -> tuple[int, int] | None:
        """The height and place of a transaction."""
        self._note()
        return self._transactions.get(transaction_hash)

    def ledger(self, number: int) -> Ledger | None:
        """The chain at a height whose state is still there."""
        return None if number < self._node.pruned_before else self._node.ledger.at(number)

    def full(self, number: int) -> Full | None:
        """A block with its receipts; None where there is none, or its state is gone."""
        self._note()
        if not 0 <= number < self._noted:
            return None
        found = self._full.get(number)
        if found is None:
            found = self._read(number)
            if found is not None:
                while len(self._full) >= MOST_HELD:
                    del self._full[next(iter(self._full))]
                self._full[number] = found
        return found

    def _read(self, number: int) -> Full | None:
        key, get = self._node.codec.key, self._node.state.get
        fee = base_fee(self._node.ledger.at(max(number - 1, 0)))
        row = get(key("Ethereum", "CurrentBlock"), number)
        if isinstance(row, BlockRow) and row.parts is not None:
            block, receipts, statuses = row.parts
            if block.header.hash == self._hashes[number]:
                return Full(block=block, receipts=receipts, statuses=statuses, base_fee=fee)
        block = self._block(number, row)
        if block is None:
            return None
        receipts, statuses = (), ()
        if block.transactions:
            kept = Reader(get(key("Ethereum", "CurrentReceipts"), number) or b"\0")
            receipts = read_vector(kept, decode_receipt)
            kept = Reader(get(key("Ethereum", "CurrentTransactionStatuses"), number) or b"\0")
            statuses = read_vector(kept, decode_status)
        return Full(block=block, receipts=receipts, statuses=statuses, base_fee=fee)

    def _block(self, number: int, raw: bytes | None) -> EthereumBlock | None:
        wanted = self._hashes[number]
        if raw is not None:
            block = decode_block(raw)
            if block.header.hash == wanted:
                return block
        header = Header(number=number) if number == 0 else self._empty(number)
        return EthereumBlock(header=header) if header.hash == wanted else None

    def _empty(self, number: int) -> Header:
        """The header that an empty block of this height has."""
        block, parent = self._node.blocks.at(number), self._node.blocks.at(number - 1)
        assert block is not None, "a noted block is sealed"
        assert parent is not None, "so is the one before it"
        inherent = Reader(Reader(block.extrinsics[0]).prefixed(), _TIMESTAMP_ARGUMENT)
        return Header(
            number=number, parent_hash=self._hashes[number - 1], state_root=parent.state_root,
            timestamp_ms=inherent.compact(),
        )  # fmt: skip
