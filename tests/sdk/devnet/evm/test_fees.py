"""What gas costs: the base fee block by block, and every rao of a fee from who paid it to who got it."""

import pytest
from bittensor_core import Keypair
from tests.sdk.devnet.evm.conftest import FUNDS_RAO, GWEI, TAO, Wallet
from tests.sdk.devnet.evm.contracts import ask, box
from tests.sdk.devnet.signing import Signer

from subnetlab.devnet.evm import fees
from subnetlab.devnet.evm.addresses import mirror
from subnetlab.devnet.node.node import Node
from subnetlab.devnet.pallets import balances
from subnetlab.devnet.pallets.base_fee import MOST_REF_TIME, base_fee, float_base_fee

AUTHOR = Keypair.from_uri("//Author").ss58_address


@pytest.mark.parametrize(
    ("before", "load", "after"),
    [
        (20 * GWEI, 0.0, 17_500_000_000), (20 * GWEI, 0.5, 20 * GWEI), (20 * GWEI, 1.0, 22_500_000_000),
        (20 * GWEI, 0.75, 21_250_000_000), (20 * GWEI, 2.0, 22_500_000_000), (10 * GWEI, 0.0, 10 * GWEI),
        (11 * GWEI, 0.0, 10 * GWEI), (20 * GWEI, 0.25, 18_750_000_000),
    ],
)  # fmt: skip
def test_the_base_fee_moves_with_the_load(node: Node, before: int, load: float, after: int) -> None:
    node.ledger.put("BaseFee", "BaseFeePerGas", value=[before, 0, 0, 0])
    node.ledger.ref_time = int(MOST_REF_TIME * load)
    float_base_fee(node.ledger)
    assert base_fee(node.ledger) == after


def test_empty_blocks_let_it_fall_to_half_the_default(node: Node) -> None:
    seen: list[int] = []
    for _ in range(8):
        seen.append(base_fee(node.ledger))
        node.seal()
    assert seen[0] == 20 * GWEI
    assert seen == sorted(seen, reverse=True)
    assert seen[-1] == base_fee(node.ledger) == 10 * GWEI


def test_the_load_is_the_gas_that_was_used(node: Node, wallet: Wallet) -> None:
    contract = wallet.create(box().code)
    wallet.call(contract, ask("put(uint256)", 1), gas=1_000_000)
    assert node.ledger.ref_time < 60_000 * 40_000 + 10**9


def test_root_sets_the_fee_and_keeps_it_still(node: Node, wallet: Wallet, signer: Signer) -> None:
    nonce = node.ledger.get("System", "Account", signer.address)["nonce"]
    calls = [{"set_elasticity": {"elasticity": 0}}, {"set_base_fee_per_gas": {"fee": [3 * GWEI, 0, 0, 0]}}]
    for number, call in enumerate(calls):
        sudo = signer.call("Sudo", "sudo", call={"BaseFee": call})
        node.submit(signer.sign(sudo, nonce=nonce + number))
    node.seal()
    node.seal()
    assert base_fee(node.ledger) == 3 * GWEI
    before = wallet.rao
    wallet.send(maxFeePerGas=3 * GWEI, maxPriorityFeePerGas=0)
    assert before - wallet.rao == 21_000 * 3


def test_the_author_gets_the_fee_and_its_mirror_the_tip(node: Node, wallet: Wallet) -> None:
    node.ledger.author = AUTHOR
    fee = base_fee(node.ledger)
    wallet.send(value=TAO, maxPriorityFeePerGas=3 * GWEI, maxFeePerGas=80 * GWEI)
    tips = mirror(fees.author(node.ledger))
    assert balances.free(node.ledger, AUTHOR) == 21_000 * fee // GWEI
    assert balances.free(node.ledger, tips) == 21_000 * (fee + 3 * GWEI) // GWEI - 21_000 * fee // GWEI
    spent = FUNDS_RAO - wallet.rao - 10**9
    assert spent == balances.free(node.ledger, AUTHOR) + balances.free(node.ledger, tips)
    held = sum(int(one["data"]["free"]) for _, one in node.ledger.items("System", "Account"))
    assert held == balances.issuance(node.ledger)


def test_no_more_than_the_price_named_is_paid(node: Node, wallet: Wallet) -> None:
    fee = base_fee(node.ledger)
    wallet.send(maxFeePerGas=fee + 1, maxPriorityFeePerGas=fee + 1)
    assert FUNDS_RAO - wallet.rao == 21_000 * (fee + 1) // GWEI


def test_an_address_without_the_deposit_beside_its_fee_sends_nothing(node: Node, wallet: Wallet) -> None:
    price = base_fee(node.ledger) + GWEI
    spendable = (wallet.rao - balances.EXISTENTIAL_DEPOSIT) * GWEI - 21_000 * price
    receipt = wallet.send(value=spendable, maxFeePerGas=price)
    assert receipt.succeeded
    assert 0 <= wallet.rao - balances.EXISTENTIAL_DEPOSIT <= 1
