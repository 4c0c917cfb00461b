"""The escrow as an object, on the node itself: a job is funded, approved, withdrawn and refunded."""

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from subnetlab.errors import ChainRejected, InvalidAmount, NotConfirmed, OverBudget, WalletError
from subnetlab.network.budget import Budget
from subnetlab.network.client import NetworkClient
from subnetlab.network.confirm import Recorded
from subnetlab.network.evm.escrow import Escrow

RAO = 10**9
FAR = 4_000_000_000
"""A deadline in the next century."""


@pytest.fixture
def escrow(funded: NetworkClient) -> Escrow:
    return Escrow.deploy(funded.evm, "alice")


def test_a_job_from_its_funding_to_its_refund_balances_to_the_rao(
    funded: NetworkClient, escrow: Escrow
) -> None:
    alice, bob, charlie = (funded.evm.wallet(name) for name in ("alice", "bob", "charlie"))
    before, known = (
        {key.name: funded.balance(key) for key in (alice, bob, charlie)},
        len(funded.ledger.entries()),
    )
    job, receipt = escrow.open(
        amount_tao="2.000000003", payee=bob.address, arbiter=charlie.address, rounds=4, deadline=FAR,
        wallet=alice, spec=b"\1" * 32,
    )  # fmt: skip
    opened = escrow.job(job)
    assert (opened.per_round_rao, opened.rounds, opened.closed) == (RAO // 2, 4, False)
    assert (opened.payer, opened.payee, opened.arbiter) == (alice.address, bob.address, charlie.address)
    escrow.approve(job, 1, wallet=charlie, evidence=b"\2" * 32)
    escrow.approve(job, 3, wallet="charlie")
    assert escrow.owed(bob) == escrow.owed(bob.address.lower()) == 3 * RAO // 2
    escrow.withdraw(wallet=bob)
    escrow.close(job, wallet=charlie)
    escrow.withdraw(wallet=alice)
    assert escrow.job(job).closed
    fees, booked = (dict.fromkeys((alice.address, bob.address, charlie.address), 0) for _ in range(2))
    for entry in funded.ledger.entries()[known:]:
        fees[entry.wallet] += entry.fee_rao
        booked[entry.wallet] -= entry.amount_rao
        assert entry.what == "escrow"
    gained = {
        key.name: funded.balance(key) - before[key.name] + fees[key.address] for key in (alice, bob, charlie)
    }
    assert gained == {"alice": -3 * RAO // 2, "bob": 3 * RAO // 2, "charlie": 0}
    assert list(booked.values()) == list(gained.values())
    told = escrow.receipts()
    assert told["event"].to_list() == ["opened", "approved", "approved", "withdrawn", "closed", "withdrawn"]
    assert told["amount_rao"].to_list() == [2 * RAO, RAO // 2, RAO, 3 * RAO // 2, RAO // 2, RAO // 2]
    assert told["tx"][0] == receipt.tx
    assert told.filter(pl.col("event") == "approved")["rounds"].to_list() == [1, 3]


def test_a_refusal_is_in_the_contracts_words_and_costs_nothing(funded: NetworkClient, escrow: Escrow) -> None:
    alice, bob, charlie = (funded.evm.wallet(name) for name in ("alice", "bob", "charlie"))
    job, _ = escrow.open(
        amount_tao=1, payee=bob.address, arbiter=charlie.address, rounds=4, deadline=FAR, wallet=alice
    )
    held, head = funded.balance(bob), funded.head()
    for refused, reason in (
        (lambda: escrow.approve(job, 1, wallet=bob), "not the arbiter"),
        (lambda: escrow.close(job, wallet=alice), "too early"),
        (lambda: escrow.withdraw(wallet=bob), "nothing owed"),
        (lambda: escrow.close(job + 1, wallet=charlie), "no such job"),
        (lambda: escrow.approve(job, 5, wallet=charlie), "upto"),
    ):
        with pytest.raises(ChainRejected, match=f"The contract refused it: {reason}") as caught:
            refused()
        assert caught.value.code == "Reverted"
    for unknown in (lambda: escrow.job(7), lambda: escrow.approve(7, 1, wallet=charlie)):
        with pytest.raises(ChainRejected, match="no job 7"):
            unknown()
    assert (funded.balance(bob), funded.head()) == (held, head)


def test_a_job_that_cannot_be_is_not_funded(funded: NetworkClient, escrow: Escrow) -> None:
    bob, charlie = (funded.evm.wallet(name).address for name in ("bob", "charlie"))
    head, wanted = funded.head(), {"payee": bob, "arbiter": charlie, "rounds": 4, "deadline": FAR}
    for change, error in (
        ({"amount_tao": "0.000000003"}, InvalidAmount),
        ({"payee": bob[:-1]}, WalletError),
        ({"arbiter": "0x" + "0" * 40}, WalletError),
        ({"arbiter": funded.evm.wallet("alice").address}, ChainRejected),
        ({"deadline": 1}, ChainRejected),
        ({"rounds": 0}, ChainRejected),
    ):
        with pytest.raises(error):
            escrow.open(**({"amount_tao": 1, "wallet": "alice"} | wanted | change))  # type: ignore[arg-type]
    funded.budget.set("0.5")
    with pytest.raises(OverBudget):
        escrow.open(amount_tao=1, wallet="alice", **wanted)  # type: ignore[arg-type]
    assert funded.head() == head


def test_only_an_escrow_is_taken_for_one(funded: NetworkClient, escrow: Escrow) -> None:
    assert Escrow(funded.evm, escrow.address.lower()).address == escrow.address
    with pytest.raises(ChainRejected, match="No contract lies at"):
        Escrow(funded.evm, funded.evm.wallet("alice").address)


def test_where_money_is_real_an_approval_is_asked_about_although_no_money_leaves_the_wallet(
    funded: NetworkClient, escrow: Escrow, prepared: Any, tmp_path: Path
) -> None:
    alice, bob, charlie = (funded.evm.wallet(name) for name in ("alice", "bob", "charlie"))
    job, _ = escrow.open(
        amount_tao=1, payee=bob.address, arbiter=charlie.address, rounds=4, deadline=FAR, wallet=alice
    )
    own = replace(charlie, name="cold/default", development=False)
    confirm = Recorded([False, True])
    budget = Budget("rehearsal", unlimited=False, folder=tmp_path)
    budget.set(1)
    with contextlib.closing(
        NetworkClient(prepared.endpoint, real=True, confirm=confirm, budget=budget)
    ) as real:
        there = Escrow(real.evm, escrow.address)
        with pytest.raises(NotConfirmed):
            there.approve(job, 2, wallet=own)
        assert there.job(job).approved == 0
        receipt = there.approve(job, 2, wallet=own)
        assert there.job(job).approved == 2
        assert f"which pays 0.5 τ to {bob.address}" in str(confirm.asked[-1])
        assert real.budget.spent_rao == receipt.fee_rao
