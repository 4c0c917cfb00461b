"""`net.spent` holds what left a wallet and what came back, by whichever verb."""

import bittensor
import pytest

from subnetlab.errors import InvalidAmount
from subnetlab.lab.session import Net


def test_what_was_spent_and_what_came_back_is_listed(net: Net) -> None:
    subnet = net.create_subnet("spent", wallet="alice")
    hotkey, netuid = subnet.hotkey(0), subnet.netuid
    before, known = net.balance("bob").rao, len(net.spent)
    receipts = [
        net.stake(amount_tao=5, hotkey_ss58=hotkey, netuid=netuid, wallet="bob"),
        net.unstake(amount_alpha=1, hotkey_ss58=hotkey, netuid=netuid, wallet="bob"),
        net.execute(
            bittensor.Transfer(dest_ss58=net.address("alice"), amount_tao=bittensor.Balance.from_tao(2)),
            wallet="bob",
        ),
        net.execute(
            bittensor.RemoveStake(hotkey_ss58=hotkey, netuid=netuid, amount_alpha="all"), wallet="bob"
        ),
        net.execute(bittensor.SetAutoStake(netuid=netuid, hotkey_ss58=hotkey), wallet="bob"),
    ]
    spent = net.spent[known:]
    assert [one.what for one in spent] == ["stake", "unstake", "execute", "execute"]
    assert [one.tx for one in spent] == [receipt.tx for receipt in receipts[:-1]]
    assert [one.to for one in spent] == [hotkey, hotkey, net.address("alice"), hotkey]
    assert [one.amount_rao > 0 for one in spent] == [True, False, True, False]
    fees = sum(receipt.fee_rao for receipt in receipts)
    assert before - net.balance("bob").rao == sum(one.amount_rao for one in spent) + fees
    with pytest.raises(InvalidAmount):
        net.stake(amount_tao="0.001", hotkey_ss58=hotkey, netuid=netuid, wallet="bob")
    assert len(net.spent) == known + 4
