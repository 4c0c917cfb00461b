"""ethereum-execution, Ethereum's specification in Python, at Prague: one JSON request a line, one answer.

A request holds accounts and encoded transactions, each of them a block of its own; the answer holds the
receipts and what became of the accounts asked for.
"""

import json
import sys

from ethereum.forks.prague.blocks import decode_receipt
from ethereum.forks.prague.fork import process_transaction
from ethereum.forks.prague.fork_types import Account, Address
from ethereum.forks.prague.state import State, get_account, get_storage, set_account
from ethereum.forks.prague.transactions import LegacyTransaction, decode_transaction
from ethereum.forks.prague.trie import trie_get
from ethereum.forks.prague.vm import BlockEnvironment, BlockOutput
from ethereum_rlp import rlp
from ethereum_types.bytes import Bytes32
from ethereum_types.numeric import U64, U256, Uint

GWEI = 10**9


def address(text):
    return Address(bytes.fromhex(text))


def environment(state, number):
    return BlockEnvironment(
        chain_id=U64(42), state=state, block_gas_limit=Uint(75_000_000), block_hashes=[],
        coinbase=Address(bytes(20)), number=Uint(number), base_fee_per_gas=Uint(10 * GWEI),
        time=U256(number), prev_randao=Bytes32(bytes(32)), excess_blob_gas=U64(0),
        parent_beacon_block_root=Bytes32(bytes(32)),
    )  # fmt: skip


def receipt_of(state, number, raw):
    output = BlockOutput()
    decoded = rlp.decode_to(LegacyTransaction, raw) if raw[0] >= 0xC0 else decode_transaction(raw)
    process_transaction(environment(state, number), output, decoded, Uint(0))
    receipt = decode_receipt(trie_get(output.receipts_trie, output.receipt_keys[0]))
    logs = [
        [log.address.hex(), [topic.hex() for topic in log.topics], log.data.hex()] for log in receipt.logs
    ]
    return [bool(receipt.succeeded), int(receipt.cumulative_gas_used), logs]


def account_of(state, who, slots):
    found = get_account(state, who)
    storage = [int(get_storage(state, who, Bytes32(slot.to_bytes(32, "big")))) for slot in range(slots)]
    return [int(found.nonce), found.code.hex(), storage, int(found.balance)]


def answer(request):
    state = State()
    for who, (nonce, balance, code) in request["accounts"].items():
        account = Account(nonce=Uint(nonce), balance=U256(int(balance)), code=bytes.fromhex(code))
        set_account(state, address(who), account)
    sent = enumerate(request["transactions"], 1)
    receipts = [receipt_of(state, number, bytes.fromhex(raw)) for number, raw in sent]
    accounts = [account_of(state, address(who), request["slots"]) for who in request["ask"]]
    return {"receipts": receipts, "accounts": accounts}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
