"""Forms of stake: behind a validator, back from it, and from one validator or subnet to another."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import bittensor

from subnetlab.errors import WalletError
from subnetlab.lab.subnet import network_client
from subnetlab.network.client import RATE_TOLERANCE, NetworkClient
from subnetlab.network.destination import ss58_account
from subnetlab.network.metagraph import MetagraphSnapshot
from subnetlab.network.receipt import Receipt
from subnetlab.network.wallets import Wallet, address
from subnetlab.report.format import short
from subnetlab.units import ROOT_NETUID, AlphaRao, Amount, format_tao, rao, tao
from subnetlab_widgets.money.fields import Choice, Field
from subnetlab_widgets.money.forms import first_amount, opened, setup_of, still_open
from subnetlab_widgets.money.preview import Fact, Preview, Vote, costs_of, exact, settled, unit, whole
from subnetlab_widgets.money.spend import Clicked, Fields

if TYPE_CHECKING:
    from subnetlab.lab.session import Net
    from subnetlab_widgets.money.form import SpendForm

_ALL = "all"


def stake_form(
    net: "Net", *, netuid: int, hotkey_ss58: str = "", wallet: str | Wallet = "alice", amount_tao: Amount = ""
) -> "SpendForm":
    """A form that stakes behind a validator of a subnet; what is given is filled in, nothing is sent.

    Args:
        net: the notebook's network.
        netuid: the subnet.
        hotkey_ss58: who is backed; the first that may vote unless given.
        wallet: who pays, by name.
        amount_tao: what the form shows at first.

    Raises:
        SubnetLabError: no such subnet, wallet or key, or the node does not answer.

    Example:
        >>> stake_form(net, netuid=subnet.netuid)  # doctest: +SKIP
    """
    client, clicked = network_client(net), Clicked()
    choices = _seats(client, netuid, hotkey_ss58)
    target = ss58_account(hotkey_ss58) if hotkey_ss58 else (choices[0].value if choices else "")

    def send(fields: Fields) -> Receipt:
        return net.stake(
            amount_tao=tao(rao(fields["amount"])), hotkey_ss58=fields["target"], netuid=netuid, wallet=wallet,
            confirm=clicked, rate_tolerance=float(fields["tolerance"]),
        )  # fmt: skip

    def preview(fields: Fields) -> Preview:
        still_open(net)
        return _preview_stake(client, wallet, fields, netuid)

    shown = (
        Field(
            name="amount", label="Amount", kind="amount", value=first_amount(amount_tao), unit=unit(client)
        ),
        Field(name="target", label="Validator", kind="choice", value=target, choices=choices),
    )
    written = f"%sl stake 10 --to {target or 'HOTKEY'}, or net.stake(amount_tao=10, …)"
    setup = setup_of(net, "Stake", wallet, shown, written) | {"netuid": netuid}
    return opened(net, setup, preview=preview, send=send, clicked=clicked)


def _preview_stake(client: NetworkClient, wallet: str | Wallet, fields: Fields, netuid: int) -> Preview:
    amount = rao(fields["amount"])
    hotkey = ss58_account(fields["target"])
    quote = client.quote_stake(amount_tao=tao(amount), netuid=netuid)
    tolerance = tolerated(quote.slippage_share)
    intent = bittensor.AddStake(
        hotkey_ss58=hotkey, netuid=netuid, amount_tao=exact(amount), rate_tolerance=tolerance
    )
    graph = client.metagraph(netuid)
    facts = [
        Fact(name="You receive", value=f"{tao(quote.received):,.3f} α"),
        Fact(name="Slippage", value=f"{quote.slippage_share * 100:.2f}\u2009%"),
    ]
    return settled(
        client, costs_of(client, intent, wallet, amount=amount), lines=facts, verb="Stake",
        typed={"amount": format_tao(amount, "").strip(), "target": hotkey},
        done=f"{format_tao(amount, unit(client))} staked to {_who(graph, hotkey)}",
        vote=_vote(graph, hotkey, quote.received), terms={"tolerance": str(tolerance)},
    )  # fmt: skip


def unstake_form(net: "Net", *, netuid: int, wallet: str | Wallet = "alice") -> "SpendForm":
    """A form that takes stake back from a hotkey of a subnet; arguments and errors as `stake_form`.

    Example:
        >>> unstake_form(net, netuid=subnet.netuid)  # doctest: +SKIP
    """
    client, clicked = network_client(net), Clicked()

    def preview(fields: Fields) -> Preview:
        still_open(net)
        position = _position(client, wallet, netuid, fields)
        hotkey, amount, everything = position
        quote = client.quote_unstake(amount_alpha=tao(amount), netuid=netuid)
        tolerance = tolerated(quote.slippage_share)
        intent = bittensor.RemoveStake(
            hotkey_ss58=hotkey, netuid=netuid, rate_tolerance=tolerance,
            amount_alpha="all" if everything else exact(amount, netuid),
        )  # fmt: skip
        facts = [
            Fact(name="You receive", value=f"{format_tao(quote.received, unit(client))}"),
            Fact(name="Slippage", value=f"{quote.slippage_share * 100:.2f}\u2009%"),
        ]
        costs = replace(costs_of(client, intent, wallet), brings=quote.received)
        alpha = format_tao(amount, "α")
        return settled(
            client, costs, lines=facts, verb="Unstake", said=alpha, typed=_typed(fields),
            done=f"{alpha} taken back from {_who(client.metagraph(netuid), hotkey)}",
            terms={"tolerance": str(tolerance)},
        )  # fmt: skip

    def send(fields: Fields) -> Receipt:
        hotkey, amount, everything = _position(client, wallet, netuid, fields)
        return net.unstake(
            amount_alpha="all" if everything else tao(amount), hotkey_ss58=hotkey, netuid=netuid,
            wallet=wallet, confirm=clicked, rate_tolerance=float(fields["tolerance"]),
        )  # fmt: skip

    shown = (_alpha_field(), _held_field(client, wallet, netuid, "target", "From"))
    setup = setup_of(net, "Unstake", wallet, shown, "net.unstake(amount_alpha=…, …)")
    return opened(net, setup | {"netuid": netuid}, preview=preview, send=send, clicked=clicked)


def move_form(net: "Net", *, netuid: int, wallet: str | Wallet = "alice") -> "SpendForm":
    """A form that moves stake to another hotkey or subnet; arguments and errors as `stake_form`.

    Within a subnet nothing is exchanged; to another one both pools are passed, and both move.

    Example:
        >>> move_form(net, netuid=subnet.netuid)  # doctest: +SKIP
    """
    client, clicked = network_client(net), Clicked()

    def intended(fields: Fields, tolerance: float) -> tuple[bittensor.MoveStake, int]:
        hotkey, amount, everything = _position(client, wallet, netuid, fields)
        dest = whole("The subnet", fields["subnet"], least=0, most=65_535)
        to = ss58_account(fields["to"])
        if (dest, to) == (netuid, hotkey):
            raise WalletError("The stake is there already.", hint="Choose another hotkey or subnet.")
        moved: Any = "all" if everything else exact(amount, netuid)
        intent = bittensor.MoveStake(
            origin_hotkey_ss58=hotkey, origin_netuid=netuid, dest_hotkey_ss58=to, dest_netuid=dest,
            amount_alpha=moved, rate_tolerance=tolerance,
        )  # fmt: skip
        return intent, amount

    def preview(fields: Fields) -> Preview:
        still_open(net)
        intent, amount = intended(fields, RATE_TOLERANCE)
        facts, tolerance = [Fact(name="Exchanged", value="nothing: the same subnet")], RATE_TOLERANCE
        if intent.dest_netuid != netuid:
            facts, tolerance = _exchanged(client, amount, netuid, intent.dest_netuid)
            intent, _ = intended(fields, tolerance)
        graph = client.metagraph(intent.dest_netuid)
        alpha = format_tao(amount, "α")
        return settled(
            client, costs_of(client, intent, wallet), lines=facts, verb="Move", said=alpha,
            typed=_typed(fields), terms={"tolerance": str(tolerance)},
            done=f"{alpha} moved to {_who(graph, intent.dest_hotkey_ss58)} of subnet {intent.dest_netuid}",
        )  # fmt: skip

    def send(fields: Fields) -> Receipt:
        intent, _ = intended(fields, float(fields["tolerance"]))
        return net.execute(intent, wallet=wallet, confirm=clicked)

    seats = _seats(client, netuid, "")
    shown = (
        _alpha_field(),
        _held_field(client, wallet, netuid, "target", "From"),
        Field(name="to", label="To hotkey", names=tuple(seat.value for seat in seats), placeholder="5…",
              value=seats[-1].value if seats else ""),
        Field(name="subnet", label="To subnet", kind="number", value=str(netuid)),
    )  # fmt: skip
    setup = setup_of(net, "Move", wallet, shown, "net.execute(bittensor.MoveStake(…), wallet=…)")
    return opened(net, setup | {"netuid": netuid}, preview=preview, send=send, clicked=clicked)


def tolerated(slippage_share: float) -> float:
    """How far the price may move: as far as the spend itself moves it, which was shown, and 5 % by others.

    In a pool whose product stays constant, the last token costs `1 / (1 - slippage)²` of the first.
    """
    return min(1.0, max(0.0, 1 - slippage_share) ** -2 - 1 + RATE_TOLERANCE) if slippage_share < 1 else 1.0


def _exchanged(client: NetworkClient, amount: int, origin: int, dest: int) -> tuple[list[Fact], float]:
    out = client.quote_unstake(amount_alpha=tao(amount), netuid=origin)
    back = client.quote_stake(amount_tao=tao(out.received), netuid=dest) if out.received else out
    lost = 1 - (1 - out.slippage_share) * (1 - back.slippage_share)
    facts = [
        Fact(name="On the way", value=format_tao(out.received, unit(client))),
        Fact(name="You receive", value=f"{tao(back.received):,.3f} {'α' if dest != ROOT_NETUID else 'τ'}"),
        Fact(name="Slippage", value=f"{lost * 100:.2f}\u2009%"),
    ]
    return facts, tolerated(lost)


def _position(
    client: NetworkClient, wallet: str | Wallet, netuid: int, fields: Fields
) -> tuple[str, AlphaRao, bool]:
    """Whose stake, how much of it, and whether that is all of it."""
    hotkey = ss58_account(fields["target"])
    with client.client.question():
        held = int(
            client.client.read(
                "stake", coldkey_ss58=address(client.wallet(wallet)), hotkey_ss58=hotkey, netuid=netuid
            ).rao
        )
    if fields["amount"].strip().lower() == _ALL:
        return hotkey, AlphaRao(held), True
    return hotkey, AlphaRao(rao(fields["amount"], netuid=netuid)), False


def _typed(fields: Fields) -> Fields:
    return {name: value.strip() for name, value in fields.items()}


def _alpha_field() -> Field:
    return Field(name="amount", label="Amount, or all", kind="amount", unit="α")


def _held_field(client: NetworkClient, wallet: str | Wallet, netuid: int, name: str, label: str) -> Field:
    """The hotkeys of a subnet that the wallet has stake behind."""
    from subnetlab.lab.holdings import holdings  # noqa: PLC0415  (only where a form needs it)

    graph = client.metagraph(netuid)
    held = [p for p in holdings(client, client.wallet(wallet)).positions if p.netuid == netuid]
    choices = tuple(
        Choice(value=p.hotkey, label=_who(graph, p.hotkey), detail=f"{tao(p.alpha_rao):,.3f} α") for p in held
    )
    return Field(
        name=name, label=label, kind="choice", choices=choices, value=choices[0].value if choices else ""
    )


def _seats(client: NetworkClient, netuid: int, hotkey_ss58: str) -> tuple[Choice, ...]:
    """Who may be backed: those that may vote, by stake; every seat if none may vote yet."""
    graph = client.metagraph(netuid)
    able = sorted(graph.validators, key=lambda row: (-row.stake_alpha_rao, row.uid)) or graph.neurons
    seats = tuple(Choice(value=row.hotkey, label=f"uid {row.uid}", detail=short(row.hotkey)) for row in able)
    if hotkey_ss58:
        target = ss58_account(hotkey_ss58)
        if target not in [seat.value for seat in seats]:
            seats = (Choice(value=target, label="key", detail=short(target)), *seats)
    return seats


def _who(graph: MetagraphSnapshot, hotkey: str) -> str:
    row = graph.by_hotkey(hotkey)
    return short(hotkey) if row is None else f"uid {row.uid}"


def _vote(graph: MetagraphSnapshot, hotkey: str, received: int) -> Vote | None:
    """How much of the subnet's voting stake the hotkey has, and would have; None where it cannot vote."""
    row = graph.by_hotkey(hotkey)
    every = sum(neuron.stake_alpha_rao for neuron in graph.validators)
    if row is None or not row.validator_permit or every == 0:
        return None
    return Vote(
        before=100 * row.stake_alpha_rao / every,
        after=100 * (row.stake_alpha_rao + received) / (every + received),
    )
