"""What a spend would do, as the lines of a form, before anything is sent; of either half of the chain.

A line that fails says so in words and is marked; the form's button follows from that. Amounts are rao and
alpha-rao until they are written. What was typed is echoed only where it was understood.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import bittensor

from subnetlab.errors import ArgumentInvalid, SubnetLabError
from subnetlab.network.client import NetworkClient
from subnetlab.network.evm.transactions import Transaction
from subnetlab.network.evm.wallet import EvmWallet
from subnetlab.units import RAO_PER_TAO, format_tao, tao


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One line: a name, a value, what it becomes, and whether it prevents the spend."""

    name: str
    value: str = ""
    then: str = ""
    bad: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """A validator's share of the stake that votes on its subnet, per cent, before and after."""

    before: float
    after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """Everything the form shows about one possible spend; `can` is false where a line fails."""

    facts: tuple[Fact, ...]
    vote: Vote | None
    can: bool
    note: str
    amount_rao: int
    typed: Mapping[str, str] = field(default_factory=dict[str, str])
    """The fields as they were understood, so that a second tab shows what the first one typed."""
    money: str = ""
    """The amount with its unit."""
    button: str = ""
    """What the button says."""
    done: str = ""
    """What will have happened, for the line that remains."""
    terms: Mapping[str, str] = field(default_factory=dict[str, str])
    """What a click agrees to besides the fields; `tolerance` is how far the price may move, a share."""

    def as_json(self) -> dict[str, Any]:
        """As the page takes it; the page needs no rao, which a script's numbers cannot hold."""
        shown = asdict(self)
        del shown["amount_rao"], shown["terms"]
        return shown


def refused(error: SubnetLabError) -> Preview:
    """The preview of what cannot be previewed: one line in words, and no button."""
    return Preview(facts=(), vote=None, can=False, note=str(error), amount_rao=0)


def unit(client: NetworkClient) -> str:
    """How TAO is called in a form, so that play money is never taken for real."""
    return "play τ" if client.development else "TAO"


def money(amount_rao: int) -> str:
    """Four decimals and groups of three; all nine where four would show nothing."""
    tiny = 0 < abs(amount_rao) < RAO_PER_TAO // 10_000
    return format_tao(amount_rao, "").strip() if tiny else f"{tao(amount_rao):,.4f}"


def whole(name: str, typed: str, *, least: int, most: int) -> int:
    """A whole number that was typed.

    Raises:
        ArgumentInvalid: it is none, or outside of these bounds.
    """
    text = typed.strip()
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(most)) else -1
    if not least <= number <= most:
        raise ArgumentInvalid(
            f"{name} is a whole number from {least} to {most:,}.", hint="Type a whole number into the field."
        )
    return number


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What a spend takes out of a wallet."""

    free: int
    """What the wallet holds, in rao."""
    deposit: int
    """What has to stay in it."""
    amount: int
    fee: int
    brings: int = 0
    """What comes back into the wallet with it."""
    counted: int | None = None
    """What the budget counts beside the fee; the amount unless given."""
    counts_fee: bool = True
    """Whether the budget limits the fee; a spend of nothing else passes any budget but 0."""


def costs_of(client: NetworkClient, intent: bittensor.Intent, wallet: Any, *, amount: int = 0) -> Costs:
    """What an intent of the SDK costs a wallet; an amount of 0 is a fee alone."""
    opened = client.wallet(wallet)
    with client.client.question():
        plan = client.client.plan(intent, opened)
        fee = int(plan.fee.rao) if plan.fee is not None else 0
        if intent.mev_shield_required:
            fee += int(client.client.estimate_shielded_carrier_fee(str(plan.signer_address)).rao)
    return Costs(
        free=client.balance(opened), deposit=client.existential_deposit, amount=amount, fee=fee,
        counts_fee=amount > 0,
    )  # fmt: skip


def costs_of_gas(client: NetworkClient, wallet: EvmWallet, transaction: Transaction) -> Costs:
    """What a transaction of the EVM costs its sender.

    Raises:
        ChainRejected: it would fail; the reason is in words.
    """
    free, amount = client.evm.balance(wallet), transaction.amount_rao
    if amount > free:  # what cannot be paid cannot be estimated
        return Costs(free=free, deposit=0, amount=amount, fee=0)
    gas = client.evm.gas(wallet, transaction)
    asked = amount > 0 or not client.development
    return Costs(
        free=free, deposit=gas.most_rao - gas.fee_rao, amount=amount,
        fee=gas.fee_rao, brings=transaction.brings_rao, counts_fee=asked,
        counted=0 if transaction.own else None,
    )  # fmt: skip


def settled(
    client: NetworkClient, costs: Costs, *, lines: list[Fact], verb: str, done: str, typed: Mapping[str, str],
    said: str = "", vote: Vote | None = None, terms: Mapping[str, str] | None = None,
) -> Preview:  # fmt: skip
    """The preview with fee, balance and budget, and whether all of it can be.

    Args:
        client: the network.
        costs: what it takes.
        lines: what is said first.
        verb: of the button, such as `Stake`.
        done: what will have happened.
        typed: the fields as they were understood.
        said: the amount as the button says it; TAO unless given.
        vote: what it does to a vote.
        terms: what a click agrees to besides.
    """
    tau, left = unit(client), client.budget.left_rao
    takes = costs.amount + costs.fee
    after = costs.free - takes
    poor = after < costs.deposit
    counts = (costs.amount if costs.counted is None else costs.counted) + costs.fee
    limited = costs.counts_fee or client.budget.frozen
    over = left is not None and limited and counts > left
    facts = [*lines, Fact(name="Fee", value=f"{money(costs.fee)} {tau}")]
    facts.append(
        Fact(
            name="Balance",
            value=f"{money(costs.free)} {tau} is too little, fee and deposit included",
            bad=True,
        )
        if poor
        else Fact(name="Balance", value=money(costs.free), then=f"{money(after + costs.brings)} {tau}")
    )
    if left is None:
        facts.append(Fact(name="Budget left", value="no limit"))
    elif over:
        facts.append(Fact(name="Budget left", value=f"only {format_tao(left, tau)}", bad=True))
    else:
        then = f"{money(max(0, left - counts))} {tau}"
        facts.append(Fact(name="Budget left", value=money(left), then=then))
    can = not (poor or over or any(fact.bad for fact in facts))
    said = said or (format_tao(costs.amount, tau) if costs.amount else "")
    spends = not client.development and costs.amount > 0
    return Preview(
        facts=tuple(facts), vote=vote, can=can, amount_rao=costs.amount, typed=typed, money=said,
        note="Nothing is sent yet" if can else "The marked line prevents it",
        button=f"{'Spend' if spends else verb} {said}".strip(), done=done, terms=terms or {},
    )  # fmt: skip


def exact(amount_rao: int, netuid: int = 0) -> Any:
    """An amount as the SDK takes it."""
    return bittensor.Balance.from_rao(amount_rao, netuid)
