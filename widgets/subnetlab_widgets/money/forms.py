"""`stake_form` and `pay_form`: open a form on a notebook's own network.

A form spends through that `net`: one connection, one budget, one list of what was spent, whether a cell or a
click spends. It closes nothing.
"""

from collections import OrderedDict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from subnetlab.errors import NodeUnreachable
from subnetlab.lab.subnet import network_client
from subnetlab.network.destination import destination, ss58_account
from subnetlab.network.receipt import Receipt
from subnetlab.network.secrets import refuse_secret
from subnetlab.network.wallets import DEV_NAMES
from subnetlab.report.format import short
from subnetlab.units import Amount, format_tao, rao, tao
from subnetlab_widgets.money.form import SpendForm
from subnetlab_widgets.money.preview import Preview, amount_of, money, preview_pay, preview_stake, unit
from subnetlab_widgets.money.spend import Clicked, Fields

if TYPE_CHECKING:
    from subnetlab.lab.session import Net

MOST = 16
"""Forms kept open; the oldest that is not sending is closed when another one is opened."""
_OPEN: "OrderedDict[int, tuple[Net, SpendForm]]" = OrderedDict()


def stake_form(
    net: "Net", *, netuid: int, hotkey_ss58: str = "", wallet: str = "alice", amount_tao: Amount = ""
) -> SpendForm:
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
    choices = _seats(net, netuid)
    if hotkey_ss58:
        target = ss58_account(hotkey_ss58)
        if target not in [choice["value"] for choice in choices]:
            choices.insert(0, {"value": target, "label": "key", "detail": short(target)})
    else:
        target = choices[0]["value"] if choices else ""

    def send(fields: Fields) -> Receipt:
        return net.stake(
            amount_tao=_typed(fields), hotkey_ss58=fields["target"], netuid=netuid, wallet=wallet,
            confirm=clicked, rate_tolerance=float(fields["tolerance"]),
        )  # fmt: skip

    def preview(fields: Fields) -> Preview:
        _still_open(net)
        return preview_stake(
            client, wallet, amount=fields["amount"], hotkey_ss58=fields["target"], netuid=netuid
        )

    written = f"%sl stake 10 --to {target or 'HOTKEY'}, or net.stake(amount_tao=10, …)"
    setup = _setup(net, "stake", wallet, amount_tao)
    setup |= {"choices": choices, "target": target, "netuid": netuid, "written": written}
    return _opened(net, setup, preview=preview, send=send, clicked=clicked)


def pay_form(net: "Net", *, to: str = "", wallet: str = "alice", amount_tao: Amount = "") -> SpendForm:
    """A form that pays somebody; arguments and errors as `stake_form`.

    Example:
        >>> pay_form(net, to="bob")  # doctest: +SKIP
    """
    client, clicked = network_client(net), Clicked()
    if to:
        destination(to, development=client.development)

    def send(fields: Fields) -> Receipt:
        return net.pay(amount_tao=_typed(fields), to=fields["target"], wallet=wallet, confirm=clicked)

    def preview(fields: Fields) -> Preview:
        _still_open(net)
        return preview_pay(client, wallet, amount=fields["amount"], to=fields["target"])

    setup = _setup(net, "pay", wallet, amount_tao)
    written = f"%sl pay 0.5 {to or 'ADDRESS'}, or net.pay(amount_tao=0.5, …)"
    names = [name for name in DEV_NAMES if name != wallet] if client.development else []
    setup |= {"choices": [], "names": names, "target": to, "written": written}
    return _opened(net, setup, preview=preview, send=send, clicked=clicked)


def close_on(net: "Net") -> None:
    """Take the forms of one network off their pages, apart from one that is sending."""
    for key, (other, form) in list(_OPEN.items()):
        if other is net and form.spend.step != "sending":
            _OPEN.pop(key)[1].close()


def close_all() -> None:
    """Take every form off its page."""
    while _OPEN:
        _OPEN.popitem()[1][1].close()


def _opened(net: "Net", setup: dict[str, Any], **parts: Any) -> SpendForm:
    def ended() -> None:
        # Others show a balance and a budget that have just changed.
        for other, form in list(_OPEN.values()):
            if other is net:
                form.look_again()

    form = SpendForm(setup, ended=ended, **parts)
    _OPEN[id(form)] = (net, form)
    idle = [key for key, (_, other) in _OPEN.items() if other.spend.step != "sending" and other is not form]
    for key in idle[: max(0, len(_OPEN) - MOST)]:
        _OPEN.pop(key)[1].close()
    return form


def _setup(net: "Net", kind: str, wallet: str, amount_tao: Amount) -> dict[str, Any]:
    client = network_client(net)
    opened = client.wallet(wallet)
    if isinstance(amount_tao, str):
        refuse_secret(amount_tao, "an amount")
        written = amount_tao
    else:
        written = format_tao(rao(amount_tao), "").strip()
    tau = unit(client)
    return {
        "kind": kind,
        "network": client.network.name,
        "real": not client.development,
        "unit": tau,
        "wallet": wallet,
        "balance": f"{money(client.balance(opened))} {tau}",
        "amount": written,
        "names": [],
    }


def _seats(net: "Net", netuid: int) -> list[dict[str, str]]:
    """Who may be backed: those that may vote, by stake; every seat if none may vote yet."""
    graph = network_client(net).metagraph(netuid)
    able = sorted(graph.validators, key=lambda row: (-row.stake_alpha_rao, row.uid)) or graph.neurons
    return [{"value": row.hotkey, "label": f"uid {row.uid}", "detail": short(row.hotkey)} for row in able]


def _typed(fields: Fields) -> Decimal:
    return tao(amount_of(fields["amount"]))


def _still_open(net: "Net") -> None:
    if net.closed:
        raise NodeUnreachable("This network was closed.", hint="net = sl.connect() opens another.")
