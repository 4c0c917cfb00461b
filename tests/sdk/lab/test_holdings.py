"""What a wallet holds, against the real node: every part read at one block, and the sum of the parts."""

import pytest

from subnetlab.errors import SecretRefused, UnknownWallet, WalletError
from subnetlab.lab.session import Net
from subnetlab.units import RAO_PER_TAO, rao

BOB = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"


def test_an_account_without_stake_is_its_balance(net: Net) -> None:
    held = net.holdings("bob")
    assert (held.name, held.address, held.network, held.play_money) == ("bob", BOB, "devnet", True)
    assert held.positions == ()
    assert held.free_rao == held.total_rao == net.balance("bob").rao
    assert held.block == net.block


def test_stake_is_listed_by_subnet_and_worth_what_its_price_says(net: Net) -> None:
    subnet = net.create_subnet("tiny-lm", wallet="alice")
    hotkey = subnet.hotkey(0)
    net.stake(amount_tao=10, hotkey_ss58=hotkey, netuid=subnet.netuid, wallet="alice")
    net.stake(amount_tao=3, hotkey_ss58=hotkey, netuid=0, wallet="alice")
    held = net.holdings("alice")
    root, alpha = held.positions
    assert (root.netuid, root.alpha_rao, root.value_rao) == (0, rao(3), rao(3))
    assert (alpha.netuid, alpha.hotkey) == (subnet.netuid, hotkey)
    on_chain = net.client.staking.stake(coldkey_ss58=held.address, hotkey_ss58=hotkey, netuid=subnet.netuid)
    assert alpha.alpha_rao == on_chain.rao
    # The SDK's own valuation is a float; ours is whole rao.
    valued = net.client.read("stake_value_for_coldkey", coldkey_ss58=held.address)
    assert abs(held.total_rao - held.free_rao - valued.stake_value.rao) <= 2
    assert held.frame()["value_rao"].to_list() == [root.value_rao, alpha.value_rao]
    assert held.total_rao == held.free_rao + root.value_rao + alpha.value_rao
    assert 9 * RAO_PER_TAO < alpha.value_rao < 11 * RAO_PER_TAO


def test_it_reads_as_a_table_with_the_budget_and_whose_money_it_is(net: Net) -> None:
    net.budget.set(tao=7)
    held = net.holdings(BOB)
    said, shown = str(held), held._repr_html_()
    net.budget.set(None)
    assert "Budget: 7 play τ left" in shown
    assert "1,000,000.0000" in shown
    assert held.frame().is_empty()
    assert "play money; budget: 7 play τ left" in said
    assert "free" in said
    assert "1,000,000.0000" in said
    assert "budget: no limit" in str(net.holdings(net.wallet("bob")))


def test_what_is_no_account_is_refused_and_a_secret_not_repeated(net: Net) -> None:
    with pytest.raises(UnknownWallet):
        net.holdings("zed")
    with pytest.raises(WalletError):
        net.holdings(BOB[:-1] + "x")
    with pytest.raises(SecretRefused) as caught:
        net.holdings("0x" + "ab" * 32)
    assert "abab" not in str(caught.value)
