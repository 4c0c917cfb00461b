"""`net` on both halves of a chain: funding there and back, what is held on either, one list of spends."""

import pytest
from web3.exceptions import Web3Exception

import subnetlab as sl
from subnetlab.errors import InsufficientBalance, NotConfirmed, UnknownWallet, WalletError
from subnetlab.lab.session import Net
from subnetlab.network.confirm import Recorded
from subnetlab.network.evm.artefact import artefact

RAO = 10**9


def test_there_and_back_and_everything_is_in_the_ledger(net: Net) -> None:
    alice, bob = net.evm_wallet("alice"), net.evm_wallet("bob")
    known, spent, before = len(net.spent), net.ledger().height, net.balance("bob").rao
    receipts = [
        net.fund_evm(amount_tao=5, to="alice", wallet="bob"),
        net.pay(amount_tao=1, to=bob, wallet=alice),
        net.pay(amount_tao=1, to=bob.address, wallet="bob"),
        net.withdraw_evm(amount_tao=2, wallet="alice", to="bob"),
    ]
    assert (net.balance(bob).rao, net.balance(bob.address).rao) == (2 * RAO, 2 * RAO)
    assert net.balance(alice).rao == 2 * RAO - receipts[1].fee_rao - receipts[3].fee_rao
    assert before - net.balance("bob").rao == 4 * RAO + receipts[0].fee_rao + receipts[2].fee_rao
    noted = net.spent[known:]
    assert [(one.what, one.tx, one.fee_rao, one.block) for one in noted] == [
        (what, receipt.tx, receipt.fee_rao, receipt.block)
        for what, receipt in zip(("fund", "pay", "pay", "withdraw"), receipts, strict=True)
    ]
    assert [one.to for one in noted] == [alice.address, bob.address, bob.address, net.address("bob")]
    assert [one.wallet for one in noted] == [
        net.address("bob"),
        alice.address,
        net.address("bob"),
        alice.address,
    ]
    told = net.ledger()[spent:]
    assert told["tx"].to_list() == [receipt.tx for receipt in receipts]
    assert told["amount_rao"].to_list() == [5 * RAO, RAO, RAO, 2 * RAO]


def test_holdings_have_both_halves(net: Net) -> None:
    plain = net.holdings("charlie")
    assert [key.address for key in plain.evm] == [net.evm_wallet("charlie").address]
    assert "EVM" not in str(plain)
    net.fund_evm(amount_tao=3, to="charlie", wallet="charlie")
    held = net.holdings("charlie")
    (key,) = held.evm
    assert (key.free_rao, key.total_rao) == (3 * RAO, 3 * RAO)
    assert held.total_rao == held.free_rao + 3 * RAO
    assert "EVM free" in str(held)
    assert "0x3C" in held._repr_html_()
    for account in (net.evm_wallet("charlie"), net.evm_wallet("charlie").address):
        alone = net.holdings(account)
        assert (alone.free_rao, alone.evm) == (3 * RAO, ())


def test_a_no_or_a_wrong_name_moves_nothing(net: Net) -> None:
    net.fund_evm(amount_tao=3, to="dave", wallet="alice")
    before, block, known = net.balance(net.evm_wallet("dave")), net.block, len(net.spent)
    with pytest.raises(NotConfirmed):
        net.withdraw_evm(amount_tao=1, wallet="dave", to="bob", confirm=Recorded([False]))
    with pytest.raises(NotConfirmed):
        net.fund_evm(amount_tao=1, to="dave", confirm=Recorded([False]))
    with pytest.raises(UnknownWallet):
        net.fund_evm(amount_tao=1, to="zed")
    with pytest.raises(UnknownWallet):
        net.withdraw_evm(amount_tao=1, wallet="dave", to="zed")
    assert (net.balance(net.evm_wallet("dave")), net.block, len(net.spent)) == (before, block, known)


def test_more_than_an_evm_key_holds_is_a_lack_of_money_and_no_contracts_refusal(net: Net) -> None:
    net.fund_evm(amount_tao=1, to="dave", wallet="alice")
    key, known = net.evm_wallet("dave"), len(net.spent)
    for to in ("bob", net.evm_wallet("eve")):
        with pytest.raises(InsufficientBalance, match=r"needs 5.* holds 0\.9999995 τ"):
            net.pay(amount_tao=5, to=to, wallet=key)
    with pytest.raises(InsufficientBalance, match="holds 0 τ"):
        net.withdraw_evm(amount_tao=5, wallet="ferdie", to="bob")
    assert len(net.spent) == known


def test_a_name_that_is_no_wallets_is_told_as_a_name(net: Net) -> None:
    with pytest.raises(UnknownWallet, match=r"no wallet called 'bobb'.*alice, bob"):
        net.pay(amount_tao=1, to="bobb", wallet="alice")
    with pytest.raises(WalletError, match=r"is not an address: [^.]*[^.]\. An ss58"):
        net.pay(amount_tao=1, to="5Grwva", wallet="alice")


def test_the_reason_of_a_refusal_by_a_plain_web3_program(net: Net) -> None:
    net.fund_evm(amount_tao=3, to="alice")
    made, w3, wallet = artefact("JobEscrow"), net.w3, net.evm_wallet("alice")
    factory = w3.eth.contract(abi=list(made.abi), bytecode=made.bytecode)
    fields = {"from": wallet.address, "nonce": w3.eth.get_transaction_count(wallet.address)}
    signed = wallet.signer().sign_transaction(factory.constructor().build_transaction(fields))
    receipt = w3.eth.wait_for_transaction_receipt(w3.eth.send_raw_transaction(signed.raw_transaction))
    escrow = w3.eth.contract(receipt["contractAddress"], abi=list(made.abi))
    with pytest.raises(Web3Exception) as caught:
        escrow.functions.withdraw(wallet.address).call({"from": wallet.address})
    assert sl.revert_reason(caught.value) == "nothing owed"
