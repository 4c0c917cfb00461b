"""An interrupt anywhere in a spend leaves budget and ledger as before, or right once the chain is asked."""

import contextlib
import signal
import sys
from collections.abc import Callable, Generator
from contextvars import Context, copy_context
from pathlib import Path
from types import FrameType
from typing import Any, Self

import bittensor
import pytest

import subnetlab.network.budget
import subnetlab.network.ledger
import subnetlab.network.spending
import subnetlab.network.stages
from subnetlab.errors import ChainRejected, NodeUnreachable, NotConfirmed
from subnetlab.network.budget import Budget
from subnetlab.network.client import NetworkClient
from subnetlab.network.confirm import Always, Spend
from subnetlab.network.evm.transactions import Sender
from subnetlab.network.evm.wallet import EvmWallet
from subnetlab.network.ledger import Entry, Ledger
from subnetlab.network.receipt import Receipt
from subnetlab.network.spending import Purse
from subnetlab.network.stages import sending
from subnetlab.network.submission import send
from subnetlab.network.wallets import dev_keypair, dev_wallet
from subnetlab.units import Rao

from .conftest import Prepared

BOOKS = {
    each.__file__
    for each in (
        subnetlab.network.budget,
        subnetlab.network.ledger,
        subnetlab.network.spending,
        subnetlab.network.stages,
    )
}
TAO = 10**9


class Interrupts:
    """Sends an interrupt at the n-th line that the books execute."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __enter__(self) -> Self:
        sys.settrace(self._called)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _called(self, frame: FrameType, event: str, arg: object) -> Any:
        return self._line if frame.f_code.co_filename in BOOKS else None

    def _line(self, frame: FrameType, event: str, arg: object) -> Any:
        self.left -= 1
        if self.left == 0:
            signal.raise_signal(signal.SIGINT)
        return self._line


def at_every_line(work: Callable[[Path], Purse], folder: Path, check: Callable[[Purse, bool], None]) -> int:
    """Interrupt a spend at each of its lines in turn; how many there are."""
    at = 0
    while True:
        at += 1
        place, interrupted, interrupts = folder / str(at), False, Interrupts(at)
        try:
            with interrupts:
                work(place)
        except KeyboardInterrupt:
            interrupted = True
        check(purse(place), interrupted)
        if interrupts.left > 0:
            return at


def purse(folder: Path) -> Purse:
    budget = Budget("net", unlimited=True, folder=folder)
    return Purse(budget=budget, confirm=Always(), ledger=Ledger("net", folder=folder))


@pytest.fixture
def interruptible() -> Generator[None]:
    """SIGINT interrupts, as in a kernel; a program that a shell starts in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("amount", [TAO, 0])
def test_an_interrupt_at_any_line_leaves_budget_and_ledger_in_step(tmp_path: Path, amount: int) -> None:
    spend = Spend(
        summary="pay it", network="net", wallet="5G", amount_rao=amount, fee_rao=10, real=False, what="pay"
    )
    left: list[Path] = []

    def work(place: Path) -> Purse:
        def submit() -> Receipt:
            sending("0x07", 3)
            left.append(place)
            return Receipt(tx="0x07", block=4, fee_rao=7, summary="pay it")

        spending = purse(place)
        spending.spend(spend, free_rao=5 * TAO, deposit_rao=500, submit=submit)
        return spending

    seen: set[tuple[str, ...]] = set()

    def check(spending: Purse, interrupted: bool) -> None:
        assert spending.ledger is not None
        rows = spending.ledger.entries()
        assert spending.budget.spent_rao == sum(entry.counted_rao for entry in rows)
        assert {entry.outcome for entry in rows} <= {"unknown", "done"}
        assert all(entry.tx == "0x07" and entry.since == 3 for entry in rows)
        if left:
            assert rows, "it was sent, and no row says so"
            left.clear()
        seen.add(tuple(entry.outcome for entry in rows))

    assert at_every_line(work, tmp_path, check) > 30
    assert seen == {(), ("unknown",), ("done",)}


def test_what_was_given_up_does_not_leave_afterwards(tmp_path: Path) -> None:
    """As the work that the node's thread goes on with after the cell that waited was interrupted."""
    later: list[Context] = []

    def submit() -> Receipt:
        later.append(copy_context())
        raise KeyboardInterrupt

    spending = purse(tmp_path)
    spend = Spend(summary="pay it", network="net", wallet="5G", amount_rao=TAO, fee_rao=10, real=False)
    with pytest.raises(KeyboardInterrupt):
        spending.spend(spend, free_rao=5 * TAO, deposit_rao=500, submit=submit)
    with pytest.raises(NotConfirmed, match="interrupted before it was sent"):
        later[0].run(sending, "0x07", 3)
    assert spending.ledger is not None
    assert (spending.budget.spent_rao, spending.ledger.entries()) == (0, [])


def test_a_budget_that_cannot_be_written_sets_nothing_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget, written = Budget("net", unlimited=True, folder=tmp_path), Budget._write  # pyright: ignore[reportPrivateUsage]

    def interrupted(self: Budget, *given: Any) -> None:
        written(self, *given)
        monkeypatch.setattr(Budget, "_write", written)
        raise KeyboardInterrupt

    monkeypatch.setattr(Budget, "_write", interrupted)
    with pytest.raises(KeyboardInterrupt), budget.reserve(5):
        pass
    assert budget.spent_rao == 0


# -- on a chain --------------------------------------------------------------------------------------------


Lost = Callable[[Callable[[], object]], None]


@pytest.fixture
def lost(monkeypatch: pytest.MonkeyPatch) -> Lost:
    """Do something, and be interrupted when it has landed, before that is known here."""

    def interrupted(work: Callable[..., Any]) -> Callable[..., Any]:
        def done(*given: Any, **options: Any) -> Any:
            with contextlib.suppress(ChainRejected):
                work(*given, **options)
            raise KeyboardInterrupt

        return done

    def do(work: Callable[[], object]) -> None:
        with monkeypatch.context() as patch:
            patch.setattr("subnetlab.network.client.send", interrupted(send))
            receipt = Sender._receipt  # pyright: ignore[reportPrivateUsage]
            patch.setattr(Sender, "_receipt", interrupted(receipt))
            with pytest.raises(KeyboardInterrupt):
                work()

    return do


def newest(network: NetworkClient) -> Entry:
    return network.ledger.entries()[-1]


def test_a_payment_that_landed_is_put_right_when_the_ledger_is_read(
    network: NetworkClient, lost: Lost
) -> None:
    before, spent = network.balance("bob"), network.budget.spent_rao
    lost(lambda: network.pay(amount_tao=2, to="alice", wallet="bob"))
    assert network.ledger.kept()[-1].outcome == "unknown"
    found = newest(network)
    assert (found.outcome, found.amount_rao) == ("done", 2 * TAO)
    assert found.block == int(network.client.rpc("chain_getHeader")["number"], 16)
    assert before - network.balance("bob") == 2 * TAO + found.fee_rao
    assert network.budget.spent_rao - spent == 2 * TAO + found.fee_rao
    assert newest(network) == found


def test_the_next_spend_puts_an_earlier_one_right(network: NetworkClient, lost: Lost) -> None:
    before = network.balance("bob")
    lost(lambda: network.pay(amount_tao=2, to="alice", wallet="bob"))
    network.pay(amount_tao=1, to="alice", wallet="bob")
    rows = network.ledger.kept()[-2:]
    assert [entry.outcome for entry in rows] == ["done", "done"]
    assert before - network.balance("bob") == sum(entry.counted_rao for entry in rows)


def test_a_seat_that_was_bought_through_the_shield_is_put_right(
    network: NetworkClient, prepared: Prepared, lost: Lost
) -> None:
    before, spent = network.balance("bob"), network.budget.spent_rao
    seat = dev_keypair("//Lost").ss58_address
    lost(lambda: network.burned_register(prepared.netuid, "bob", hotkey_ss58=seat))
    found = newest(network)
    assert (found.what, found.outcome) == ("register", "done")
    assert before - network.balance("bob") == found.counted_rao == network.budget.spent_rao - spent


def test_a_refusal_in_a_block_is_put_right(network: NetworkClient, lost: Lost) -> None:
    before, spent = network.balance("bob"), network.budget.spent_rao
    call = bittensor.calls.Balances.transfer_keep_alive(
        dest=dev_wallet("alice").coldkey.ss58_address, value=before
    )
    lost(lambda: network.submit_call(call, wallet="bob", cost_rao=5))
    found = newest(network)
    assert (found.outcome, found.amount_rao) == ("refused", 0)
    assert before - network.balance("bob") == found.fee_rao == network.budget.spent_rao - spent


def test_a_payment_of_the_evm_that_landed_is_put_right(network: NetworkClient, lost: Lost) -> None:
    network.evm.fund(amount_tao=9, to="alice", wallet="alice")
    before, spent = network.evm.balance(network.evm.wallet("alice")), network.budget.spent_rao
    lost(lambda: network.evm.pay(Rao(2 * TAO), "bob", "alice"))
    assert network.ledger.kept()[-1].outcome == "unknown"
    found = newest(network)
    assert (found.outcome, found.amount_rao) == ("done", 2 * TAO)
    left = before - network.evm.balance(network.evm.wallet("alice"))
    assert left == found.counted_rao == network.budget.spent_rao - spent


@pytest.mark.parametrize("half", ["coldkey", "evm"])
def test_what_never_reached_the_chain_is_taken_out_again(
    network: NetworkClient, monkeypatch: pytest.MonkeyPatch, half: str
) -> None:
    network.evm.fund(amount_tao=9, to="alice", wallet="alice")
    rows, spent, gone = network.ledger.entries(), network.budget.spent_rao, f"0x{'ab' * 32}"

    def cut(*_given: Any, **_options: Any) -> Any:
        sending(gone, 1)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("subnetlab.network.client.send", cut)
        patch.setattr(EvmWallet, "submit", cut)
        with pytest.raises(KeyboardInterrupt):
            network.pay(
                amount_tao=1, to="bob", wallet="alice" if half == "coldkey" else network.evm.wallet("alice")
            )
    assert network.budget.spent_rao - spent > TAO
    assert network.ledger.kept()[-1].outcome == "unknown"
    assert network.ledger.entries() == rows
    assert network.budget.spent_rao == spent


def test_what_is_still_in_the_pool_stays_unknown(network: NetworkClient) -> None:
    network.dev.set_sealing("manual")
    network.patience_s = 0.2
    with pytest.raises(NodeUnreachable, match="may be in the pool"):
        network.pay(amount_tao=1, to="bob", wallet="alice")
    assert newest(network).outcome == "unknown"
    network.dev.seal()
    assert newest(network).outcome == "done"


def test_a_chain_that_does_not_answer_leaves_the_ledger_as_it_is(network: NetworkClient, lost: Lost) -> None:
    lost(lambda: network.pay(amount_tao=2, to="alice", wallet="bob"))
    ledger = network.ledger
    network.close()
    assert ledger.entries()[-1].outcome == "unknown"
