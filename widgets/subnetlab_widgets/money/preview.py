"""What a stake or a payment would do, as the lines of a form, before anything is sent.

A line that fails says so in words and is marked; the form's button follows from that. Amounts are rao and
alpha-rao until they are written. What was typed is echoed only where it was understood.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import bittensor

from subnetlab.errors import SubnetLabError
from subnetlab.network.client import RATE_TOLERANCE, NetworkClient
from subnetlab.network.destination import destination, ss58_account
from subnetlab.network.evm.addresses import evm_address, looks_like_evm
from subnetlab.network.metagraph import MetagraphSnapshot
from subnetlab.report.format import short
from subnetlab.units import RAO_PER_TAO, format_tao, rao, tao

Kind = Literal["stake", "pay"]


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
    amount: str = ""
    """As it was understood, without its unit; so that a second tab shows what the first one typed."""
    target: str = ""
    money: str = ""
    """The amount with its unit, for the button."""
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


def amount_of(typed: str) -> int:
    """The rao that were typed.

    Raises:
        InvalidAmount: not an amount.
    """
    return rao(typed)


def preview_stake(
    client: NetworkClient, wallet: str, *, amount: str, hotkey_ss58: str, netuid: int
) -> Preview:
    """What staking `amount` TAO behind a hotkey would do.

    Raises:
        SubnetLabError: the amount or the hotkey cannot be used, or the node does not answer.
    """
    amount_rao = amount_of(amount)
    hotkey = ss58_account(hotkey_ss58)
    quote = client.quote_stake(amount_tao=tao(amount_rao), netuid=netuid)
    tolerance = tolerated(quote.slippage_share)
    intent = bittensor.AddStake(
        hotkey_ss58=hotkey, netuid=netuid, amount_tao=_balance(amount_rao), rate_tolerance=tolerance
    )
    fee = _fee(client, intent, wallet)
    facts = [
        Fact(name="You receive", value=f"{tao(quote.received):,.3f} α"),
        Fact(name="Slippage", value=f"{quote.slippage_share * 100:.2f}\u2009%"),
        Fact(name="Fee", value=f"{money(fee)} {unit(client)}"),
    ]
    graph = client.metagraph(netuid)
    row = graph.by_hotkey(hotkey)
    who = short(hotkey) if row is None else f"uid {row.uid}"
    return _with_money(
        client, wallet, facts=facts, amount=amount_rao, fee=fee,
        vote=_vote(graph, hotkey, quote.received), target=hotkey, done=f"staked to {who}",
        terms={"tolerance": str(tolerance)},
    )  # fmt: skip


def preview_pay(client: NetworkClient, wallet: str, *, amount: str, to: str) -> Preview:
    """What paying `amount` TAO would do; errors as `preview_stake`."""
    amount_rao = amount_of(amount)
    dest = destination(to, development=client.development)
    who = short(dest) if to.strip() == dest else to.strip().lower()
    facts = [Fact(name="To", value=dest)]
    intent: Any = bittensor.Transfer(dest_ss58=dest, amount_tao=_balance(amount_rao))
    if looks_like_evm(to):
        address = evm_address(to)
        who, intent = (
            short(address),
            bittensor.FundEvmKey(evm_address=address, amount_tao=_balance(amount_rao)),
        )
        facts = [Fact(name="To", value=address), Fact(name="On its mirror", value=dest)]
    fee = _fee(client, intent, wallet)
    facts.append(Fact(name="Fee", value=f"{money(fee)} {unit(client)}"))
    return _with_money(
        client, wallet, facts=facts, amount=amount_rao, fee=fee, vote=None,
        target=to.strip(), done=f"paid to {who}",
    )  # fmt: skip


def tolerated(slippage_share: float) -> float:
    """How far the price may move: as far as the spend itself moves it, which was shown, and 5 % by others.

    In a pool whose product stays constant, the last token costs `1 / (1 - slippage)²` of the first.
    """
    return min(1.0, max(0.0, 1 - slippage_share) ** -2 - 1 + RATE_TOLERANCE) if slippage_share < 1 else 1.0


def unit(client: NetworkClient) -> str:
    """How TAO is called in a form, so that play money is never taken for real."""
    return "play τ" if client.development else "TAO"


def money(amount_rao: int) -> str:
    """Four decimals and groups of three; all nine where four would show nothing."""
    tiny = 0 < abs(amount_rao) < RAO_PER_TAO // 10_000
    return format_tao(amount_rao, "").strip() if tiny else f"{tao(amount_rao):,.4f}"


def _with_money(
    client: NetworkClient, wallet: str, *, facts: list[Fact], amount: int, fee: int, vote: Vote | None,
    target: str, done: str, terms: Mapping[str, str] | None = None,
) -> Preview:  # fmt: skip
    tau = unit(client)
    free, left = client.balance(client.wallet(wallet)), client.budget.left_rao
    after = free - amount - fee
    poor = after < client.existential_deposit
    over = left is not None and amount + fee > left
    facts.append(
        Fact(name="Balance", value=f"{money(free)} {tau} is too little, fee and deposit included", bad=True)
        if poor
        else Fact(name="Balance", value=money(free), then=f"{money(after)} {tau}")
    )
    if left is None:
        facts.append(Fact(name="Budget left", value="no limit"))
    elif over:
        facts.append(Fact(name="Budget left", value=f"only {format_tao(left, tau)}", bad=True))
    else:
        facts.append(Fact(name="Budget left", value=money(left), then=f"{money(left - amount - fee)} {tau}"))
    can = not (poor or over)
    return Preview(
        facts=tuple(facts), vote=vote, can=can, amount_rao=amount, target=target,
        note="Nothing is sent yet" if can else "The marked line prevents it",
        amount=format_tao(amount, "").strip(), money=format_tao(amount, tau),
        done=f"{format_tao(amount, tau)} {done}", terms=terms or {},
    )  # fmt: skip


def _vote(graph: MetagraphSnapshot, hotkey: str, received: int) -> Vote | None:
    """How much of the subnet's voting stake the hotkey has, and would have; None where it cannot vote."""
    row = graph.by_hotkey(hotkey)
    whole = sum(neuron.stake_alpha_rao for neuron in graph.validators)
    if row is None or not row.validator_permit or whole == 0:
        return None
    return Vote(
        before=100 * row.stake_alpha_rao / whole,
        after=100 * (row.stake_alpha_rao + received) / (whole + received),
    )


def _fee(client: NetworkClient, intent: bittensor.Intent, wallet: str) -> int:
    with client.client.question():
        plan = client.client.plan(intent, client.wallet(wallet))
    return int(plan.fee.rao) if plan.fee is not None else 0


def _balance(amount_rao: int) -> Any:
    return bittensor.Balance.from_rao(amount_rao, 0)
