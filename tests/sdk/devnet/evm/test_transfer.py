"""Money between Ethereum addresses: what moves, what it costs to the rao, and what the chain records."""

from tests.sdk.devnet.evm.conftest import FUNDS_RAO, GWEI, TAO, Wallet, receipts

from subnetlab.devnet.evm.addresses import mirror
from subnetlab.devnet.node.node import Node
from subnetlab.devnet.pallets import balances
from subnetlab.devnet.pallets.base_fee import base_fee

TO = bytes.fromhex("22" * 20)


def test_a_transfer_moves_the_value_and_costs_its_gas(node: Node, wallet: Wallet) -> None:
    fee = base_fee(node.ledger)
    receipt = wallet.send(value=TAO)
    assert (receipt.succeeded, receipt.cumulative_gas) == (True, 21_000)
    assert balances.free(node.ledger, mirror(TO)) == 10**9
    assert wallet.rao == FUNDS_RAO - 10**9 - 21_000 * (fee + GWEI) // GWEI
    assert wallet.nonce() == 1


def test_less_than_a_rao_moves_nothing_and_succeeds(node: Node, wallet: Wallet) -> None:
    assert wallet.send(value=GWEI - 1).succeeded
    assert balances.free(node.ledger, mirror(TO)) == 0
    wallet.send(value=TAO + 7)
    assert balances.free(node.ledger, mirror(TO)) == 10**9


def test_less_than_the_existential_deposit_reaches_no_new_account(node: Node, wallet: Wallet) -> None:
    receipt = wallet.send(value=499 * GWEI)
    assert (receipt.succeeded, receipt.cumulative_gas) == (False, 21_000)
    assert balances.free(node.ledger, mirror(TO)) == 0
    assert receipts(node)[0].succeeded is False


def test_issuance_is_the_sum_of_balances_after_fees(node: Node, wallet: Wallet) -> None:
    wallet.send(value=TAO)
    accounts = node.ledger.items("System", "Account")
    held = sum(int(account["data"]["free"]) for _, account in accounts)
    assert held == balances.issuance(node.ledger)
