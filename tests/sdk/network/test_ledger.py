"""The ledger keeps every spend that passes the purse, whichever way it ended, across processes."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import bittensor
import pytest

from subnetlab.errors import ChainRejected, NodeUnreachable, NotConfirmed, OverBudget, SubnetLabError
from subnetlab.network.budget import Budget
from subnetlab.network.client import NetworkClient
from subnetlab.network.confirm import Always, Never, Recorded, Spend
from subnetlab.network.ledger import Ledger
from subnetlab.network.receipt import Receipt
from subnetlab.network.spending import Purse
from subnetlab.network.stages import Stage, reached, sending
from subnetlab.network.wallets import dev_keypair, dev_wallet

from .conftest import Prepared

RAO = 10**9


def raising(error: BaseException) -> Callable[[], Receipt]:
    def submit() -> Receipt:
        raise error

    return submit


def spend(amount: int = 1000, **changed: object) -> Spend:
    told = {"what": "pay", "to": "5H", "most": False} | changed
    return Spend(
        summary="pay it", network="net", wallet="5G", amount_rao=amount, fee_rao=10, real=False, **told
    )  # type: ignore[arg-type]


def receipt(**events: int) -> Receipt:
    names = {"out": ("Withdraw", "who"), "back": ("Deposit", "who")}
    told = tuple(
        {"pallet": "Balances", "name": names[name][0], "fields": {names[name][1]: "5G", "amount": amount}}
        for name, amount in events.items()
    )
    return Receipt(tx="0x07", block=3, fee_rao=7, summary="pay it", events=told)


@pytest.fixture
def purse(tmp_path: Path) -> Purse:
    budget = Budget("net", unlimited=True, folder=tmp_path)
    return Purse(budget=budget, confirm=Always(), ledger=Ledger("net", folder=tmp_path))


def go(purse: Purse, spent: Spend, submit: Callable[[], Receipt]) -> None:
    purse.spend(spent, free_rao=RAO, deposit_rao=500, submit=submit)


def rows(purse: Purse) -> list[tuple[object, ...]]:
    assert purse.ledger is not None
    return [(e.what, e.outcome, e.amount_rao, e.fee_rao, e.block) for e in purse.ledger.entries()]


@pytest.mark.parametrize(
    ("ended", "kept", "spent"),
    [
        (receipt, ("pay", "done", 1000, 7, 3), 1007),
        (lambda: receipt(out=400), ("pay", "done", 400, 7, 3), 407),
        (lambda: receipt(back=50), ("pay", "done", -50, 7, 3), 7),
        (raising(ChainRejected("no")), ("pay", "refused", 0, 10, 0), 10),
        (raising(NodeUnreachable("gone")), ("pay", "unknown", 1000, 10, 0), 1010),
        (raising(ValueError("broken")), ("pay", "unknown", 1000, 10, 0), 1010),
    ],
)
def test_budget_and_ledger_agree_on_what_was_really_spent(
    purse: Purse, ended: Callable[[], Receipt], kept: tuple[object, ...], spent: int
) -> None:
    with contextlib.suppress(SubnetLabError, ValueError):
        go(purse, spend(), ended)
    assert rows(purse) == [kept]
    assert purse.budget.spent_rao == spent


@pytest.mark.parametrize(("amount", "counted"), [(1000, 1010), (0, 10)])
@pytest.mark.parametrize("sent", [False, True])
def test_an_interrupt_counts_as_spent_only_what_may_have_left(
    purse: Purse, amount: int, counted: int, sent: bool
) -> None:
    def submit() -> Receipt:
        if sent:
            sending()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        go(purse, spend(amount), submit)
    assert purse.budget.spent_rao == (counted if sent else 0)
    assert rows(purse) == ([("pay", "unknown", amount, 10, 0)] if sent else [])


def test_the_most_that_could_leave_is_not_what_left(purse: Purse) -> None:
    """A raw call counts as everything the wallet has until its events say what it took."""
    go(purse, spend(9 * 10**8, most=True), lambda: receipt(out=0))
    go(purse, spend(9 * 10**8, most=True), lambda: receipt(out=30))
    go(purse, spend(9 * 10**8, most=True), receipt)  # no events at all: on the safe side
    assert [row[2] for row in rows(purse)] == [0, 30, 9 * 10**8]


def test_a_spend_is_in_the_ledger_from_the_moment_it_may_have_left(
    purse: Purse, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[tuple[object, ...]]] = []

    def submit() -> Receipt:
        seen.append(rows(purse))
        sending()
        sending()
        seen.append(rows(purse))
        for stage in ("signed", "in a block"):
            reached(cast("Stage", stage))
        seen.append(rows(purse))
        return receipt()

    go(purse, spend(), submit)
    assert seen == [[], [("pay", "pending", 1000, 10, 0)], [("pay", "in a block", 1000, 10, 0)]]
    assert rows(purse) == [("pay", "done", 1000, 7, 3)]
    assert purse.ledger is not None
    purse.ledger.add(what="pay", wallet="5G", outcome="pending", row="of a process that was killed")
    assert rows(purse)[-1][1] == "pending"
    later = time.time() + 3600
    monkeypatch.setattr("subnetlab.network.ledger.time.time", lambda: later)
    assert [row[1] for row in rows(purse)] == ["done", "unknown"]


def test_a_fee_alone_is_counted_and_a_budget_of_nothing_forbids_it(purse: Purse) -> None:
    go(purse, spend(0), lambda: receipt(back=20))
    assert rows(purse) == [("pay", "done", -20, 7, 3)]
    with pytest.raises(ChainRejected):
        go(purse, spend(0), raising(ChainRejected("no")))
    assert purse.budget.spent_rao == 17
    purse.budget.set(0)
    assert purse.budget.frozen
    with pytest.raises(OverBudget, match="the budget for net is 0"):
        go(purse, spend(0), receipt)
    with pytest.raises(OverBudget):
        go(purse, spend(), receipt)
    assert len(rows(purse)) == 2
    purse.budget.set(None)
    go(purse, spend(0), receipt)


def test_a_chain_whose_budget_nobody_set_is_not_frozen(tmp_path: Path) -> None:
    """A real network starts at nothing, and taking stake back there costs a fee only."""
    assert not Budget("finney", unlimited=False, folder=tmp_path).frozen


def test_what_was_not_sent_is_not_in_the_ledger(purse: Purse) -> None:
    no = Purse(budget=purse.budget, confirm=Never(), ledger=purse.ledger)
    with pytest.raises(NotConfirmed):
        go(no, spend(), receipt)
    assert rows(purse) == []


def test_a_line_that_was_torn_costs_that_line_alone(tmp_path: Path) -> None:
    ledger = Ledger("net", folder=tmp_path)
    assert ledger.entries() == []
    assert ledger.frame().height == 0
    ledger.add(what="pay", wallet="5G", amount_rao=1)
    path = tmp_path / "net.ledger"
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(path.read_bytes() + b'\n{"what": "pay", "wal\xff')
    ledger.add(what="stake", wallet="5G", amount_rao=2, netuid=3)
    again = Ledger("net", folder=tmp_path)
    assert [(entry.what, entry.amount_rao, entry.netuid) for entry in again.entries()] == [
        ("pay", 1, None),
        ("stake", 2, 3),
    ]
    assert again.frame()["what"].to_list() == ["pay", "stake"]
    ledger.forget()
    ledger.forget()
    assert again.entries() == []


def test_the_ledger_of_a_chain_balances_to_the_rao(network: NetworkClient, prepared: Prepared) -> None:
    account = dev_wallet("bob").coldkey.ss58_address
    before, known = network.balance(account), len(network.ledger.entries())
    network.pay(amount_tao=2, to="alice", wallet="bob")
    seat = dev_keypair("//Seat").ss58_address
    network.burned_register(prepared.netuid, "bob", hotkey_ss58=seat)
    with pytest.raises(ChainRejected):
        network.start_call(0, "bob")
    spent = [entry for entry in network.ledger.entries()[known:] if entry.wallet == account]
    assert [(entry.what, entry.outcome) for entry in spent] == [
        ("pay", "done"),
        ("register", "done"),
        ("execute", "refused"),
    ]
    left = sum(entry.amount_rao + entry.fee_rao for entry in spent)
    assert before - network.balance(account) == left
    assert spent[0].to == dev_wallet("alice").coldkey.ss58_address
    assert (spent[1].to, spent[1].netuid) == (seat, prepared.netuid)


def test_a_move_between_a_persons_own_accounts_is_asked_about_and_counts_its_fee(purse: Purse) -> None:
    asked = Recorded([True, False])
    own = Purse(budget=purse.budget, confirm=asked, ledger=purse.ledger)
    purse.budget.set("0.00000001")  # ten rao: the fee, and not the amount
    go(own, spend(1000, own=True, what="fund"), lambda: receipt(out=1000))
    assert rows(purse) == [("fund", "done", 1000, 7, 3)]
    assert purse.budget.spent_rao == 7
    with pytest.raises(OverBudget):
        go(own, spend(1000, own=True), receipt)
    purse.budget.set(None)
    with pytest.raises(NotConfirmed):
        go(own, spend(1000, own=True), receipt)
    assert len(asked.asked) == 2


def test_what_root_did_is_named_by_what_it_changed(network: NetworkClient, prepared: Prepared) -> None:
    """And a name that is too long for a table ends in an ellipsis."""
    network.sudo(bittensor.calls.AdminUtils.sudo_set_tempo(netuid=prepared.netuid, tempo=9))
    assert network.ledger.entries()[-1].name == "root: set tempo"
    network.ledger.add(what="execute", wallet="5G", summary="x" * 60)
    assert network.ledger.entries()[-1].name == "x" * 39 + "…"


def test_a_wallet_that_pays_itself_spends_its_fee_alone(network: NetworkClient) -> None:
    bob = dev_wallet("bob").coldkey.ss58_address
    before, spent = network.balance(bob), network.budget.spent_rao
    network.pay(amount_tao=1, to=bob, wallet="bob")
    paid = network.ledger.entries()[-1]
    assert (paid.what, paid.to, paid.amount_rao) == ("pay", bob, 0)
    assert before - network.balance(bob) == paid.fee_rao == network.budget.spent_rao - spent


@pytest.mark.parametrize("half", ["address", "mirror"])
def test_an_address_of_the_evm_that_pays_itself_spends_its_gas_alone(
    network: NetworkClient, half: str
) -> None:
    key = network.evm.wallet("alice")
    network.evm.fund(amount_tao=9, to=key, wallet="alice")
    before, spent = network.evm.balance(key), network.budget.spent_rao
    network.pay(amount_tao=1, to=getattr(key, half), wallet=key)
    paid = network.ledger.entries()[-1]
    assert (paid.what, paid.amount_rao) == ("pay", 0)
    assert before - network.evm.balance(key) == paid.fee_rao == network.budget.spent_rao - spent
