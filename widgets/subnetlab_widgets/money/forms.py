"""The forms of a notebook's network: opened, kept up to date, and closed with it.

A form spends through that `net`: one connection, one budget, one list of what was spent, whether a cell or a
click spends. It closes nothing.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from subnetlab.errors import NodeUnreachable
from subnetlab.lab.subnet import network_client
from subnetlab.network.evm.wallet import EvmWallet
from subnetlab.network.secrets import refuse_secret
from subnetlab.network.wallets import Wallet, address
from subnetlab.report.format import short
from subnetlab.text import NAME, plain
from subnetlab.units import Amount, format_tao, rao
from subnetlab_widgets.money.fields import Field
from subnetlab_widgets.money.form import SpendForm
from subnetlab_widgets.money.preview import money, unit

if TYPE_CHECKING:
    from subnetlab.lab.session import Net

MOST = 16
"""Forms kept open; the oldest that is not sending is closed when another one is opened."""
_OPEN: "OrderedDict[int, tuple[Net, SpendForm]]" = OrderedDict()


def close_on(net: "Net") -> None:
    """Take the forms of one network off their pages, apart from one that is sending."""
    for key, (other, form) in list(_OPEN.items()):
        if other is net and form.spend.step != "sending":
            _OPEN.pop(key)[1].close()


def close_all() -> None:
    """Take every form off its page."""
    while _OPEN:
        _OPEN.popitem()[1][1].close()


def opened(net: "Net", setup: dict[str, Any], **parts: Any) -> SpendForm:
    """Make a form and keep it; `parts` as `SpendForm` takes them."""

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


def setup_of(
    net: "Net", title: str, wallet: str | Wallet | EvmWallet, fields: Sequence[Field], written: str
) -> dict[str, Any]:
    """What a form is opened with; it never changes.

    Args:
        net: the notebook's network.
        title: the verb, such as `Stake`.
        wallet: who pays.
        fields: in their order.
        written: how the same is said without a form.
    """
    client = network_client(net)
    tau = unit(client)
    if isinstance(wallet, EvmWallet):
        name, free = wallet.name, client.evm.balance(wallet)
    else:
        found = client.wallet(wallet)
        free = client.balance(found)
        name = wallet if isinstance(wallet, str) else str(getattr(found, "name", "") or short(address(found)))
    return {
        "title": title,
        "network": plain(client.network.name, NAME),
        "real": not client.development,
        "unit": tau,
        "wallet": plain(name, NAME),
        "balance": f"{money(free)} {tau}",
        "fields": [field.as_json() for field in fields],
        "written": written,
    }


def first_amount(amount_tao: Amount) -> str:
    """An amount as a form shows it at first; a text stays as it was typed.

    Raises:
        SecretRefused: it looks like a secret.
        InvalidAmount: it is no amount.
    """
    if isinstance(amount_tao, str):
        refuse_secret(amount_tao, "an amount")
        return amount_tao
    return format_tao(rao(amount_tao), "").strip()


def still_open(net: "Net") -> None:
    """Refuse to preview on a network that was left.

    Raises:
        NodeUnreachable: it was.
    """
    if net.closed:
        raise NodeUnreachable("This network was closed.", hint="net = sl.connect() opens another.")
