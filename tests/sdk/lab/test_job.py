"""A run whose miners are paid from an escrow: funded, approved by round, paid out, refunded to the rao."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest

import subnetlab as sl
from subnetlab.errors import (
    ArgumentInvalid,
    FleetStartFailed,
    InsufficientBalance,
    InvalidAmount,
    OverBudget,
    RunError,
    RunNotFinished,
)
from subnetlab.lab import subnet as subnet_module
from subnetlab.lab.job import read
from subnetlab.lab.payments import earned
from subnetlab.lab.run import Run
from subnetlab.lab.session import Net
from subnetlab.network.evm.wallet import seat_wallet
from subnetlab_widgets import receipts_view

RAO = 10**9
TEXT = "def f(x):\n    return x + 1\n" * 4000


def small(net: Net, **changed: object) -> dict[str, object]:
    fleet = sl.LocalFleet(miners=2, validators=1, free_riders=1, baseline=False)
    return {"data": sl.data.text(TEXT), "rounds": 3, "fleet": fleet, "batch_size": 2} | changed


def test_miners_earn_by_round_and_the_owner_gets_the_rest(net: Net) -> None:
    subnet = net.create_subnet("job")
    owner, earlier = net.address("alice"), net.ledger().height
    run = subnet.train(**small(net, budget_tao="5.000000001")).wait(300)  # type: ignore[arg-type]
    told = run.settle()
    job = read(run.folder)
    assert job is not None
    assert job.per_round_rao == 5 * RAO // 6
    due = {int(uid): earned(run.view, int(uid)) * job.per_round_rao for uid in job.miners}
    assert max(due.values()) > 0
    money = run.frame("money")
    assert money["what"].to_list() == ["escrow"] * 2
    assert money["amount_rao"].to_list() == [3 * job.per_round_rao] * 2
    assert [one.tx for one in net.spent[-2:]] == money["tx"].to_list()
    paid = told.filter(pl.col("event") == "withdrawn")
    for uid, (_, uri) in job.miners.items():
        account = seat_wallet(uri).address
        assert paid.filter(pl.col("account") == account)["amount_rao"].sum() == due[int(uid)]
        assert paid.filter(pl.col("uid") == int(uid))["amount_rao"].sum() == due[int(uid)]
    opened = told.filter(pl.col("event") == "opened")
    assert opened["amount_rao"].sum() == 6 * job.per_round_rao
    assert set(opened["uid"]) == set(due)
    refund = told.filter(pl.col("event") == "closed")["amount_rao"].sum()
    assert refund == 6 * job.per_round_rao - sum(due.values())
    assert told.filter(pl.col("event") == "approved")["amount_rao"].sum() == sum(due.values())
    # What left the owner's wallet for the job and did not come back is what was earned, gas, and its rest.
    entries = net.ledger().slice(earlier)
    book = entries.filter(
        (pl.col("what") == "fund") | ((pl.col("to") == owner) & (pl.col("what") == "withdraw"))
    )
    gone = book.filter(pl.col("wallet") == owner)["amount_rao"].sum()
    back = book.filter(pl.col("to") == owner)["amount_rao"].sum()
    kept = [seat_wallet(uri) for uri in (job.payer_uri, job.arbiter_uri)]
    miners = [seat_wallet(uri) for _, uri in job.miners.values()]
    held = sum(net.balance(key).rao for key in (*kept, *miners))
    paying = [key.address for key in (*kept, *miners)]
    fees = entries.filter(pl.col("wallet").is_in(paying))["fee_rao"].sum()
    assert gone - back == held + fees
    again = net.ledger().height
    assert run.settle().height == told.height, "settling twice pays nothing twice"
    assert net.ledger().height == again
    assert run.receipts().equals(told)
    rows = receipts_view(run).state["rows"]
    assert [row["tx"] for row in reversed(rows)] == told["tx"].to_list()
    assert {row["event"] for row in rows} == {"opened", "approved", "withdrawn", "closed"}


@pytest.mark.parametrize(
    ("budget", "error"),
    [
        (0, InvalidAmount),
        (-1, InvalidAmount),
        ("much", InvalidAmount),
        (5e-9, ArgumentInvalid),
        (10**7, InsufficientBalance),
        (4, OverBudget),
    ],
)
def test_a_job_that_cannot_be_paid_starts_nothing(net: Net, budget: object, error: type[Exception]) -> None:
    subnet = net.create_subnet("job")
    runs = len(sl.runs(all=True))
    net.budget.set(3 if error is OverBudget else None)
    with pytest.raises(error):
        subnet.train(**small(net, budget_tao=budget))  # type: ignore[arg-type]
    net.budget.set(None)
    assert len(sl.runs(all=True)) == runs
    assert len(subnet.metagraph().neurons) == 1, "a seat was paid for"


def test_a_run_without_a_budget_says_what_would_give_it_one(net: Net, tmp_path) -> None:
    with pytest.raises(RunError, match="budget_tao=5"):
        sl.Run(tmp_path).receipts()


def test_a_run_that_does_not_start_gives_its_job_back(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    subnet = net.create_subnet("job")

    def refused(*_: object, **__: object) -> None:
        raise FleetStartFailed("The supervisor did not come up.", hint="")

    monkeypatch.setattr(subnet_module, "start_supervisor", refused)
    known, spent = net.ledger().height, net.budget.spent_rao
    with pytest.raises(FleetStartFailed):
        subnet.train(**small(net, budget_tao=5))  # type: ignore[arg-type]
    book = net.ledger()[known:]
    assert set(book["outcome"]) == {"done"}
    escrow = book.filter(pl.col("what") == "escrow")["amount_rao"]
    assert escrow.filter(escrow > 0).sum() == -escrow.filter(escrow < 0).sum() == 5 * RAO // 6 * 6
    back = book.filter((pl.col("to") == net.address("alice")) & (pl.col("what") == "withdraw"))
    assert back["amount_rao"].sum() >= 5 * RAO // 6 * 6
    seats = book.filter(pl.col("what").is_in(["register", "stake"]))["amount_rao"].sum()
    assert net.budget.spent_rao - spent == seats + book["fee_rao"].sum(), "the job itself costs gas alone"


def test_a_restarted_notebook_settles_what_the_first_one_left(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    subnet = net.create_subnet("job")
    with monkeypatch.context() as patch:
        patch.setattr(sl.Run, "follow_payments", lambda self: None)  # as if its kernel were gone
        run = subnet.train(**small(net, budget_tao=5, rounds=2)).wait(300)  # type: ignore[arg-type]
    assert set(run.receipts()["event"]) == {"opened"}
    with pytest.raises(RunError, match="still holds money"):
        run.delete()
    again = sl.attach(run.id)
    told = again.settle()
    assert {"opened", "approved", "withdrawn", "closed"} == set(told["event"])
    assert again.settle().equals(told)
    run.delete()


def test_runs_of_one_owner_settle_beside_each_other(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    subnet = net.create_subnet("job")
    wanted = small(net, budget_tao=5, rounds=1)
    with monkeypatch.context() as patch:
        patch.setattr(sl.Run, "follow_payments", lambda self: None)  # both are left to settle later
        runs = [subnet.train(**wanted).wait(300) for _ in range(2)]  # type: ignore[arg-type]
    with ThreadPoolExecutor() as pool:
        told = list(pool.map(Run.settle, runs))
    for run, receipts in zip(runs, told, strict=True):
        job = read(run.folder)
        assert job is not None
        assert sum(earned(run.view, int(uid)) for uid in job.miners) > 0
        events = receipts.group_by("event").agg(pl.col("amount_rao").sum())
        came = dict(events.iter_rows())
        assert came["opened"] == came["approved"] + came["closed"]
        assert came["opened"] == came["withdrawn"], "some of it is still in the escrow"
    assert {row["outcome"] for row in net.ledger().iter_rows(named=True)} == {"done"}


def test_settling_before_the_end_says_what_waits_for_it(tmp_path: Path) -> None:
    with pytest.raises(RunNotFinished, match=r"run\.stop\(\) wait for its end"):
        Run(tmp_path).settle()
