"""Ethereum's blocks, receipts and statuses in SCALE, as the chain stores them in `Ethereum.*`.

Source: the `ethereum` crate's `Block`, `ReceiptV4`, and `fp_rpc::TransactionStatus`.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from subnetlab.devnet.chain.scale import Reader, compact, prefixed
from subnetlab.devnet.evm.block import BLOOM_BYTES, OMMERS_HASH, EthereumBlock, Header, Receipt, Status
from subnetlab.devnet.evm.engine import Log
from subnetlab.devnet.evm.scale import decode_transaction, encode_transaction, u64, u256
from subnetlab.devnet.evm.transaction import ACCESS_LIST, DYNAMIC_FEE, LEGACY, SET_CODE

T = TypeVar("T")
_KINDS = (LEGACY, ACCESS_LIST, DYNAMIC_FEE, SET_CODE)


def vector(items: Sequence[T], encode: Callable[[T], bytes]) -> bytes:
    """A list behind its length."""
    return compact(len(items)) + b"".join(map(encode, items))


def read_vector(data: Reader, decode: Callable[[Reader], T]) -> tuple[T, ...]:
    """A list behind its length."""
    return tuple(decode(data) for _ in range(data.compact()))


def encode_block(block: EthereumBlock) -> bytes:
    """An `ethereum::Block` without uncles."""
    head = block.header
    return b"".join(
        [
            head.parent_hash, OMMERS_HASH, head.beneficiary, head.state_root, head.transactions_root,
            head.receipts_root, head.bloom, u256(0), u256(head.number), u256(head.gas_limit),
            u256(head.gas_used), u64(head.timestamp_ms), prefixed(b""), bytes(32), bytes(8),
            vector(block.transactions, encode_transaction), compact(0),
        ]
    )  # fmt: skip


def decode_block(raw: bytes) -> EthereumBlock:
    """The block of what `encode_block` wrote."""
    data = Reader(raw)
    parent_hash, _, beneficiary = data.take(32), data.take(32), data.take(20)
    state_root, transactions_root, receipts_root = data.take(32), data.take(32), data.take(32)
    bloom, _, number = data.take(BLOOM_BYTES), data.integer(32), data.integer(32)
    gas_limit, gas_used, timestamp_ms = data.integer(32), data.integer(32), data.integer(8)
    data.prefixed()
    data.take(40)
    header = Header(
        parent_hash=parent_hash, beneficiary=beneficiary, state_root=state_root,
        transactions_root=transactions_root, receipts_root=receipts_root, bloom=bloom, number=number,
        gas_limit=gas_limit, gas_used=gas_used, timestamp_ms=timestamp_ms,
    )  # fmt: skip
    return EthereumBlock(header=header, transactions=read_vector(data, decode_transaction))


def encode_log(log: Log) -> bytes:
    """An `ethereum::Log`."""
    return log.address + compact(len(log.topics)) + b"".join(log.topics) + prefixed(log.data)


def decode_log(data: Reader) -> Log:
    """The log of what `encode_log` wrote."""
    return Log(data.take(20), read_vector(data, lambda rest: rest.take(32)), data.prefixed())


def encode_receipt(receipt: Receipt) -> bytes:
    """A `ReceiptV4`."""
    kind = bytes([_KINDS.index(receipt.kind), receipt.succeeded])
    return kind + u256(receipt.cumulative_gas) + receipt.bloom + vector(receipt.logs, encode_log)


def decode_receipt(data: Reader) -> Receipt:
    """The receipt of what `encode_receipt` wrote."""
    kind, succeeded = _KINDS[data.byte()], data.byte() == 1
    gas, bloom = data.integer(32), data.take(BLOOM_BYTES)
    logs = read_vector(data, decode_log)
    return Receipt(kind=kind, succeeded=succeeded, cumulative_gas=gas, bloom=bloom, logs=logs)


def encode_status(status: Status) -> bytes:
    """An `fp_rpc::TransactionStatus`."""
    return b"".join(
        [
            status.transaction_hash, status.index.to_bytes(4, "little"), status.sender, _option(status.to),
            _option(status.contract), vector(status.logs, encode_log), status.bloom,
        ]
    )  # fmt: skip


def decode_status(data: Reader) -> Status:
    """The status of what `encode_status` wrote."""
    return Status(
        transaction_hash=data.take(32), index=data.integer(4), sender=data.take(20), to=_read_option(data),
        contract=_read_option(data), logs=read_vector(data, decode_log), bloom=data.take(BLOOM_BYTES),
    )  # fmt: skip


def _option(address: bytes | None) -> bytes:
    return b"\x00" if address is None else b"\x01" + address


def _read_option(data: Reader) -> bytes | None:
    return data.take(20) if data.byte() else None
