"""The pacer's decisions, tried with every kind of peer that can disappoint it."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subnetlab.fleet.supervisor.pacer import Pacer, Rounds
from subnetlab.record.events import Phase, Role

FIRST = 10
OWED: dict[Role, tuple[int, ...]] = {"miner": (1, 2, 0), "validator": (1, 3, 0), "alone": ()}
"""Offsets inside a round: 1 commit deadline, 2 beacon, 3 close, 0 the next round's open block."""


def paced(rounds: int = 2, limit_s: float = 5.0) -> Pacer:
    """Miners 1 and 2 and validator 7, up, with the chain's head at the first round's open block."""
    pacer = Pacer(rounds=Rounds(first_block=FIRST, rounds=rounds), owed=OWED, limit_s=limit_s)
    for uid, role in ((1, "miner"), (2, "miner"), (7, "validator")):
        pacer.add(uid, role)
        pacer.ready(uid)
    pacer.sealed(FIRST, now=0.0)
    return pacer


def report(pacer: Pacer, uid: int, until: int) -> None:
    pacer.reported(Phase(uid=uid, round=0, name="any", until=until))


def test_waits_for_exactly_the_roles_that_owe_something_before_a_height() -> None:
    pacer = paced()
    expected = {11: {1, 2, 7}, 12: {1, 2}, 13: {7}, 14: {1, 2, 7}, 15: {1, 2, 7}}
    for height, uids in expected.items():
        assert pacer.awaited() == uids, height
        assert not pacer.may_seal()
        for uid in uids:
            report(pacer, uid, height)
        assert pacer.may_seal()
        pacer.sealed(height, now=float(height))


def test_who_is_started_again_owes_nothing_of_the_round_it_missed_and_everything_of_the_next() -> None:
    pacer = paced()
    for uid in (1, 2, 7):
        report(pacer, uid, FIRST + 1)
    pacer.sealed(FIRST + 1, now=1.0)
    pacer.gone(1)
    pacer.add(1, "miner", owes_after=pacer.rounds.next_open(FIRST + 1))
    assert pacer.awaited() == {1}, "nothing is sealed before it is up"
    pacer.ready(1)
    assert pacer.awaited() == {2}
    pacer.sealed(FIRST + 4, now=2.0)
    assert pacer.awaited() == {1, 2, 7}


def test_the_next_open_block_is_after_the_height_asked_for() -> None:
    rounds = Rounds(first_block=FIRST, rounds=2)
    opens = [rounds.next_open(height) for height in (0, FIRST - 1, FIRST, FIRST + 3, FIRST + 4)]
    assert opens == [FIRST, FIRST, FIRST + 4, FIRST + 4, FIRST + 8]


@pytest.mark.parametrize("order", list(itertools.permutations((1, 2, 7))))
def test_the_order_of_reports_does_not_matter_and_one_missing_report_does(order: tuple[int, ...]) -> None:
    pacer = paced()
    for uid in order[:-1]:
        report(pacer, uid, 11)
    assert pacer.awaited() == {order[-1]}
    report(pacer, order[-1], 11)
    assert pacer.may_seal()


def test_nothing_is_sealed_while_a_peer_starts_not_even_before_the_first_round() -> None:
    pacer = Pacer(rounds=Rounds(first_block=FIRST, rounds=1), owed=OWED, limit_s=1.0)
    pacer.add(1, "miner")
    pacer.add(2, "miner")
    pacer.sealed(3, now=0.0)
    pacer.ready(1)
    assert pacer.awaited() == {2}
    assert pacer.give_up(now=100.0) == frozenset()
    pacer.gone(2)
    assert pacer.may_seal()
    for height in range(4, FIRST + 1):
        pacer.sealed(height, now=0.0)
    assert pacer.awaited() == {1}


def test_a_dead_peer_is_never_waited_for_again() -> None:
    pacer = paced()
    report(pacer, 1, 11)
    report(pacer, 7, 11)
    assert not pacer.may_seal()
    pacer.gone(2)
    assert pacer.may_seal()
    pacer.sealed(11, now=1.0)
    report(pacer, 2, 12)  # words still in the pipe of a dead process
    assert pacer.awaited() == {1}


def test_a_silent_peer_costs_the_wall_limit_once_and_comes_back_by_reporting_in_time() -> None:
    pacer = paced(limit_s=5.0)
    report(pacer, 1, 11)
    report(pacer, 7, 11)
    assert pacer.give_up(now=4.9) == frozenset()
    assert pacer.deadline() == 5.0
    assert pacer.give_up(now=5.0) == {2}
    assert pacer.late == {2}
    assert pacer.may_seal()
    pacer.sealed(11, now=5.0)
    assert pacer.awaited() == {1}
    report(pacer, 2, 11)  # too late: the block is there
    assert pacer.late == {2}
    report(pacer, 2, 14)  # the next round's open is still ahead
    assert pacer.late == frozenset()
    report(pacer, 1, 12)
    assert pacer.may_seal()


def test_the_limit_counts_from_the_last_seal() -> None:
    pacer = paced(limit_s=5.0)
    for uid in (1, 2, 7):
        report(pacer, uid, 11)
    pacer.sealed(11, now=3.0)
    assert pacer.deadline() == 8.0
    pacer.sealed(11, now=7.0)  # the same block told again
    assert pacer.deadline() == 8.0


def test_duplicates_and_old_news_change_nothing() -> None:
    pacer = paced()
    report(pacer, 1, 12)
    report(pacer, 1, 11)
    report(pacer, 1, 12)
    report(pacer, 2, 11)
    report(pacer, 7, 11)
    pacer.sealed(11, now=1.0)
    assert pacer.awaited() == {2}


def test_a_stranger_and_the_reference_miner_are_never_waited_for() -> None:
    pacer = paced()
    pacer.add(-1, "alone")
    pacer.ready(-1)
    report(pacer, 99, 14)
    assert pacer.awaited() == {1, 2, 7}


def test_blocks_sealed_by_somebody_else_are_taken_as_they_come() -> None:
    pacer = paced()
    pacer.sealed(14, now=2.0)
    assert pacer.head == 14
    assert pacer.awaited() == {1, 2, 7}
    pacer.sealed(12, now=3.0)
    assert pacer.head == 14


def test_after_the_last_round_nothing_is_due() -> None:
    pacer = paced(rounds=1)
    pacer.sealed(13, now=1.0)
    assert not pacer.finished()
    for uid in (1, 2, 7):
        report(pacer, uid, 14)
    assert pacer.may_seal()
    pacer.sealed(14, now=2.0)
    assert pacer.finished()
    assert not pacer.may_seal()
    assert pacer.awaited() == frozenset()
    assert pacer.give_up(now=1e9) == frozenset()


def test_heights_map_to_rounds() -> None:
    rounds = Rounds(first_block=FIRST, rounds=2)
    assert [rounds.round_at(height) for height in (0, 9, 10, 13, 14, 17, 18, 99)] == [
        -1,
        -1,
        0,
        0,
        1,
        1,
        1,
        1,
    ]


def test_a_height_is_inside_a_round_after_its_open_block_only() -> None:
    rounds = Rounds(first_block=FIRST, rounds=2)
    assert [height for height in range(25) if rounds.inside(height)] == [11, 12, 13, 15, 16, 17]


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("report"), st.sampled_from([1, 2, 7, 99]), st.integers(0, 30)),
            st.tuples(st.just("gone"), st.sampled_from([1, 2, 7]), st.just(0)),
            st.tuples(st.just("wait"), st.just(0), st.integers(0, 8)),
        ),
        max_size=60,
    )
)
def test_any_history_ends_the_run_within_the_limit_per_block(
    history: list[tuple[str, int, int]],
) -> None:
    """Whatever peers do, every height is sealed once, in order, and never later than the limit."""
    pacer, now, heights = paced(limit_s=5.0), 0.0, [FIRST]
    for what, uid, number in [*history, *[("wait", 0, 5)] * 20]:
        if what == "report":
            report(pacer, uid, number)
        elif what == "gone":
            pacer.gone(uid)
        else:
            now += number
            pacer.give_up(now)
        while pacer.may_seal():
            assert not pacer.awaited()
            heights.append(pacer.head + 1)
            pacer.sealed(pacer.head + 1, now)
        assert pacer.finished() or now - 8 <= pacer.deadline()
    assert heights == list(range(FIRST, pacer.rounds.last_block + 1))
    assert pacer.finished()
