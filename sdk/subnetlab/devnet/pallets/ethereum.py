"""Ethereum: transactions that wallets signed, and an Ethereum block at the end of every block of the chain.

A transaction pays by its gas and no fee of the chain's own. A chain that began before the node knew Ethereum
gets its items with its next block. The engine is loaded by the first transaction. Source: pallet-ethereum.
"""

from subnetlab.devnet.chain.codec import Codec, array_of, limbs
from subnetlab.devnet.chain.fees import REF_TIME_PER_GAS
from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import DispatchError, Origin, call, on_finalize, on_initialize
from subnetlab.devnet.chain.scale import Reader, prefixed
from subnetlab.devnet.chain.state import Kept
from subnetlab.devnet.evm import fees
from subnetlab.devnet.evm.apply import apply
from subnetlab.devnet.evm.block import EthereumBlock, Header, Receipt, Status, bloom, built
from subnetlab.devnet.evm.block_scale import (
    decode_receipt,
    decode_status,
    encode_block,
    encode_receipt,
    encode_status,
    vector,
)
from subnetlab.devnet.evm.engine import Message, Outcome
from subnetlab.devnet.evm.scale import decode_transaction, encode_transaction
from subnetlab.devnet.evm.transaction import Transaction
from subnetlab.devnet.pallets.base_fee import base_fee
from subnetlab.devnet.pallets.system import BLOCK_HASH_COUNT

LOCALNET_CHAIN_ID = 42
_CONSENSUS, _ENGINE, _HASHES = b"\x04", b"fron", b"\x01"
"""The header's digest item that names the Ethereum block and its transactions."""
_EXTRA_BYTES = 30
_REASON_LENGTH, _REASON = 36, 68
"""Where the length and the text of a revert's reason begin."""


class PendingRow(bytes):
    """A transaction of the block being built as its storage holds it, with what it was written from."""

    parts: tuple[Transaction, Status, Receipt]


class BlockRow(bytes):
    """A block as its storage holds it; the newest has what it was written from."""

    parts: tuple[EthereumBlock, tuple[Receipt, ...], tuple[Status, ...]] | None


def message_of(transaction: Transaction, sender: bytes, fee: int) -> Message:
    """What a transaction asks the engine for at a base fee."""
    return Message(
        sender=sender, to=transaction.to, data=transaction.data, value=transaction.value,
        gas_limit=transaction.gas_limit, gas_price=transaction.price(fee),
        access_list=transaction.access_list, authorizations=transaction.authorizations,
    )  # fmt: skip


@call("Ethereum", "transact")
def transact(ledger: Ledger, origin: Origin, transaction: Transaction) -> None:
    """Run a transaction for its sender; a failing one keeps its fee, its nonce and a receipt."""
    sender = origin.ethereum
    if sender is None:
        raise DispatchError("BadOrigin")
    outcome = apply(ledger, message_of(transaction, sender, base_fee(ledger)))
    index = int(ledger.get("Ethereum", "CounterForPending"))
    before = 0 if index == 0 else _pending(ledger, index - 1)[2].cumulative_gas
    filter_of_logs = bloom(outcome.logs)
    status = Status(
        transaction_hash=transaction.hash, index=index, sender=sender, to=transaction.to,
        contract=outcome.contract, logs=outcome.logs, bloom=filter_of_logs,
    )  # fmt: skip
    receipt = Receipt(
        kind=transaction.kind, succeeded=outcome.succeeded, cumulative_gas=before + outcome.gas_used,
        bloom=filter_of_logs, logs=outcome.logs,
    )  # fmt: skip
    held = PendingRow(encode_transaction(transaction) + encode_status(status) + encode_receipt(receipt))
    held.parts = transaction, status, receipt
    ledger.state.put(ledger.codec.key("Ethereum", "Pending", index), held)
    ledger.put("Ethereum", "CounterForPending", value=index + 1)
    ledger.ref_time += outcome.gas_used * REF_TIME_PER_GAS
    _announce(ledger, status, outcome)


def _announce(ledger: Ledger, status: Status, outcome: Outcome) -> None:
    to = status.contract or status.to or bytes(20)
    fields = {
        "from": "0x" + status.sender.hex(),
        "to": "0x" + to.hex(),
        "transaction_hash": "0x" + status.transaction_hash.hex(),
        "exit_reason": outcome.reason,
        "extra_data": _extra(outcome),
    }
    ledger.deposit_event("Ethereum", "Executed", fields)


def _extra(outcome: Outcome) -> bytes:
    """The beginning of a revert's reason, or all the code returned where it gives none."""
    data = outcome.output
    if not outcome.reverted or outcome.contract is not None:
        return b""
    if len(data) <= _REASON:
        return data
    length = min(int.from_bytes(data[_REASON_LENGTH:_REASON], "big"), _EXTRA_BYTES)
    return data[_REASON : _REASON + length] if len(data) >= _REASON + length else data


def _pending(ledger: Ledger, index: int) -> tuple[Transaction, Status, Receipt]:
    held = ledger.state.get(ledger.codec.key("Ethereum", "Pending", index)) or b""
    if isinstance(held, PendingRow):
        return held.parts
    data = Reader(held)
    return decode_transaction(data), decode_status(data), decode_receipt(data)


@on_initialize(5)
def begin(ledger: Ledger) -> None:
    """Give a chain the items that an Ethereum face needs, where it has none."""
    if not ledger.has("EVMChainId", "ChainId"):
        ledger.put("EVMChainId", "ChainId", value=LOCALNET_CHAIN_ID)
        ledger.put("EVM", "DisableWhitelistCheck", value=True)
        ledger.put("Ethereum", "BlockHash", limbs(0), value="0x" + Header().hash.hex())


@on_finalize(0)
def store_block(ledger: Ledger) -> None:
    """Make the block of what was pending, and name it in the chain's header."""
    number, count = ledger.block_number, int(ledger.get("Ethereum", "CounterForPending"))
    pending = [_pending(ledger, index) for index in range(count)]
    transactions = tuple(one for one, _, _ in pending)
    statuses = tuple(one for _, one, _ in pending)
    receipts = tuple(one for _, _, one in pending)
    parent_hash = array_of(ledger.get("Ethereum", "BlockHash", limbs(number - 1)))
    block = built(
        parent_hash=parent_hash, state_root=ledger.state_root, number=number, timestamp_ms=ledger.now_ms,
        beneficiary=fees.author(ledger), transactions=transactions, receipts=receipts,
    )  # fmt: skip
    key, put = ledger.codec.key, ledger.state.put
    before = ledger.state.get(key("Ethereum", "CurrentBlock"))
    if isinstance(before, BlockRow):
        before.parts = None  # old blocks are kept as bytes alone
    row = BlockRow(encode_block(block))
    row.parts = block, receipts, statuses
    put(key("Ethereum", "CurrentBlock"), row)
    put(key("Ethereum", "CurrentReceipts"), vector(receipts, encode_receipt))
    put(key("Ethereum", "CurrentTransactionStatuses"), vector(statuses, encode_status))
    put(key("Ethereum", "BlockHash", limbs(number)), block.header.hash)
    for index in range(count):
        put(key("Ethereum", "Pending", index), None)
    if count:
        put(key("Ethereum", "CounterForPending"), None)
    if number > BLOCK_HASH_COUNT + 1:  # the first block's hash stays
        put(key("Ethereum", "BlockHash", limbs(number - BLOCK_HASH_COUNT - 1)), None)
    hashes = vector([one.hash for one in transactions], bytes)
    ledger.digests.append(_CONSENSUS + _ENGINE + prefixed(_HASHES + block.header.hash + hashes))


def kept(codec: Codec) -> Kept:
    """What receipts are answered from for ever: blocks with transactions, and the fees they paid."""
    empty = encode_block(EthereumBlock(header=Header()))

    def is_busy(raw: bytes | None) -> bool:
        return raw is not None and len(raw) > len(empty)

    def is_listed(raw: bytes | None) -> bool:
        return raw not in (None, b"\0")

    return {
        codec.key("Ethereum", "CurrentBlock"): is_busy,
        codec.key("Ethereum", "CurrentReceipts"): is_listed,
        codec.key("Ethereum", "CurrentTransactionStatuses"): is_listed,
        codec.key("BaseFee", "BaseFeePerGas"): lambda _raw: True,
    }


def named_in(logs: tuple[bytes, ...]) -> tuple[bytes, tuple[bytes, ...]] | None:
    """The hashes of the Ethereum block and its transactions that a header's digest names."""
    head = _CONSENSUS + _ENGINE
    for log in logs:
        if log.startswith(head):
            data = Reader(Reader(log, len(head)).prefixed(), 1)
            block_hash = data.take(32)
            return block_hash, tuple(data.take(32) for _ in range(data.compact()))
    return None
