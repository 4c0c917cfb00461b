"""What a stake or a payment would do, as the lines of a form, before anything is sent.

A line that fails says so in words and is marked; the form's button follows from that. Amounts are rao and
alpha-rao until they are written. What was typed is echoed only where it is no secret.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import bittensor

from subnetlab.errors import SubnetLabError
from subnetlab.network.client import NetworkClient
from subnetlab.network.pay import destination
from subnetlab.network.rejection import translated
from subnetlab.units import format_tao, rao

Kind = Literal["stake", "pay"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One line: a name, a value, and whether it stands in the way."""

    name: str
    value: str
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

    def as_json(self) -> dict[str, Any]:
        """As the page takes it."""
        return asdict(self)


def refused(error: SubnetLabError) -> Preview:
    """The preview of what cannot be previewed: one line in words, and no button."""
    return Preview(facts=(), vote=None, can=False, note=str(error), amount_rao=0)


def preview_stake(
    client: NetworkClient, wallet: str, *, amount: str, hotkey_ss58: str, netuid: int
) -> Preview:
    """What staking `amount` TAO behind a hotkey would do.

    Raises:
        SubnetLabError: the amount or the hotkey cannot be used, or nobody answers.
    """
    amount_rao = rao(amount)
    hotkey = destination(hotkey_ss58, development=False)
    quote = client.quote_stake(amount_tao=amount, netuid=netuid)
    intent = bittensor.AddStake(hotkey_ss58=hotkey, netuid=netuid, amount_tao=_balance(amount_rao))
    fee = _fee(client, intent, wallet)
    facts = [
        Fact(name="You receive", value=format_tao(quote.received, "α")),
        Fact(name="Slippage", value=f"{quote.slippage_share * 100:.2f}\u2009%"),
        Fact(name="Fee", value=format_tao(fee, _unit(client))),
    ]
    vote = _vote(client, netuid, hotkey, quote.received)
    return _with_money(client, wallet, facts=facts, amount=amount_rao, fee=fee, vote=vote)


def preview_pay(client: NetworkClient, wallet: str, *, amount: str, to: str) -> Preview:
    """What paying `amount` TAO would do; errors as `preview_stake`."""
    amount_rao = rao(amount)
    dest = destination(to, development=client.development)
    fee = _fee(client, bittensor.Transfer(dest_ss58=dest, amount_tao=_balance(amount_rao)), wallet)
    facts = [Fact(name="To", value=dest), Fact(name="Fee", value=format_tao(fee, _unit(client)))]
    return _with_money(client, wallet, facts=facts, amount=amount_rao, fee=fee, vote=None)


def _with_money(
    client: NetworkClient, wallet: str, *, facts: list[Fact], amount: int, fee: int, vote: Vote | None
) -> Preview:
    unit = _unit(client)
    free, left = client.balance(client.wallet(wallet)), client.budget.left_rao
    after = free - amount - fee
    poor = after < client.existential_deposit
    short = f"holds {format_tao(free, unit)}, too little with the fee and the account's deposit"
    facts.append(
        Fact(
            name="Balance",
            value=short if poor else f"{format_tao(free, unit)} → {format_tao(after, unit)}",
            bad=poor,
        )
    )
    over = left is not None and amount + fee > left
    if left is None:
        budget = "no limit"
    elif over:
        budget = f"only {format_tao(left, unit)} left"
    else:
        budget = f"{format_tao(left, unit)} → {format_tao(left - amount - fee, unit)}"
    facts.append(Fact(name="Budget left", value=budget, bad=over))
    can = not (poor or over)
    note = "Nothing is sent yet" if can else "The marked line stands in the way"
    return Preview(facts=tuple(facts), vote=vote, can=can, note=note, amount_rao=amount)


def _vote(client: NetworkClient, netuid: int, hotkey: str, received: int) -> Vote | None:
    """How much of the subnet's voting stake the hotkey has, and would have; None where it cannot vote."""
    graph = client.metagraph(netuid)
    row = graph.by_hotkey(hotkey)
    whole = sum(neuron.stake_alpha_rao for neuron in graph.validators)
    if row is None or not row.validator_permit or whole == 0:
        return None
    return Vote(
        before=100 * row.stake_alpha_rao / whole,
        after=100 * (row.stake_alpha_rao + received) / (whole + received),
    )


def _fee(client: NetworkClient, intent: bittensor.Intent, wallet: str) -> int:
    with translated(client.endpoint):
        plan = client.client.plan(intent, client.wallet(wallet))
    return int(plan.fee.rao) if plan.fee is not None else 0


def _unit(client: NetworkClient) -> str:
    return "play τ" if client.development else "TAO"


def _balance(amount_rao: int) -> Any:
    return bittensor.Balance.from_rao(amount_rao, 0)
