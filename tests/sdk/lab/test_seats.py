"""A fleet that cannot be paid costs nothing, and one that fails half way keeps the seats that it paid for."""

import pytest

from subnetlab.errors import InsufficientBalance, NotConfirmed, OverBudget
from subnetlab.fleet.local import LocalFleet
from subnetlab.lab.peer_registration import register_peers
from subnetlab.lab.session import Net
from subnetlab.network.confirm import Recorded

FLEET = LocalFleet(miners=3, validators=1, baseline=False)


def test_a_fleet_over_budget_or_over_balance_buys_no_seat(net: Net) -> None:
    subnet = net.create_subnet("seats")
    client, bob = net._client, net.wallet("bob")
    price = int(client.client.query(("SubtensorModule", "Burn"), [subnet.netuid]))
    before = net.balance("bob")
    net.budget.set((4 * price + 300 * 10**9 - 1) / 10**9)
    with pytest.raises(OverBudget, match="4 seats and the stake behind 1 validators"):
        register_peers(client, netuid=subnet.netuid, fleet=FLEET, wallet=bob, baselines=())
    net.budget.set(None)
    rest = before.rao - 299 * 10**9
    net.pay(amount_tao=rest / 10**9, to="alice", wallet="bob")
    kept = net.balance("bob")
    with pytest.raises(InsufficientBalance, match="Nothing was spent"):
        register_peers(client, netuid=subnet.netuid, fleet=FLEET, wallet=bob, baselines=())
    assert net.balance("bob") == kept
    assert len(subnet.metagraph().neurons) == 1


def test_seats_that_were_paid_for_before_a_refusal_are_named_and_taken_by_the_next_fleet(net: Net) -> None:
    subnet = net.create_subnet("seats")
    alice = net.wallet("alice")
    client = net._client.asking(Recorded([True, True]))
    with pytest.raises(NotConfirmed, match=f"2 seats on subnet {subnet.netuid} were paid for and are kept"):
        register_peers(client, netuid=subnet.netuid, fleet=FLEET, wallet=alice, baselines=())
    neurons = subnet.metagraph().neurons
    again = net._client.asking(asked := Recorded([True] * 9))
    seats = register_peers(again, netuid=subnet.netuid, fleet=FLEET, wallet=alice, baselines=())
    assert len(asked.asked) == 3, "two seats and a stake were missing"
    assert {neuron.hotkey for neuron in neurons[1:]} <= {seat.hotkey for seat in seats}
