"""The form of a job: fund an escrow, approve rounds, withdraw what was earned, close and get the rest back.

One form is one transaction of the EVM, by one key: the payer opens, the arbiter or the payer approves, the
payee withdraws. Who may do what is the contract's to say; what it would refuse is said before the click.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from subnetlab.errors import InsufficientBalance, WalletError
from subnetlab.lab.subnet import network_client
from subnetlab.network.client import NetworkClient
from subnetlab.network.evm.addresses import evm_address
from subnetlab.network.evm.escrow import Escrow
from subnetlab.network.evm.transactions import Transaction
from subnetlab.network.evm.wallet import EvmWallet
from subnetlab.network.receipt import Receipt
from subnetlab.network.secrets import refuse_secret
from subnetlab.network.wallets import DEV_NAMES
from subnetlab.report.format import short
from subnetlab.units import format_tao, rao, tao
from subnetlab_widgets.money.fields import Choice, Field
from subnetlab_widgets.money.forms import opened, setup_of, still_open
from subnetlab_widgets.money.preview import Fact, Preview, costs_of_gas, settled, unit, whole
from subnetlab_widgets.money.spend import Clicked, Fields

if TYPE_CHECKING:
    from subnetlab.lab.session import Net
    from subnetlab_widgets.money.form import SpendForm

_DAY_S: Final = 86_400
_MOST: Final = 1_000_000
_Shown = tuple[Transaction, list[Fact], str]
"""A transaction, what is said of it, and what will have happened."""


def job_form(net: "Net", *, escrow: str | Escrow = "", wallet: str | EvmWallet = "alice") -> "SpendForm":
    """A form that opens, approves, withdraws from or closes a job; without an escrow it deploys one.

    Args:
        net: the notebook's network.
        escrow: the contract (`0x…`); a new one is deployed where it is left out.
        wallet: who signs, a key of the EVM by name or itself.

    Raises:
        SubnetLabError: no such escrow or key, or the node does not answer.

    Example:
        >>> job_form(net, escrow=escrow.address, wallet="alice")  # doctest: +SKIP
    """
    client, clicked = network_client(net), Clicked()
    key = client.evm.wallet(wallet)
    lies_at = escrow.address if isinstance(escrow, Escrow) else escrow
    work = _Work(client, key, lies_at)

    def preview(fields: Fields) -> Preview:
        still_open(net)
        transaction, facts, done = work.shown(fields)
        return settled(
            client, costs_of_gas(client, key, transaction), lines=facts, verb=work.verb(fields),
            typed={name: value.strip() for name, value in fields.items()}, done=done,
        )  # fmt: skip

    def send(fields: Fields) -> Receipt:
        transaction, _, _ = work.shown(fields)
        receipt = client.asking(clicked).evm.send(key, transaction)
        return work.told(fields, receipt)

    written = "Escrow.open, .approve, .withdraw and .close of subnetlab.network.evm.escrow"
    setup = setup_of(net, "Job", key, work.fields(), written)
    return opened(net, setup, preview=preview, send=send, clicked=clicked)


class _Work:
    """What one key can do with one escrow."""

    def __init__(self, client: NetworkClient, key: EvmWallet, lies_at: str) -> None:
        self._client, self._key = client, key
        self._escrow = Escrow(client.evm, lies_at) if lies_at else None
        self._actions: dict[str, tuple[str, Callable[[Escrow, Fields], _Shown]]] = {
            "open": ("Fund the job with", self._open),
            "approve": ("Approve the rounds", self._approve),
            "withdraw": ("Withdraw", self._withdraw),
            "close": ("Close the job", self._close),
        }

    def fields(self) -> tuple[Field, ...]:
        """The fields of every action, each with the actions it belongs to."""
        if self._escrow is None:
            choice = Choice(value="deploy", label="Deploy a new escrow")
            return (Field(name="action", label="What", kind="choice", value="deploy", choices=(choice,)),)
        choices = (
            Choice(value="open", label="Open a job"),
            Choice(value="approve", label="Approve rounds"),
            Choice(value="withdraw", label="Withdraw"),
            Choice(value="close", label="Close, and refund the rest"),
        )
        names = DEV_NAMES if self._client.development else ()
        others = tuple(name for name in names if name != self._key.name)
        hint = "a name, or 0x…" if names else "0x…"
        return (
            Field(name="action", label="What", kind="choice", value="open", choices=choices),
            Field(name="amount", label="Amount", kind="amount", unit=unit(self._client), only=("open",)),
            Field(name="rounds", label="Rounds", kind="number", value="10", only=("open",)),
            Field(name="miner", label="Miner", names=others, placeholder=hint, only=("open",)),
            Field(name="arbiter", label="Arbiter", names=others, placeholder=hint, only=("open",)),
            Field(name="days", label="Open for days", kind="number", value="7", only=("open",)),
            Field(name="job", label="Job", kind="number", value="1", only=("approve", "close")),
            Field(name="upto", label="Up to round", kind="number", value="1", only=("approve",)),
        )  # fmt: skip

    def verb(self, fields: Fields) -> str:
        """What the button says."""
        return "Deploy the escrow" if self._escrow is None else self._action(fields)[0]

    def shown(self, fields: Fields) -> _Shown:
        """The transaction that these fields mean, and its first lines.

        Raises:
            SubnetLabError: a field cannot be used, or the contract has no such job.
        """
        if self._escrow is None:
            return Escrow.deployment(), [], "An escrow was deployed"
        return self._action(fields)[1](self._escrow, fields)

    def told(self, fields: Fields, receipt: Receipt) -> Receipt:
        """A receipt that names what is needed to go on: the escrow's address, or the job's number."""
        if self._escrow is None:
            return replace(receipt, summary=f"The escrow lies at {receipt.data['contract']}")
        if fields["action"] == "open":
            number = self._escrow.opened(receipt)
            return replace(receipt, summary=f"Job {number} of {short(self._escrow.address)} was opened")
        return receipt

    def _action(self, fields: Fields) -> tuple[str, Callable[[Escrow, Fields], _Shown]]:
        found = self._actions.get(fields["action"])
        if found is None:
            raise WalletError(
                "A job is opened, approved, withdrawn from or closed.",
                hint="Click one of the buttons of the form.",
            )
        return found

    def _open(self, escrow: Escrow, fields: Fields) -> _Shown:
        amount, rounds = rao(fields["amount"]), whole("Rounds", fields["rounds"], least=1, most=_MOST)
        days = whole("Days", fields["days"], least=1, most=3650)
        miner, arbiter = self._address(fields["miner"]), self._address(fields["arbiter"])
        if arbiter == self._key.address:
            raise WalletError(
                "The payer cannot be the arbiter.", hint="Name another key, such as a validator's."
            )
        until = int(time.time()) + days * _DAY_S
        transaction = escrow.opening(
            amount_tao=tao(amount), payee=miner, arbiter=arbiter, rounds=rounds, deadline=until
        )
        tau = unit(self._client)
        facts = [
            Fact(name="To the miner", value=miner),
            Fact(name="A round", value=format_tao(transaction.amount_rao // rounds, tau)),
            Fact(name="Approved by", value=arbiter),
            Fact(
                name="Anybody may close it from",
                value=f"{datetime.fromtimestamp(until, UTC):%Y-%m-%d %H:%M} UTC",
            ),
        ]
        if transaction.amount_rao != amount:
            rest = format_tao(amount - transaction.amount_rao, tau)
            facts.append(Fact(name="Stays with you", value=f"{rest}, which rounds do not divide"))
        done = (
            f"{format_tao(transaction.amount_rao, tau)} put into a job of {rounds} rounds for {short(miner)}"
        )
        return transaction, facts, done

    def _approve(self, escrow: Escrow, fields: Fields) -> _Shown:
        number = whole("The job", fields["job"], least=1, most=_MOST)
        job = escrow.job(number)
        upto = whole("The round", fields["upto"], least=job.approved + 1, most=job.rounds)
        due = format_tao((upto - job.approved) * job.per_round_rao, unit(self._client))
        facts = [
            Fact(name="Approved so far", value=f"{job.approved} of {job.rounds} rounds"),
            Fact(name="Pays", value=f"{due} to {job.payee}"),
        ]
        return escrow.approval(number, upto), facts, f"Job {number} approved up to round {upto}: {due}"

    def _withdraw(self, escrow: Escrow, fields: Fields) -> _Shown:  # noqa: ARG002 - every action takes them
        transaction = escrow.withdrawal(self._key)
        if not transaction.brings_rao:
            raise InsufficientBalance(
                f"The escrow owes nothing to {self._key.address}.",
                hint="Work of a round that is accepted is owed once the validator has approved it.",
            )
        owed = format_tao(transaction.brings_rao, unit(self._client))
        return (
            transaction,
            [Fact(name="You receive", value=owed)],
            f"{owed} withdrawn to {short(self._key.address)}",
        )

    def _close(self, escrow: Escrow, fields: Fields) -> _Shown:
        number = whole("The job", fields["job"], least=1, most=_MOST)
        job = escrow.job(number)
        back = format_tao((job.rounds - job.approved) * job.per_round_rao, unit(self._client))
        facts = [
            Fact(name="Approved", value=f"{job.approved} of {job.rounds} rounds, which stay the miner's"),
            Fact(name="Back to the payer", value=f"{back}, who withdraws it"),
        ]
        return escrow.closing(number), facts, f"Job {number} closed: {back} go back to the payer"

    def _address(self, typed: str) -> str:
        refuse_secret(typed, "an address")
        name = typed.strip().lower()
        if self._client.development and name in DEV_NAMES:
            return self._client.evm.wallet(name).address
        return evm_address(typed)
