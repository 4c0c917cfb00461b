"""Ethereum's blocks beside the chain's: hashes, roots, filters and what storage holds."""

import rlp as reference
from eth_bloom import BloomFilter
from hypothesis import given
from hypothesis import strategies as st
from tests.sdk.devnet.evm.conftest import Wallet
from tests.sdk.devnet.evm.contracts import ask, box
from trie import HexaryTrie

from subnetlab.devnet.chain.codec import limbs
from subnetlab.devnet.evm.block import Header, bloom
from subnetlab.devnet.evm.block_scale import decode_block, encode_block
from subnetlab.devnet.evm.engine import Log
from subnetlab.devnet.evm.keccak import keccak
from subnetlab.devnet.evm.trie import EMPTY_ROOT, list_root
from subnetlab.devnet.node.ethereum_history import History
from subnetlab.devnet.node.node import Node
from subnetlab.devnet.pallets.ethereum import BlockRow, named_in

words = st.binary(min_size=32, max_size=32)


@given(st.lists(st.binary(min_size=1, max_size=80), max_size=300))
def test_roots_are_those_of_the_reference_trie(items: list[bytes]) -> None:
    trie = HexaryTrie({})
    for index, item in enumerate(items):
        trie[reference.encode(index)] = item
    assert list_root(items) == trie.root_hash


@given(st.lists(st.tuples(st.binary(min_size=20, max_size=20), st.lists(words, max_size=4)), max_size=5))
def test_blooms_are_those_of_the_reference(entries: list[tuple[bytes, list[bytes]]]) -> None:
    wanted = BloomFilter()
    for address, topics in entries:
        wanted.extend([address, *topics])
    assert int.from_bytes(bloom(Log(one, tuple(topics), b"") for one, topics in entries), "big") == int(
        wanted
    )


def test_the_header_hashes_as_ethereum_does(node: Node, wallet: Wallet) -> None:
    wallet.send()
    block = decode_block(node.state.get(node.codec.key("Ethereum", "CurrentBlock")) or b"")
    header = reference.decode(block.header.encoded)
    assert len(header) == 15
    assert keccak(reference.encode(header)) == block.header.hash
    assert block.header.transactions_root == list_root([one.encoded for one in block.transactions])
    assert block.header.gas_used == 21_000
    assert list_root([]) == EMPTY_ROOT


def test_every_block_of_the_chain_has_one_and_names_it(node: Node, wallet: Wallet) -> None:
    transaction = wallet.submit()
    node.seal()
    node.seal()
    parent = Header().hash
    for block in list(node.blocks)[1:]:
        raw = node.state.get(node.codec.key("Ethereum", "CurrentBlock"), block.number) or b""
        ethereum = decode_block(raw)
        assert encode_block(ethereum) == raw
        assert (ethereum.header.number, ethereum.header.parent_hash) == (block.number, parent)
        assert named_in(block.logs) == (
            ethereum.header.hash,
            tuple(one.hash for one in ethereum.transactions),
        )
        parent = ethereum.header.hash
        stored = node.ledger.get("Ethereum", "BlockHash", limbs(block.number))
        assert bytes.fromhex(stored[2:]) == parent
    assert named_in(node.blocks.at(3).logs)[1] == (transaction.hash,)  # type: ignore[union-attr, index]


def test_storage_is_what_the_metadata_says(node: Node, wallet: Wallet) -> None:
    transaction = wallet.submit()
    node.seal()
    block = node.ledger.get("Ethereum", "CurrentBlock")
    assert block["header"]["gas_used"] == 21_000
    assert list(block["transactions"][0]) == ["EIP1559"]
    (status,) = node.ledger.get("Ethereum", "CurrentTransactionStatuses")
    assert status["transaction_hash"] == "0x" + transaction.hash.hex()
    (receipt,) = node.ledger.get("Ethereum", "CurrentReceipts")
    assert receipt["EIP1559"]["status_code"] == 1
    assert node.ledger.items("Ethereum", "Pending") == []


def test_the_newest_block_is_seen_as_it_was_written_and_later_as_it_was_kept(
    node: Node, wallet: Wallet
) -> None:
    contract = wallet.create(box().code)
    wallet.call(contract, ask("put(uint256)", 7))
    number = node.blocks.head.number
    key = node.codec.key("Ethereum", "CurrentBlock")
    newest = node.state.get(key, number)
    assert isinstance(newest, BlockRow)
    assert newest.parts is not None
    written = History(node).full(number)
    node.seal()
    assert newest.parts is None, "an old block would hold its parts for ever"
    kept = History(node).full(number)
    assert written is not None
    assert written == kept
    assert written.logs == kept.logs != []
