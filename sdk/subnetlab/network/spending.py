"""The one gate that money passes: balance, budget, confirmation, and only then the chain.

Whatever a person lets SubnetLab execute goes through `Purse.spend`, in this order: can the wallet afford the
amount, the fee and the existential deposit; does the budget allow it; does somebody say yes. Until the last
answer nothing was sent. An extrinsic that moves no money is not asked about.
"""

from collections.abc import Callable
from dataclasses import dataclass

from subnetlab.errors import ChainRejected, InsufficientBalance, MoneyError, WalletError
from subnetlab.network.budget import Budget
from subnetlab.network.confirm import Confirm, Spend, require
from subnetlab.network.receipt import Receipt, taken_from
from subnetlab.units import format_tao


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """The budget of a network and the confirmer that is asked before it is touched."""

    budget: Budget
    confirm: Confirm

    def spend(
        self, spend: Spend, *, free_rao: int, deposit_rao: int, submit: Callable[[], Receipt]
    ) -> Receipt:
        """Check, ask, then submit; the budget keeps what was really spent.

        Args:
            spend: what is about to be spent; an amount of 0 passes unasked.
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
        """
        if spend.amount_rao == 0:
            return submit()
        self._afford(spend, free_rao, deposit_rao)
        with self.budget.reserve(spend.amount_rao + spend.fee_rao) as reservation:
            try:
                require(self.confirm, spend)
            except BaseException:  # whatever stopped the question, nothing was sent
                reservation.keep(0)
                raise
            try:
                receipt = submit()
            except (MoneyError, WalletError):
                reservation.keep(0)
                raise
            except ChainRejected:
                reservation.keep(spend.fee_rao)
                raise
            reservation.keep((taken_from(receipt, spend.wallet) or spend.amount_rao) + receipt.fee_rao)
            return receipt

    def _afford(self, spend: Spend, free_rao: int, deposit_rao: int) -> None:
        need = spend.amount_rao + spend.fee_rao + deposit_rao
        if need > free_rao:
            raise InsufficientBalance(
                f"{spend.summary} needs {format_tao(need)} with its fee and the deposit that keeps the "
                f"account alive; {spend.wallet} holds {format_tao(free_rao)}.",
                hint="Use a smaller amount, or fund the wallet first.",
            )
