"""A budget holds across processes: what is set aside is gone for everybody, whatever happens next."""

import multiprocessing
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subnetlab.errors import InvalidAmount, OverBudget
from subnetlab.network.budget import Budget
from subnetlab.units import RAO_PER_TAO


@pytest.fixture
def budget(tmp_path: Path) -> Budget:
    return Budget("finney", unlimited=False, folder=tmp_path)


def test_a_real_network_starts_at_nothing_and_a_development_chain_without_a_limit(tmp_path: Path) -> None:
    assert Budget("finney", unlimited=False, folder=tmp_path).left_rao == 0
    assert Budget("devnet", unlimited=True, folder=tmp_path).left_rao is None


def test_a_reservation_counts_at_once_and_keeps_what_was_spent(budget: Budget, tmp_path: Path) -> None:
    budget.set(1)
    with budget.reserve(800) as reservation:
        assert Budget("finney", unlimited=False, folder=tmp_path).spent_rao == 800
        reservation.keep(300)
    assert budget.spent_rao == 300
    assert budget.left_rao == RAO_PER_TAO - 300


def test_an_error_in_between_counts_as_spent(budget: Budget) -> None:
    budget.set(1)
    with pytest.raises(RuntimeError), budget.reserve(800):
        raise RuntimeError
    assert budget.spent_rao == 800


def test_over_budget_sets_nothing_aside(budget: Budget) -> None:
    budget.set("0.5")
    with pytest.raises(OverBudget, match=r"0\.6 τ is more than the 0\.5 τ left"), budget.reserve(600_000_000):
        pytest.fail("it was let through")
    assert budget.spent_rao == 0


def test_a_limit_can_be_set_lifted_and_taken_to_nothing(budget: Budget) -> None:
    budget.set(2)
    assert budget.limit_rao == 2 * RAO_PER_TAO
    budget.set(None)
    assert budget.limit_rao is None
    budget.set(0)
    assert budget.limit_rao == 0
    for wrong in (True, False, -1, float("nan"), "lots"):
        with pytest.raises(InvalidAmount):
            budget.set(wrong)
    assert budget.limit_rao == 0


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b'{"limit_rao": 5}', b'{"limit_rao": "x", "spent_rao": 0}']
)
def test_a_file_that_cannot_be_read_opens_no_purse(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "devnet.json").write_bytes(damage)
    assert Budget("devnet", unlimited=True, folder=tmp_path).left_rao == 0


@settings(deadline=None, max_examples=40)
@given(amounts=st.lists(st.integers(0, 400), max_size=12), limit=st.integers(1, 1000))
def test_it_never_lets_more_through_than_the_limit(
    tmp_path_factory: pytest.TempPathFactory, amounts: list[int], limit: int
) -> None:
    budget = Budget("finney", unlimited=False, folder=tmp_path_factory.mktemp("budget"))
    budget.set(f"{limit / RAO_PER_TAO:.9f}")
    spent = 0
    for amount in amounts:
        try:
            with budget.reserve(amount):
                spent += amount
        except OverBudget:
            assert spent + amount > limit
    assert budget.spent_rao == spent <= limit


def _spend_all(folder: Path, barrier: Barrier, won: "multiprocessing.Queue[int]") -> None:
    budget = Budget("finney", unlimited=False, folder=folder)
    barrier.wait()
    taken = 0
    for _ in range(20):
        try:
            with budget.reserve(100):
                taken += 1
        except OverBudget:
            pass
    won.put(taken)


def test_two_processes_cannot_both_spend_the_last_of_it(budget: Budget, tmp_path: Path) -> None:
    budget.set("0.0000015")  # 1,500 rao: fifteen hundreds for forty attempts
    spawn = multiprocessing.get_context("spawn")
    barrier, won = spawn.Barrier(2), spawn.Queue()
    both = [spawn.Process(target=_spend_all, args=(tmp_path, barrier, won)) for _ in range(2)]
    for process in both:
        process.start()
    assert won.get(timeout=300) + won.get(timeout=300) == 15
    for process in both:
        process.join(300)
    assert budget.spent_rao == 1500


def test_fees_are_counted_and_what_came_back_is_taken_off(tmp_path: Path) -> None:
    budget = Budget("net", unlimited=False, folder=tmp_path)
    budget.set("0.000001")
    budget.count(700)
    budget.count(400)  # a fee that was paid is counted though it passes the limit
    assert (budget.spent_rao, budget.left_rao) == (1100, 0)
    budget.refund(300)
    assert budget.left_rao == 200
    budget.refund(5000)
    assert budget.spent_rao == 0
    for change in (budget.count, budget.refund):
        with pytest.raises(ValueError, match="rao cannot have"):
            change(-1)


def test_a_budget_of_nothing_is_frozen_only_where_a_person_set_it(tmp_path: Path) -> None:
    budget = Budget("net", unlimited=False, folder=tmp_path)
    assert (budget.limit_rao, budget.frozen) == (0, False)
    budget.set(0)
    assert budget.frozen
    budget.set(1)
    assert not budget.frozen
    budget.set(None)
    assert not budget.frozen
