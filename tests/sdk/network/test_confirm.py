"""Somebody says yes, or nothing is spent; real money needs somebody who is there."""

import io
import sys
from pathlib import Path

import pytest

from subnetlab.errors import (
    ChainRejected,
    HeadlessSpendRefused,
    InsufficientBalance,
    NodeUnreachable,
    NotConfirmed,
    OverBudget,
    WalletError,
)
from subnetlab.lab.session import connect
from subnetlab.network.budget import Budget
from subnetlab.network.client import NetworkClient
from subnetlab.network.confirm import (
    Always,
    Confirm,
    Never,
    Prompt,
    Recorded,
    Spend,
    checked,
    confirm_default,
)
from subnetlab.network.receipt import Receipt
from subnetlab.network.spending import Purse


def spend(amount: int = 1000, *, real: bool) -> Spend:
    return Spend(summary="transfer", network="net", wallet="5G", amount_rao=amount, fee_rao=10, real=real)


def receipt() -> Receipt:
    return Receipt(tx="0x00", block=3, fee_rao=7, summary="transfer")


def purse(tmp_path: Path, confirm: Confirm, *, limit: str | None = None) -> Purse:
    budget = Budget("net", unlimited=True, folder=tmp_path)
    budget.set(limit)
    return Purse(budget=budget, confirm=confirm)


def event(name: str, pallet: str = "Balances", **fields: object) -> dict[str, object]:
    return {"pallet": pallet, "name": name, "fields": fields}


def not_submitted() -> Receipt:
    pytest.fail("it was submitted")


@pytest.mark.parametrize("confirm", [Always(), Never(), Recorded([True], interactive=False)])
def test_real_money_is_never_spent_unattended(tmp_path: Path, confirm: Confirm) -> None:
    gate = purse(tmp_path, confirm)
    with pytest.raises(HeadlessSpendRefused):
        gate.spend(spend(real=True), free_rao=10**9, deposit_rao=500, submit=not_submitted)
    assert gate.budget.spent_rao == 0


def test_a_yes_spends_and_the_budget_keeps_what_it_really_cost(tmp_path: Path) -> None:
    confirm = Recorded([True])
    gate = purse(tmp_path, confirm)
    assert gate.spend(spend(real=True), free_rao=10**9, deposit_rao=500, submit=receipt) == receipt()
    assert [one.amount_rao for one in confirm.asked] == [1000]
    assert gate.budget.spent_rao == 1007


def test_the_budget_counts_what_left_the_account_and_not_what_was_asked_for(tmp_path: Path) -> None:
    filled_in_part = Receipt(
        tx="0x00", block=3, fee_rao=7, summary="stake",
        events=(
            event("Withdraw", who="5G", amount=9),  # the fee, of which 2 come back
            event("Transfer", **{"from": "5G", "to": "5Pool", "amount": 300}),
            event("Transfer", **{"from": "5Pool", "to": "5Fees", "amount": 5}),
            {"pallet": "SubtensorModule", "name": "StakeAdded", "fields": ("5G", "5H", 300, 290, 1, 5)},
            event("Deposit", who="5G", amount=2),
            event("TransactionFeePaid", "TransactionPayment", who="5G", actual_fee=7, tip=0),
        ),
    )  # fmt: skip
    gate = purse(tmp_path, Recorded([True]))
    gate.spend(spend(real=True), free_rao=10**9, deposit_rao=500, submit=lambda: filled_in_part)
    assert gate.budget.spent_rao == 307


@pytest.mark.parametrize("error", [WalletError("locked"), InsufficientBalance("late")])
def test_what_was_never_sent_is_not_counted(tmp_path: Path, error: Exception) -> None:
    def submit() -> Receipt:
        raise error

    gate = purse(tmp_path, Always())
    with pytest.raises(type(error)):
        gate.spend(spend(real=False), free_rao=10**9, deposit_rao=500, submit=submit)
    assert gate.budget.spent_rao == 0


def test_a_question_that_breaks_spends_nothing(tmp_path: Path) -> None:
    class Broken(Always):
        def ask(self, spend: Spend) -> bool:
            raise KeyboardInterrupt

    gate = purse(tmp_path, Broken())
    with pytest.raises(KeyboardInterrupt):
        gate.spend(spend(real=False), free_rao=10**9, deposit_rao=500, submit=not_submitted)
    assert gate.budget.spent_rao == 0


@pytest.mark.parametrize("thing", [lambda spend: True, True, "yes", input])
def test_what_cannot_be_asked_is_refused_before_anything_else(thing: object) -> None:
    with pytest.raises(NotConfirmed, match="cannot be asked"):
        NetworkClient("ws://127.0.0.1:9", confirm=thing)  # type: ignore[arg-type]
    with pytest.raises(NotConfirmed, match="cannot be asked"):
        connect(confirm=thing)  # type: ignore[arg-type]
    assert checked(None) is None
    assert isinstance(checked(Always()), Always)


@pytest.mark.parametrize("real", [True, False])
def test_a_no_spends_nothing(tmp_path: Path, real: bool) -> None:
    gate = purse(tmp_path, Recorded([False]))
    with pytest.raises(NotConfirmed):
        gate.spend(spend(real=real), free_rao=10**9, deposit_rao=500, submit=not_submitted)
    assert gate.budget.spent_rao == 0


def test_amount_fee_and_deposit_together_must_be_there(tmp_path: Path) -> None:
    gate = purse(tmp_path, Always())
    with pytest.raises(InsufficientBalance, match="holds"):
        gate.spend(spend(real=False), free_rao=1509, deposit_rao=500, submit=not_submitted)
    assert gate.spend(spend(real=False), free_rao=1510, deposit_rao=500, submit=receipt)


def test_over_budget_is_refused_before_anybody_is_asked(tmp_path: Path) -> None:
    confirm = Recorded([True])
    gate = purse(tmp_path, confirm, limit="0.000001")
    with pytest.raises(OverBudget):
        gate.spend(spend(real=True), free_rao=10**9, deposit_rao=500, submit=not_submitted)
    assert confirm.asked == []


def test_an_extrinsic_that_moves_no_money_is_not_asked_about(tmp_path: Path) -> None:
    gate = purse(tmp_path, Never(), limit="0.000000001")
    assert gate.spend(spend(0, real=True), free_rao=0, deposit_rao=500, submit=receipt)


def test_what_the_chain_refuses_costs_at_most_its_fee(tmp_path: Path) -> None:
    def refuse() -> Receipt:
        raise ChainRejected("no", pallet="Balances", code="Expendability")

    gate = purse(tmp_path, Always())
    with pytest.raises(ChainRejected):
        gate.spend(spend(real=False), free_rao=10**9, deposit_rao=500, submit=refuse)
    assert gate.budget.spent_rao == 10


def test_a_connection_that_breaks_counts_as_spent(tmp_path: Path) -> None:
    def break_off() -> Receipt:
        raise NodeUnreachable("gone")

    gate = purse(tmp_path, Always())
    with pytest.raises(NodeUnreachable):
        gate.spend(spend(real=False), free_rao=10**9, deposit_rao=500, submit=break_off)
    assert gate.budget.spent_rao == 1010


class Terminal(io.StringIO):
    """A stream somebody sits at."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("typed", "answer"), [("yes\n", True), (" YES \n", True), ("y\n", False), ("\n", False)]
)
def test_only_a_whole_yes_at_a_terminal_is_a_yes(
    monkeypatch: pytest.MonkeyPatch, typed: str, answer: bool
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    assert Prompt().ask(spend(real=True)) is answer


@pytest.mark.parametrize("stdin", [io.StringIO("yes\n"), Terminal(""), None])
def test_a_piped_answer_is_nobody_s_answer(
    monkeypatch: pytest.MonkeyPatch, stdin: io.StringIO | None
) -> None:
    monkeypatch.setattr(sys, "stdin", stdin)
    with pytest.raises(HeadlessSpendRefused, match="no person can be asked"):
        Prompt().ask(spend(real=True))


def test_real_money_asks_a_person_and_play_money_nobody() -> None:
    assert confirm_default(real=True).interactive
    assert not confirm_default(real=False).interactive
    assert confirm_default(real=False).ask(spend(real=False))
