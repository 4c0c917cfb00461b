"""The one gate that money passes: balance, budget, confirmation, and only then the chain.

Whatever a person lets SubnetLab execute goes through `Purse.spend`, on both halves of a chain, in this
order: can the wallet afford the amount, the fee and the existential deposit; does the budget allow it; does
somebody say yes. Until the last answer nothing was sent. What moves no money is not asked about unless it
says so; its fee counts against the budget, and a budget of 0 forbids it. What was sent is in the ledger from
that moment on, whichever way it ends. An interrupt is let in only while a person is asked and while it is
submitted, so that budget and ledger are never left half written.
"""

import secrets
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

from subnetlab.errors import (
    ChainRejected,
    InsufficientBalance,
    MoneyError,
    OverBudget,
    WalletError,
)
from subnetlab.network.budget import Budget, Reservation
from subnetlab.network.confirm import Confirm, Spend, require
from subnetlab.network.ledger import Ledger, Outcome
from subnetlab.network.receipt import Receipt, moved_from
from subnetlab.network.stages import Stage, Submission, listening, submitting
from subnetlab.network.undisturbed import Gate, undisturbed
from subnetlab.units import format_tao


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """The budget of a network, its ledger, and the confirmer that is asked before either is touched."""

    budget: Budget
    confirm: Confirm
    ledger: Ledger | None = None

    def spend(
        self, spend: Spend, *, free_rao: int, deposit_rao: int, submit: Callable[[], Receipt]
    ) -> Receipt:
        """Check, ask, then submit; the budget keeps what was really spent.

        What only moves between a person's own accounts is asked about, and its fee alone counts.

        Args:
            spend: what is about to be spent; an amount of 0 passes unasked unless `spend.ask`.
            free_rao: the wallet's free balance.
            deposit_rao: what has to stay in the wallet for the account to live.
            submit: sends it and waits for its block.

        Raises:
            InsufficientBalance: amount, fee and deposit together are more than the wallet holds.
            OverBudget: the budget does not allow it.
            HeadlessSpendRefused: real money and no person to ask.
            NotConfirmed: the answer was no.
            WalletError: the wallet's key could not be opened; nothing was spent.
            ChainRejected: the chain refused; at most the fee was spent.
            NodeUnreachable: the connection broke; the budget counts it as spent, because it may have been.
            KeyboardInterrupt: likewise where it had been sent; before that nothing was spent.
        """
        if self.ledger is not None:
            self.ledger.settle()  # an earlier spend may have left more of the budget than it seemed
        with undisturbed() as gate:
            if spend.amount_rao == 0 and not spend.ask:
                return self._fee_only(spend, submit, gate)
            self._afford(spend, free_rao, deposit_rao)
            counted = 0 if spend.own else spend.amount_rao
            with self.budget.reserve(counted + spend.fee_rao) as reservation:
                try:
                    with gate:
                        require(self.confirm, spend)
                except BaseException:  # whatever stopped the question, nothing was sent
                    reservation.keep(0)
                    raise
                return self._reserved(spend, submit, gate, reservation)

    def _reserved(
        self, spend: Spend, submit: Callable[[], Receipt], gate: Gate, reservation: Reservation
    ) -> Receipt:
        """Submit what was allowed, and keep of the reservation what was really spent."""
        row = _Row(self.ledger, spend)
        with row.submitting() as submission:
            try:
                with gate:
                    receipt = submit()
            except (MoneyError, WalletError):
                reservation.keep(0)
                raise
            except ChainRejected as error:
                fee = spend.fee_rao if error.fee_rao is None else error.fee_rao
                reservation.keep(fee)
                row.note("refused", fee=fee)
                raise
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt) and submission.give_up():
                    reservation.keep(0)  # a key or a wallet was still asked
                else:
                    row.note("unknown", amount=spend.amount_rao)
                raise
        left = _left(spend, receipt)
        reservation.keep((0 if spend.own else max(0, left)) + receipt.fee_rao)
        row.note("done", amount=left, receipt=receipt)
        return receipt

    def _fee_only(self, spend: Spend, submit: Callable[[], Receipt], gate: Gate) -> Receipt:
        if self.budget.frozen:
            raise OverBudget(f"{spend.summary} costs a fee, and the budget for {self.budget.network} is 0.")
        row = _Row(self.ledger, spend)
        with row.submitting() as submission:
            try:
                with gate:
                    receipt = submit()
            except (MoneyError, WalletError):
                raise
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt) and submission.give_up():
                    raise
                outcome: Outcome = "refused" if isinstance(error, ChainRejected) else "unknown"
                known = getattr(error, "fee_rao", None)
                fee = spend.fee_rao if known is None else int(known)
                row.note(outcome, fee=fee)
                self.budget.count(fee)
                raise
        self.budget.count(receipt.fee_rao)
        row.note("done", amount=moved_from(receipt, spend.wallet) - spend.brings_rao, receipt=receipt)
        return receipt

    def _afford(self, spend: Spend, free_rao: int, deposit_rao: int) -> None:
        need = spend.amount_rao + spend.fee_rao + deposit_rao
        if need > free_rao:
            raise InsufficientBalance(
                f"{spend.summary} needs {format_tao(need)} with its fee and the deposit that keeps the "
                f"account alive; {spend.wallet} holds {format_tao(free_rao)}.",
                hint="Use a smaller amount, or fund the wallet first.",
            )


class _Row:
    """The ledger's row of one spend, from the moment it may have left."""

    def __init__(self, ledger: Ledger | None, spend: Spend) -> None:
        self._ledger, self._spend, self._name = ledger, spend, secrets.token_hex(8)
        self._tx, self._since = "", 0

    @contextmanager
    def submitting(self) -> Generator[Submission]:
        """Sign and send inside the block."""

        def left(submission: Submission) -> None:
            self._tx, self._since = submission.tx, submission.since
            self.note("pending", amount=self._spend.amount_rao)

        def reached(stage: Stage) -> None:
            if stage == "in a block":
                self.note("in a block", amount=self._spend.amount_rao)

        with submitting(self._spend, left) as submission, listening(reached):
            yield submission

    def note(
        self, outcome: Outcome, *, amount: int = 0, fee: int | None = None, receipt: Receipt | None = None
    ) -> None:
        """Add a line; the fee is the estimate until something else is known."""
        spend, fee = self._spend, self._spend.fee_rao if fee is None else fee
        block, tx = 0, self._tx
        if receipt is not None:
            block, tx, fee = receipt.block, receipt.tx, receipt.fee_rao
        if self._ledger is not None:
            self._ledger.add(
                what=spend.what, wallet=spend.wallet, to=spend.to, amount_rao=amount, fee_rao=fee,
                outcome=outcome, block=block, tx=tx, netuid=spend.netuid, summary=spend.summary,
                row=self._name, since=self._since, brings_rao=spend.brings_rao,
                fee_alone=spend.own or (spend.amount_rao == 0 and not spend.ask),
            )  # fmt: skip


def _left(spend: Spend, receipt: Receipt) -> int:
    """The rao that left the wallet beside the fee: by the chain's events, or the amount if they say nothing.

    Below 0 where money came back. An amount that was only the most that could leave is no answer to events
    that show that nothing did, and what a wallet pays to itself stays there.
    """
    moved = moved_from(receipt, spend.wallet)
    told = moved != 0 or spend.to_itself or (spend.most and bool(receipt.events))
    return moved if told else spend.amount_rao - spend.brings_rao
