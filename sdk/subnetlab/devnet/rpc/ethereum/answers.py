"""Blocks, transactions, receipts and logs as Frontier writes them in JSON."""

from typing import Any

from subnetlab.devnet.evm import rlp
from subnetlab.devnet.evm.block import OMMERS_HASH, EthereumBlock
from subnetlab.devnet.evm.transaction import ACCESS_LIST, LEGACY, SET_CODE, Transaction
from subnetlab.devnet.node.ethereum_history import Full, Placed


def hexed(data: bytes) -> str:
    """Bytes as `0x…`."""
    return "0x" + data.hex()


def _maybe(data: bytes | None) -> str | None:
    return None if data is None else hexed(data)


def header(full: Full) -> dict[str, Any]:
    """A block's header."""
    head = full.block.header
    return {
        "hash": hexed(head.hash),
        "parentHash": hexed(head.parent_hash),
        "sha3Uncles": hexed(OMMERS_HASH),
        "author": hexed(head.beneficiary),
        "miner": hexed(head.beneficiary),
        "stateRoot": hexed(head.state_root),
        "transactionsRoot": hexed(head.transactions_root),
        "receiptsRoot": hexed(head.receipts_root),
        "number": hex(head.number),
        "gasUsed": hex(head.gas_used),
        "gasLimit": hex(head.gas_limit),
        "extraData": "0x",
        "logsBloom": hexed(head.bloom),
        "timestamp": hex(head.timestamp_ms // 1000),
        "difficulty": "0x0",
        "nonce": "0x0000000000000000",
        "mixHash": hexed(bytes(32)),
        "size": hex(len(head.encoded)),
        "baseFeePerGas": hex(full.base_fee),
    }


def block(full: Full, *, with_transactions: bool) -> dict[str, Any]:
    """A block with its transactions, whole or by hash."""
    listed = full.block.transactions
    return {
        **header(full),
        "totalDifficulty": "0x0",
        "uncles": [],
        "size": hex(_size(full.block)),
        "transactions": [
            sealed_transaction(full, index) if with_transactions else hexed(one.hash)
            for index, one in enumerate(listed)
        ],
    }


def _size(one: EthereumBlock) -> int:
    listed: list[rlp.Item] = [transaction.encoded for transaction in one.transactions]
    return len(one.header.encoded) + len(rlp.encode(listed)) + 1


def sealed_transaction(full: Full, index: int) -> dict[str, Any]:
    """A transaction of a block."""
    one, status, head = full.block.transactions[index], full.statuses[index], full.block.header
    return {
        **transaction(one, status.sender),
        "gasPrice": hex(one.price(full.base_fee)),
        "blockHash": hexed(head.hash),
        "blockNumber": hex(head.number),
        "transactionIndex": hex(index),
        "creates": _maybe(status.contract),
    }


def transaction(one: Transaction, sender: bytes) -> dict[str, Any]:
    """A transaction that is in no block yet."""
    fields: dict[str, Any] = {
        "type": hex(one.kind),
        "hash": hexed(one.hash),
        "nonce": hex(one.nonce),
        "blockHash": None,
        "blockNumber": None,
        "transactionIndex": None,
        "from": hexed(sender),
        "to": _maybe(one.to),
        "value": hex(one.value),
        "gas": hex(one.gas_limit),
        "gasPrice": hex(one.max_fee_per_gas),
        "input": hexed(one.data),
        "creates": None,
        "v": hex(one.v),
        "r": hex(one.r),
        "s": hex(one.s),
    }
    if one.chain_id is not None:
        fields["chainId"] = hex(one.chain_id)
    if one.kind != LEGACY:
        fields["yParity"] = hex(one.parity)
        fields["accessList"] = [
            {"address": hexed(where), "storageKeys": [hexed(key) for key in keys]}
            for where, keys in one.access_list
        ]
    if one.kind not in (LEGACY, ACCESS_LIST):
        fields["maxFeePerGas"] = hex(one.max_fee_per_gas)
        fields["maxPriorityFeePerGas"] = hex(one.max_priority_fee_per_gas)
    if one.kind == SET_CODE:
        fields["authorizationList"] = [
            {
                "chainId": hex(listed.chain_id), "address": hexed(listed.address), "nonce": hex(listed.nonce),
                "yParity": hex(listed.parity), "r": hex(listed.r), "s": hex(listed.s),
            }
            for listed in one.authorizations
        ]  # fmt: skip
    return fields


def receipt(full: Full, index: int) -> dict[str, Any]:
    """What became of a transaction."""
    one, status, head = full.receipts[index], full.statuses[index], full.block.header
    sent = full.block.transactions[index]
    return {
        "transactionHash": hexed(status.transaction_hash),
        "transactionIndex": hex(index),
        "blockHash": hexed(head.hash),
        "blockNumber": hex(head.number),
        "from": hexed(status.sender),
        "to": _maybe(status.to),
        "cumulativeGasUsed": hex(one.cumulative_gas),
        "gasUsed": hex(full.gas_used(index)),
        "contractAddress": _maybe(status.contract),
        "logs": [log(placed) for placed in full.logs if placed.transaction_index == index],
        "logsBloom": hexed(one.bloom),
        "status": hex(int(one.succeeded)),
        "effectiveGasPrice": hex(sent.price(full.base_fee)),
        "type": hex(one.kind),
    }


def log(placed: Placed) -> dict[str, Any]:
    """A contract's event."""
    return {
        "address": hexed(placed.log.address),
        "topics": [hexed(topic) for topic in placed.log.topics],
        "data": hexed(placed.log.data),
        "blockHash": hexed(placed.block.hash),
        "blockNumber": hex(placed.block.number),
        "transactionHash": hexed(placed.transaction_hash),
        "transactionIndex": hex(placed.transaction_index),
        "logIndex": hex(placed.index),
        "transactionLogIndex": hex(placed.index_in_transaction),
        "removed": False,
    }
