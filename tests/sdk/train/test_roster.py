"""Rosters: a fixed list, and the neurons of a chain at a height, in a run whose seats change."""

from typing import cast

import pytest

from subnetlab.errors import NotRegistered, TrainError
from subnetlab.record.events import RoundClosed, Scored
from subnetlab.train.roster import ChainRoster, FixedRoster, Neuron, Seat, miners, seat_of, validators

from .conftest import MakeRehearsal, keypair, seats_for


def test_a_free_rider_looks_like_a_miner_to_validators() -> None:
    started = [
        (2, "free_rider"),
        (1, "miner"),
        (4, "validator"),
        (3, "validator"),
        (0, "owner"),
        (5, "other"),
    ]
    roster = FixedRoster(tuple(Seat.of(uid, f"5{uid}", role) for uid, role in started))
    assert [(seat.uid, seat.role) for seat in miners(roster.at(7))] == [(1, "miner"), (2, "miner")]
    assert [seat.uid for seat in validators(roster.at(7))] == [4, 3]
    assert [seat.role for seat in roster.at(7)][-2:] == ["owner", "other"]
    assert Seat.of(9, "5", "astronaut").role == "unknown"


def test_a_hotkey_without_a_seat_is_told() -> None:
    assert seat_of(seats_for("miner"), keypair(0).ss58_address).uid == 0
    with pytest.raises(NotRegistered, match="5Nobody holds no seat"):
        seat_of(seats_for("miner"), "5Nobody")


def test_validators_of_a_chain_lead_in_the_order_of_their_stake() -> None:
    asked: list[int] = []

    def read(height: int) -> list[Neuron]:
        asked.append(height)
        return [
            Neuron(uid=0, hotkey="a", stake=9, permit=False, is_owner=True),
            Neuron(uid=1, hotkey="b", stake=5, permit=True),
            Neuron(uid=2, hotkey="c", stake=0, permit=False),
            Neuron(uid=3, hotkey="d", stake=5, permit=True),
            Neuron(uid=4, hotkey="e", stake=7 + height, permit=True),
        ]

    roster = ChainRoster(read)
    assert [seat.uid for seat in validators(roster.at(3))] == [4, 1, 3]
    assert [seat.uid for seat in miners(roster.at(3))] == [2]
    assert {seat.uid: seat.role for seat in roster.at(3)}[0] == "owner"
    roster.at(4)
    assert asked == [3, 4]


def neurons(*stakes: int) -> list[Neuron]:
    return [
        Neuron(uid=uid, hotkey=keypair(uid).ss58_address, stake=stake, permit=stake > 0)
        for uid, stake in enumerate(stakes)
    ]


def test_who_joins_is_judged_from_the_round_that_opens_after_it(rehearse: MakeRehearsal) -> None:
    first_block, length = 3, 4

    def read(height: int) -> list[Neuron]:
        return neurons(0, 0, 5, 3) if height < first_block + length else neurons(0, 0, 5, 9, 0)

    run = rehearse("miner", "miner", "validator", "validator", roster=ChainRoster(read))
    run.run()
    closed = sorted(cast("list[RoundClosed]", run.of(RoundClosed)), key=lambda event: event.round)
    assert [event.lead for event in closed] == [2, 3, 3]
    newcomer = {(e.round, e.verdict) for e in cast("list[Scored]", run.of(Scored)) if e.uid == 4}
    assert newcomer == {(1, "missing"), (2, "missing")}


def test_a_peer_that_lost_its_seat_leaves_and_says_so(rehearse: MakeRehearsal) -> None:
    run = rehearse("miner", "validator", roster=ChainRoster(lambda height: neurons(0, 5)[height > 3 :]))
    with pytest.raises(TrainError, match=r"uid 0 failed.*holds no seat"):
        run.run()
