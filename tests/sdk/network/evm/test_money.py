"""Money between the halves of a chain, on the wire: both directions, one budget, and books that balance."""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import bittensor
import pytest
from bittensor.evm import EvmRpc
from web3 import AsyncWeb3, Web3, WebSocketProvider

from subnetlab.errors import (
    ChainRejected,
    HeadlessSpendRefused,
    InsufficientBalance,
    InvalidAmount,
    NodeUnreachable,
    NotConfirmed,
    OverBudget,
    SubnetLabError,
    WalletError,
    WrongChain,
)
from subnetlab.network.budget import Budget
from subnetlab.network.client import NetworkClient
from subnetlab.network.confirm import Recorded
from subnetlab.network.evm.connection import connected, http_endpoint
from subnetlab.network.evm.payments import check_precompile
from subnetlab.network.evm.wallet import EvmWallet
from subnetlab.network.wallets import dev_wallet

RAO = 10**9
BOB = dev_wallet("bob").coldkey.ss58_address


def test_web3_is_web3_over_both_transports(network: NetworkClient) -> None:
    assert isinstance(network.w3, Web3)
    assert network.w3 is network.w3 is network.evm.w3
    assert network.w3.eth.block_number == network.head().number

    async def over_websocket() -> tuple[int, int]:
        async with AsyncWeb3(WebSocketProvider(network.endpoint)) as w3:
            return await w3.eth.chain_id, await w3.eth.block_number

    assert asyncio.run(over_websocket()) == (network.w3.eth.chain_id, network.head().number)


def test_a_payment_to_the_evm_lies_on_the_mirror_and_web3_sees_all_of_it_but_the_deposit(
    network: NetworkClient,
) -> None:
    dave = network.evm.wallet("dave")
    before = network.balance(dev_wallet("alice"))
    receipt = network.pay(amount_tao=3, to=dave.address.lower(), wallet="alice")
    assert network.balance(dave) == network.balance(dave.mirror) == 3 * RAO
    assert before - network.balance(dev_wallet("alice")) == 3 * RAO + receipt.fee_rao
    assert network.w3.eth.get_balance(dave.address) == (3 * RAO - network.existential_deposit) * RAO
    assert network.evm.balance(dave) == 3 * RAO - network.existential_deposit


def test_payments_of_one_key_from_many_threads_each_get_a_nonce(funded: NetworkClient) -> None:
    bob = funded.balance(BOB)
    with ThreadPoolExecutor(8) as pool:
        paid = list(pool.map(lambda _: funded.pay(amount_tao="0.1", to=BOB, wallet="alice"), range(16)))
        sent = list(
            pool.map(
                lambda _: funded.pay(amount_tao="0.1", to=BOB, wallet=funded.evm.wallet("alice")), range(16)
            )
        )
    assert len({receipt.tx for receipt in (*paid, *sent)}) == 32
    assert funded.balance(BOB) == bob + 32 * RAO // 10


def test_from_the_evm_to_either_half_and_the_books_balance_to_the_rao(funded: NetworkClient) -> None:
    alice, eve = funded.evm.wallet("alice"), funded.evm.wallet("eve")
    known = len(funded.ledger.entries())
    before, bob, spent = funded.balance(alice), funded.balance(BOB), funded.budget.spent_rao
    paid = [
        funded.pay(amount_tao=1, to=eve, wallet=alice),
        funded.pay(amount_tao="0.000000501", to=eve.address, wallet=alice),
        funded.evm.withdraw(amount_tao=2, to="bob", wallet="alice"),
        funded.pay(amount_tao="0.5", to=BOB, wallet=alice),
    ]
    assert funded.balance(eve) == RAO + 501
    assert funded.balance(BOB) == bob + 2 * RAO + RAO // 2
    entries = funded.ledger.entries()[known:]
    assert [(entry.what, entry.to) for entry in entries] == [
        ("pay", eve.address),
        ("pay", eve.address),
        ("withdraw", BOB),
        ("pay", BOB),
    ]
    left = sum(entry.amount_rao + entry.fee_rao for entry in entries)
    assert before - funded.balance(alice) == left
    # What went to bob's own wallet by name has not left this person's hands; its fee has.
    assert funded.budget.spent_rao - spent == left - 2 * RAO
    assert [entry.tx for entry in entries] == [receipt.tx for receipt in paid]
    assert {entry.wallet for entry in entries} == {alice.address}


def rehearsal(prepared: Any, folder: Path, confirm: Recorded, limit: object) -> NetworkClient:
    """The devnet as if its money were real; keys that everybody holds are refused there."""
    budget = Budget("rehearsal", unlimited=False, folder=folder)
    budget.set(limit)  # type: ignore[arg-type]
    return NetworkClient(prepared.endpoint, real=True, confirm=confirm, budget=budget)


def own_key(network: NetworkClient) -> EvmWallet:
    """Alice's key of the EVM as if it were a person's own."""
    return replace(network.evm.wallet("alice"), name="cold/default", development=False)


@pytest.mark.parametrize(
    ("answers", "interactive", "limit", "error"),
    [
        ([True], True, "0.5", OverBudget),
        ([False], True, 5, NotConfirmed),
        ([True], False, 5, HeadlessSpendRefused),
        ([True], True, 5, None),
    ],
)
@pytest.mark.parametrize("to", [BOB, "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"])
def test_the_purse_is_asked_for_either_half_alike(
    funded: NetworkClient, prepared: Any, tmp_path: Path, *,
    to: str, answers: list[bool], interactive: bool, limit: object, error: type[SubnetLabError] | None,
) -> None:  # fmt: skip
    confirm, wallet = Recorded(answers, interactive=interactive), own_key(funded)
    head, nonce = funded.head(), funded.w3.eth.get_transaction_count(wallet.address)
    with contextlib.closing(rehearsal(prepared, tmp_path, confirm, limit)) as real:
        if error is None:
            receipt = real.pay(amount_tao=1, to=to, wallet=wallet)
            assert real.budget.spent_rao == RAO + receipt.fee_rao
            assert to in str(confirm.asked[0])
            assert confirm.asked[0].real
            return
        with pytest.raises(error):
            real.pay(amount_tao=1, to=to, wallet=wallet)
        assert real.budget.spent_rao == 0
    assert (funded.head(), funded.w3.eth.get_transaction_count(wallet.address)) == (head, nonce)


def test_a_development_key_of_the_evm_is_refused_where_money_is_real(
    funded: NetworkClient, prepared: Any, tmp_path: Path
) -> None:
    with (
        contextlib.closing(rehearsal(prepared, tmp_path, Recorded([True]), 5)) as real,
        pytest.raises(WalletError, match="everybody holds"),
    ):
        real.pay(amount_tao=1, to=BOB, wallet=funded.evm.wallet("alice"))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"amount_tao": 11}, InsufficientBalance),
        ({"amount_tao": "9.9999"}, InsufficientBalance),
        ({"amount_tao": "0.0000000001"}, InvalidAmount),
        ({"amount_tao": 10**18}, InvalidAmount),
        ({"amount_tao": 0}, InvalidAmount),
        ({"to": "0x70997970C51812dc3A010C7d01b50e0d17dc79C"}, WalletError),
        ({"to": "0x70997970c51812dc3A010C7d01b50e0d17dc79C8"}, WalletError),
        ({"to": "0x" + "0" * 37 + "800"}, WalletError),
        ({"to": BOB[:-1]}, WalletError),
        ({"to": ""}, WalletError),
    ],
)
def test_a_bad_payment_of_the_evm_sends_nothing(
    funded: NetworkClient, change: dict[str, object], error: type[SubnetLabError]
) -> None:
    alice = funded.evm.wallet("alice")
    head, held, spent = funded.head(), funded.balance(alice), funded.budget.spent_rao
    with pytest.raises(error) as caught:
        funded.pay(**({"amount_tao": 1, "to": BOB, "wallet": alice} | change))  # type: ignore[arg-type]
    assert type(caught.value) is error
    assert (funded.head(), funded.balance(alice), funded.budget.spent_rao) == (head, held, spent)


def test_another_chain_is_refused_before_anything_is_signed(network: NetworkClient) -> None:
    def asked(chain_id: int) -> Callable[[], object]:
        return lambda: connected("devnet", network.endpoint, answer_s=10, chain_id=lambda: chain_id)

    assert asked(network.w3.eth.chain_id)()
    with pytest.raises(WrongChain, match="is chain 964"):
        asked(964)()
    with pytest.raises(NodeUnreachable):
        connected("devnet", "ws://127.0.0.1:9", answer_s=2, chain_id=lambda: 964)


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("finney", "https://lite.chain.opentensor.ai"),
        ("test", "https://test.chain.opentensor.ai"),
        ("wss://example.org:443/path", "https://example.org:443/path"),
        ("devnet", "http://127.0.0.1:9944"),
    ],
)
def test_where_web3_reaches_a_network(name: str, url: str) -> None:
    endpoint = name if "://" in name else "ws://127.0.0.1:9944"
    assert http_endpoint(name, endpoint) == url


def test_the_sdk_sees_the_same_money(funded: NetworkClient, prepared: Any) -> None:
    alice = funded.evm.wallet("alice")
    rpc = EvmRpc(prepared.node.url)
    assert rpc.get_balance_wei(alice.address) // RAO == funded.evm.balance(alice)
    assert rpc.chain_id() == funded.w3.eth.chain_id
    receipt = funded.execute(bittensor.FundEvmKey(evm_address=alice.address, amount_tao=1), wallet="bob")
    assert receipt.event("Balances", "Transfer")


def test_a_chain_without_the_precompile_is_not_paid_through_it(funded: NetworkClient) -> None:
    check_precompile(funded.w3, "0x" + "0" * 37 + "800")
    with pytest.raises(ChainRejected, match="would be lost"):
        check_precompile(funded.w3, "0x" + "0" * 36 + "0900")
