"""A subnet is used more than once: the second run takes the first one's seats, and pay follows its rounds."""

from typing import Any

import subnetlab as sl
from subnetlab.lab.run import Run
from subnetlab.lab.session import Net
from subnetlab.lab.subnet import Subnet
from subnetlab.network.wallets import DevWallet, dev_keypair

LIMIT_S = 300.0


def _trained(subnet: Subnet, rounds: int, **fleet: Any) -> Run:
    run = subnet.train(
        model=sl.models.TinyGPT("binder"),
        data=sl.data.stdlib(200_000),
        strategy=sl.strategies.SparseLoCo(inner_steps=2),
        rounds=rounds,
        fleet=sl.LocalFleet(**{"baseline": False, **fleet}),
    )
    return run.wait(timeout=LIMIT_S)


def _seats(run: Run) -> dict[int, tuple[str, str]]:
    started = run.view.started
    assert started is not None
    return {int(seat["uid"]): (str(seat["role"]), str(seat["hotkey"])) for seat in started.seats}


def test_a_second_run_pays_its_own_miners_and_nobody_of_the_first(net: Net) -> None:
    subnet = net.create_subnet("twice", wallet="alice")
    first = _trained(subnet, 2, miners=3, validators=2)
    old = _seats(first)
    assert [role for role, _ in old.values()] == ["owner", *["miner"] * 3, *["validator"] * 2]

    second = _trained(subnet, 6, miners=3, free_riders=1, validators=1)
    new = _seats(second)
    assert {uid: hotkey for uid, (_, hotkey) in new.items() if uid in old} == {
        uid: hotkey for uid, (_, hotkey) in old.items()
    }
    assert [role for role, _ in new.values()] == [
        "owner", "miner", "miner", "other", "validator", "other", "free_rider",
    ]  # fmt: skip
    paid = {uid: second.view.pay.total(uid) for uid in new}
    assert min(paid[1], paid[2], paid[4]) > 0
    assert paid[3] == paid[5] == 0, "a peer of the first run was paid by the second"
    assert second.headline.startswith("Two of three strangers")
    last = subnet.metagraph()
    assert last.neurons[5].stake_alpha_rao == 0, "a former validator kept its vote"
    assert not last.neurons[5].validator_permit
    for uid in (3, 5):
        answer = second.explain(uid).answer
        assert "takes no part in this run" in answer
        assert "owner" not in answer


def test_the_same_fleet_again_buys_nothing_and_the_first_pay_is_of_its_own_rounds(net: Net) -> None:
    subnet = net.create_subnet("again", wallet="alice")
    first = _trained(subnet, 2, miners=2, validators=1)
    before = net.balance("alice")
    second = _trained(subnet, 4, miners=2, validators=1)
    assert _seats(second) == _seats(first)
    assert (before - net.balance("alice")).rao < 10_000_000, "more than fees was spent"
    miners = second.view.uids("miner")
    early = [epoch for epoch in second.view.pay.epochs if not any(epoch.incentive)]
    assert early, "the first epoch of the second run paid for rounds of the first"
    assert all(epoch.emission_alpha_rao[uid] == 0 for epoch in early for uid in miners)
    assert all(second.view.pay.total(uid) > 0 for uid in miners)


def test_a_strangers_vote_stays_the_strangers(net: Net) -> None:
    subnet = net.create_subnet("strangers", wallet="alice")
    hotkey = dev_keypair("//Stranger")
    uid, _ = net._client.burned_register(subnet.netuid, "bob", hotkey_ss58=hotkey.ss58_address)
    net.stake(amount_tao=1, hotkey_ss58=hotkey.ss58_address, netuid=subnet.netuid, wallet="bob")
    net.seal(16)
    from bittensor import calls

    wallet = DevWallet(name="stranger", coldkey=hotkey, hotkey=hotkey)
    row = calls.SubtensorModule.set_mechanism_weights(
        netuid=subnet.netuid, mecid=0, dests=[0], weights=[65535], version_key=0
    )
    net._client.submit_call(row, wallet=wallet, signer="hotkey")
    run = _trained(subnet, 1, miners=1, validators=1)
    after = subnet.metagraph()
    assert after.weights[uid] == {0: 65535}
    assert after.neurons[uid].stake_alpha_rao > 0
    assert _seats(run)[uid][0] == "other"


def test_another_fleet_shape_takes_the_seats_that_are_there_and_leaves_no_vote_behind(net: Net) -> None:
    subnet = net.create_subnet("shapes", wallet="alice")
    first = _trained(subnet, 3, miners=3, validators=2, attackers={"sign_flip": 1})
    old = _seats(first)
    second = _trained(
        subnet, 6, miners=2, validators=3, attackers={"poison": 1, "weight_copier": 1}, stakes_tao=(300, 100)
    )
    new = _seats(second)
    assert {uid: hotkey for uid, (_, hotkey) in new.items() if uid in old} == {
        uid: hotkey for uid, (_, hotkey) in old.items()
    }
    view = second.view
    assert (view.honest, view.uids("poison"), view.uids("weight_copier")) == ([1], [2], [6])
    assert view.role(3) == "other", "the first run's attacker takes no part in the second"
    paid = {uid: view.pay.total(uid) for uid in new}
    assert paid[1] > 0
    assert paid[2] == paid[3] == 0
    votes = subnet.metagraph().weights
    assert all(set(row) <= {1} for uid, row in votes.items() if uid in (4, 5, 6)), votes
    last = subnet.metagraph().neurons
    assert last[6].stake_alpha_rao > 0

    third = _trained(subnet, 4, miners=2, validators=1)
    assert subnet.metagraph().neurons[6].stake_alpha_rao == 0, "a hostile validator kept its vote"
    assert third.view.honest == [1, 2], "who attacked before is judged anew"
    assert third.view.pay.total(2) > 0
