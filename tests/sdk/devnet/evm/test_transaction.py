"""Transactions as wallets sign them: read, hashed, recovered, carried in SCALE, or refused."""

from dataclasses import replace
from typing import Any

import pytest
import rlp as reference
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st
from tests.sdk.devnet.conftest import recorded_codec
from tests.sdk.devnet.evm.conftest import GWEI, Wallet

from subnetlab.devnet.chain import ethereum_admission
from subnetlab.devnet.chain.scale import Reader
from subnetlab.devnet.chain.transaction_error import TransactionError
from subnetlab.devnet.evm import rlp
from subnetlab.devnet.evm.scale import decode_transaction, encode_transaction
from subnetlab.devnet.evm.transaction import SET_CODE, Undecodable, decode
from subnetlab.devnet.node.node import Node

KEY = Account.from_key("0x" + "11" * 32)
OTHER = Account.from_key("0x" + "33" * 32)
TO = "0x" + "22" * 20
AUTHORIZATION = OTHER.sign_authorization({"chainId": 42, "address": TO, "nonce": 0})
LISTED = [{"address": TO, "storageKeys": ["0x" + "07" * 32]}]
FEES = {"maxFeePerGas": 40 * GWEI, "maxPriorityFeePerGas": GWEI}
BASE: dict[str, Any] = {"to": TO, "value": 5, "gas": 90_000, "nonce": 3, "data": b"0xdead"}
KINDS: dict[str, dict[str, Any]] = {
    "legacy": {**BASE, "gasPrice": 40 * GWEI, "chainId": 42},
    "unprotected": {**BASE, "gasPrice": 40 * GWEI},
    "creation": {**BASE, **FEES, "to": "", "chainId": 42, "type": 2},
    "access list": {**BASE, "gasPrice": 40 * GWEI, "chainId": 42, "accessList": LISTED, "type": 1},
    "dynamic fee": {**BASE, **FEES, "chainId": 42, "accessList": LISTED, "type": 2},
    "set code": {
        **BASE, **FEES, "chainId": 42, "type": 4,
        "authorizationList": [AUTHORIZATION],
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_wallets_transaction_is_read_hashed_and_recovered(kind: str) -> None:
    signed = KEY.sign_transaction(KINDS[kind])
    transaction = decode(bytes(signed.raw_transaction))
    assert transaction.encoded == replace(transaction).encoded == bytes(signed.raw_transaction)
    assert transaction.hash == bytes(signed.hash)
    assert transaction.sender == bytes.fromhex(KEY.address[2:])
    assert (transaction.nonce, transaction.value, transaction.data) == (3, 5, b"0xdead")
    for one in transaction.authorizations:
        assert one.authority() == bytes.fromhex(OTHER.address[2:])


@pytest.mark.parametrize("kind", KINDS)
def test_scale_is_that_of_the_metadata(kind: str) -> None:
    transaction = decode(bytes(KEY.sign_transaction(KINDS[kind]).raw_transaction))
    encoded = encode_transaction(transaction)
    assert decode_transaction(Reader(encoded)) == transaction
    codec = recorded_codec()
    call = codec.runtime.decode_call(bytes([codec.pallet_index["Ethereum"], 0]) + encoded)
    assert call["call_function"] == "transact"
    (fields,) = call["call_args"][0]["value"].values()
    assert fields["nonce"] == 3


@given(st.recursive(st.binary(max_size=70), lambda inner: st.lists(inner, max_size=4), max_leaves=12))
def test_rlp_is_that_of_the_reference(item: Any) -> None:
    assert rlp.encode(item) == reference.encode(item)
    assert rlp.decode(rlp.encode(item)) == item


@given(st.binary(max_size=200))
def test_no_bytes_are_read_as_something_else(data: bytes) -> None:
    for read in (lambda: decode(data).encoded, lambda: encode_transaction(decode_transaction(Reader(data)))):
        try:
            again = read()
        except Undecodable:
            continue
        assert data.startswith(again)


@pytest.mark.parametrize("kind", KINDS)
def test_every_cut_is_refused(kind: str) -> None:
    raw = bytes(KEY.sign_transaction(KINDS[kind]).raw_transaction)
    for end in range(len(raw)):
        with pytest.raises(Undecodable):
            decode(raw[:end])
    with pytest.raises(Undecodable):
        decode(raw + b"\0")


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "nonce too low": ({"nonce": 0}, "Transaction is outdated"),
    "too little gas": ({"gas": 20_999}, "Custom error: 0"),
    "too little gas for its data": ({"data": b"\1" * 100, "gas": 22_600}, "Custom error: 0"),
    "more gas than a block has": ({"gas": 75_000_001}, "Transaction would exhaust the block limits"),
    "underpriced": ({"maxFeePerGas": GWEI}, "Custom error: 2"),
    "tip above the price": ({"maxPriorityFeePerGas": 41 * GWEI}, "Custom error: 3"),
    "another chain's": ({"chainId": 945}, "Custom error: 8"),
    "poor": ({"value": 10**24}, "Inability to pay some fees (e.g. account balance too low)"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_has_the_runtimes_number_and_changes_nothing(node: Node, wallet: Wallet, case: str) -> None:
    wallet.send()
    parts, words = REFUSED[case]
    before = node.state.latest()
    with pytest.raises(TransactionError) as refused:
        wallet.submit(**parts)
    assert refused.value.data == words
    assert node.state.latest() == before
    assert len(node.transaction_pool) == 0


@pytest.mark.parametrize(("count", "words"), [(0, "Custom error: 10"), (256, "Custom error: 11")])
def test_a_list_of_authorizations_has_one_to_255(wallet: Wallet, count: int, words: str) -> None:
    authorization = wallet.sign(type=4, authorizationList=[AUTHORIZATION], gas=100_000).authorizations[0]
    wrong = replace(
        wallet.sign(), kind=SET_CODE, gas_limit=7_000_000, authorizations=(authorization,) * count
    )
    with pytest.raises(TransactionError) as refused:
        wallet.submit_signed(wallet.resigned(wrong))
    assert refused.value.data == words


def test_an_unprotected_transaction_is_taken(node: Node, wallet: Wallet) -> None:
    assert wallet.send(gasPrice=40 * GWEI, chainId=None).succeeded


def test_a_gap_waits_until_it_is_filled(node: Node, wallet: Wallet) -> None:
    first = wallet.nonce()
    wallet.submit(nonce=first + 1)
    node.seal()
    assert wallet.nonce() == first
    wallet.submit(nonce=first)
    node.seal()
    assert wallet.nonce() == first + 2
    assert len(node.transaction_pool) == 0


def test_the_same_nonce_is_no_replacement(wallet: Wallet) -> None:
    wallet.submit()
    with pytest.raises(TransactionError, match="Priority is too low"):
        wallet.submit(maxPriorityFeePerGas=5 * GWEI)


def test_a_transaction_is_an_extrinsic_like_any_other(node: Node, wallet: Wallet) -> None:
    transaction = wallet.submit()
    raw = ethereum_admission.wrapped(node.ledger, transaction)
    block = node.seal()
    assert raw in block.extrinsics
    with pytest.raises(TransactionError, match="outdated"):
        node.submit(raw)
    with pytest.raises(TransactionError):
        node.submit(raw[:-1])
