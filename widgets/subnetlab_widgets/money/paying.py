"""The form of a payment: from a wallet of either half of the chain to an address of either half."""

from typing import TYPE_CHECKING, Any

import bittensor

from subnetlab.lab.subnet import network_client
from subnetlab.network.client import NetworkClient
from subnetlab.network.destination import destination
from subnetlab.network.evm.addresses import evm_address, looks_like_evm
from subnetlab.network.evm.payments import payment
from subnetlab.network.evm.wallet import EvmWallet
from subnetlab.network.receipt import Receipt
from subnetlab.network.wallets import DEV_NAMES, Wallet
from subnetlab.report.format import short
from subnetlab.units import Amount, format_tao, rao, tao
from subnetlab_widgets.money.fields import Field
from subnetlab_widgets.money.forms import first_amount, opened, setup_of, still_open
from subnetlab_widgets.money.preview import Fact, Preview, costs_of, costs_of_gas, exact, settled, unit
from subnetlab_widgets.money.spend import Clicked, Fields

if TYPE_CHECKING:
    from subnetlab.lab.session import Net
    from subnetlab_widgets.money.form import SpendForm


def pay_form(
    net: "Net", *, to: str = "", wallet: str | Wallet | EvmWallet = "alice", amount_tao: Amount = ""
) -> "SpendForm":
    """A form that pays somebody; what is given is filled in, nothing is sent.

    Args:
        net: the notebook's network.
        to: an ss58 or `0x…` address, or on a devnet the name of a development wallet.
        wallet: who pays: a wallet of Bittensor, by name or itself, or one of the EVM.
        amount_tao: what the form shows at first.

    Raises:
        SubnetLabError: no such wallet or address, or the node does not answer.

    Example:
        >>> pay_form(net, to="bob")  # doctest: +SKIP
    """
    client, clicked = network_client(net), Clicked()
    if to:
        destination(to, development=client.development)

    def send(fields: Fields) -> Receipt:
        amount = tao(rao(fields["amount"]))
        return net.pay(amount_tao=amount, to=fields["target"], wallet=wallet, confirm=clicked)

    def preview(fields: Fields) -> Preview:
        still_open(net)
        return _preview(client, wallet, amount=rao(fields["amount"]), to=fields["target"].strip())

    own = wallet if isinstance(wallet, str) else ""
    names = tuple(name for name in DEV_NAMES if name != own) if client.development else ()
    shown = (
        Field(
            name="amount", label="Amount", kind="amount", value=first_amount(amount_tao), unit=unit(client)
        ),
        Field(
            name="target", label="To", value=to, names=names,
            placeholder="a name, 5… or 0x…" if names else "5… or 0x…",
        ),
    )  # fmt: skip
    written = f"%sl pay 0.5 {to or 'ADDRESS'}, or net.pay(amount_tao=0.5, …)"
    setup = setup_of(net, "Pay", wallet, shown, written)
    return opened(net, setup, preview=preview, send=send, clicked=clicked)


def _preview(client: NetworkClient, wallet: str | Wallet | EvmWallet, *, amount: int, to: str) -> Preview:
    dest = destination(to, development=client.development)
    who = short(dest) if to == dest else to.lower()
    facts = [Fact(name="To", value=dest)]
    intent: Any = bittensor.Transfer(dest_ss58=dest, amount_tao=exact(amount))
    if looks_like_evm(to):
        address = evm_address(to)
        who = short(address)
        facts = [Fact(name="To", value=address), Fact(name="On its mirror", value=dest)]
        intent = bittensor.FundEvmKey(evm_address=address, amount_tao=exact(amount))
    if isinstance(wallet, EvmWallet):
        paid = payment(rao(tao(amount)), to, development=client.development)
        costs = costs_of_gas(client, wallet, paid)
    else:
        costs = costs_of(client, intent, wallet, amount=amount)
    typed = {"amount": format_tao(amount, "").strip(), "target": to}
    return settled(
        client, costs, lines=facts, verb="Pay", typed=typed,
        done=f"{format_tao(amount, unit(client))} paid to {who}",
    )  # fmt: skip
