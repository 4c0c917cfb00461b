"""Votes by hand on a chain of one's own: every step of the epoch that the chain ran."""

from collections.abc import Iterator
from itertools import pairwise

import pytest

import subnetlab as sl
from subnetlab.errors import ArgumentInvalid, ChainRejected, UnknownUid
from subnetlab.report.evaluation import Evaluation
from subnetlab.yuma import vectors

STAKES = {"v1": 50, "v2": 30, "v3": 20}
OPINIONS = {
    "v1": {4: 50, 5: 30, 6: 20},
    "v2": {4: 40, 5: 40, 6: 20},
    "v3": {4: 5, 5: 5, 6: 90},
}


@pytest.fixture(scope="module")
def subnet() -> Iterator[sl.Subnet]:
    """Three validators with stake and opinions, three miners, and one epoch that has paid them."""
    with sl.connect(sealing="instant") as net:
        made = net.create_subnet("opinions")
        seats = [made.register(f"alice/{name}") for name in (*STAKES, "m1", "m2", "m3")]
        assert seats == [1, 2, 3, 4, 5, 6]
        for uid, tao in enumerate(STAKES.values(), 1):
            hotkey = made.hotkey(uid)
            net.stake(
                amount_tao=tao, hotkey_ss58=hotkey, netuid=made.netuid, wallet="alice", rate_tolerance=0.9
            )
        net.seal(8)
        for name, weights in OPINIONS.items():
            made.set_weights(weights, wallet=f"alice/{name}")
        net.seal(8)
        yield made


def test_the_steps_are_those_of_the_chain(subnet: sl.Subnet) -> None:
    found, graph = subnet.yuma(), subnet.metagraph()
    assert vectors.u16_shares(found.epoch.incentive) == [n.incentive for n in graph.neurons]
    assert vectors.u16_shares(found.epoch.dividends) == [n.dividends for n in graph.neurons]
    assert vectors.u16_shares(found.epoch.consensus) == [n.consensus for n in graph.neurons]
    assert vectors.u16_shares(found.epoch.validator_trust) == [n.validator_trust for n in graph.neurons]
    for neuron in graph.neurons:
        assert abs(found.emission[neuron.uid] - neuron.emission_alpha_rao) <= len(graph.neurons)
    assert "epoch of block" in found.where
    assert (found.validators, found.miners) == ((1, 2, 3), (4, 5, 6))
    assert set(found.stake) == {0, 1, 2, 3}, "the owner may vote, and its stake counts although it does not"


def test_the_epoch_before_can_be_looked_at_too(subnet: sl.Subnet) -> None:
    newest = subnet.yuma()
    earlier = subnet.yuma(block=newest.given.block - 1)
    assert earlier.given.block == newest.given.block - 8
    assert f"epoch of block {earlier.given.block}" in earlier.where


def test_a_weight_that_moves_is_cut_where_it_leaves_consensus(subnet: sl.Subnet) -> None:
    found = subnet.yuma()
    assert found.clipped[3][6] == pytest.approx(found.consensus[6])
    assert "validator 3's weight for uid 6 falls from 90.0 % to 20.0 %" in str(found)
    lifted = found.changed(1, 6, 0.8)
    assert lifted.weights[1][6] == pytest.approx(0.8, abs=1e-4)
    assert sum(lifted.weights[1].values()) == pytest.approx(1, abs=1e-4)
    assert lifted.weights[1][4] / lifted.weights[1][5] == pytest.approx(50 / 30, rel=1e-3)
    assert lifted.incentive[6] > 2 * found.incentive[6]
    assert found.changed(3, 6, 0.95).incentive[6] == pytest.approx(found.incentive[6], abs=1e-2)
    assert found.changed(1, 6, 1.0).weights[1] == {4: 0.0, 5: 0.0, 6: pytest.approx(1.0, abs=1e-6)}
    assert found.changed(1, 6, 1.0).changed(1, 6, 0.5).weights[1][4] == pytest.approx(0.25, abs=1e-4)


def test_a_weight_that_is_none_is_refused(subnet: sl.Subnet) -> None:
    found = subnet.yuma()
    for weight in (-0.1, 1.1, float("nan"), True, "half"):
        with pytest.raises(ArgumentInvalid, match="share between 0 and 1"):
            found.changed(1, 6, weight)  # type: ignore[arg-type]
    with pytest.raises(UnknownUid, match="Validators: 1, 2 and 3"):
        found.changed(4, 6, 0.5)


def test_every_step_has_a_sentence_a_table_and_rows(subnet: sl.Subnet) -> None:
    found = subnet.yuma()
    names = [stage.name for stage in found.stages]
    assert names == [
        "stake", "weights", "consensus", "clipped", "ranks", "incentive", "bonds", "dividends", "emission"
    ]  # fmt: skip
    assert all(stage.sentence.endswith(".") for stage in found.stages)
    assert list(dict.fromkeys(found.frame()["step"])) == names
    page = found._repr_html_()
    assert page.count("<table") == len(names)
    assert "<script" not in page
    for matrix in (found.weights, found.clipped):
        assert all(set(row) == set(found.miners) for row in matrix.values())


def test_a_seat_explains_itself_from_the_chain_alone(subnet: sl.Subnet) -> None:
    paid = {n.uid: n.emission_alpha_rao for n in subnet.metagraph().neurons}
    for uid, role in ((0, "owner"), (1, "validator"), (6, "miner")):
        found = subnet.explain(uid)
        assert found.role == role
        assert found.steps[-1].value == f"{paid[uid] / 1e9:.3f} α"
    assert "validator 3 gave it 90.0 %" in str(subnet.explain(6))
    assert "What validator 3 gave above it was cut off" in str(subnet.explain(6))
    with pytest.raises(UnknownUid, match="No neuron held uid 99"):
        subnet.explain(99)


def test_a_seat_is_bought_once_and_a_vote_that_is_none_is_not_sent(subnet: sl.Subnet) -> None:
    spent = subnet.net.balance("alice").rao
    assert subnet.register("alice/v1") == 1
    assert subnet.net.balance("alice").rao == spent
    for weights in ({}, [1, 2], {4: -1}, {4: float("nan")}, {"4": 1}, {4: "much"}):
        with pytest.raises(ArgumentInvalid):
            subnet.set_weights(weights, wallet="alice/v1")  # type: ignore[arg-type]
    with pytest.raises(ChainRejected):
        subnet.set_weights({4: 1}, wallet="bob")
    assert subnet.yuma().where == subnet.yuma().where


def test_a_subnet_without_votes_says_what_the_next_epoch_would_see(subnet: sl.Subnet) -> None:
    found = subnet.net.create_subnet("fresh", wallet="bob").yuma(block=subnet.net.block)
    assert "as of block" in found.where
    assert "No validator with a permit has given weights" in str(found)
    assert (found.validators, found.miners, sum(found.emission.values())) == ((), (), 0)


def test_more_stake_behind_one_opinion_never_lowers_its_consensus(subnet: sl.Subnet) -> None:
    found = subnet.yuma()
    shares = [found.changed(3, 6, weight).consensus[6] for weight in (0.1, 0.2, 0.5, 0.9)]
    assert all(one <= other + 1e-4 for one, other in pairwise(shares))
    assert isinstance(found, Evaluation)
