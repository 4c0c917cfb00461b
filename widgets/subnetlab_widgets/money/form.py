"""The form as a widget: `SpendForm.stake(...)` and `SpendForm.pay(...)`."""

import threading
from collections.abc import Callable
from typing import Any

import anywidget
import traitlets

from subnetlab.network.client import NetworkClient
from subnetlab.network.receipt import Receipt
from subnetlab.units import format_tao
from subnetlab_widgets.bundle import bundled
from subnetlab_widgets.money.preview import Preview, preview_pay, preview_stake
from subnetlab_widgets.money.spend import Clicked, OneSpend


class SpendForm(anywidget.AnyWidget):
    """One stake or payment, previewed while typing, sent by one click, folded into a line when final.

    The state lives in the kernel, so every tab shows the same form and a reload loses nothing. What is typed
    travels as a message and is never kept in the notebook.
    """

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    setup = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        setup: dict[str, Any],
        *,
        preview: Callable[[dict[str, str]], Preview],
        send: Callable[[dict[str, str]], Receipt],
        clicked: Clicked,
        client: NetworkClient,
        **kwargs: Any,
    ) -> None:
        """Wire the page's messages to one spend; use `stake` or `pay` instead."""
        super().__init__(_esm=bundled("form.js"), _css=bundled("form.css"), setup=setup, **kwargs)
        self.spend = OneSpend(preview=preview, send=send, clicked=clicked, changed=self._show)
        self._client = client
        self._show(self.spend.state())
        self.on_msg(self._receive)

    @classmethod
    def stake(
        cls, endpoint: str, *, netuid: int, wallet: str, network: str | None = None, hotkey_ss58: str = ""
    ) -> "SpendForm":
        """Stake behind a validator of a subnet, chosen from those that may vote.

        Raises:
            SubnetLabError: no such subnet or wallet, or nobody answers.
        """
        client, clicked = _client(endpoint, network)
        validators = [
            {"value": row.hotkey, "label": f"uid {row.uid}", "detail": short(row.hotkey)}
            for row in client.metagraph(netuid).validators
        ]

        def send(fields: dict[str, str]) -> Receipt:
            return client.stake(
                amount_tao=fields["amount"], hotkey_ss58=fields["target"], netuid=netuid, wallet=wallet
            )

        def preview(fields: dict[str, str]) -> Preview:
            return preview_stake(
                client, wallet, amount=fields["amount"], hotkey_ss58=fields["target"], netuid=netuid
            )

        setup = _setup(client, "stake", wallet) | {"choices": validators, "target": hotkey_ss58}
        return cls(setup, preview=preview, send=send, clicked=clicked, client=client)

    @classmethod
    def pay(cls, endpoint: str, *, wallet: str, network: str | None = None, to: str = "") -> "SpendForm":
        """Pay somebody; raises as `stake`."""
        client, clicked = _client(endpoint, network)

        def send(fields: dict[str, str]) -> Receipt:
            return client.pay(amount_tao=fields["amount"], to=fields["target"], wallet=wallet)

        def preview(fields: dict[str, str]) -> Preview:
            return preview_pay(client, wallet, amount=fields["amount"], to=fields["target"])

        setup = _setup(client, "pay", wallet) | {"choices": [], "target": to}
        return cls(setup, preview=preview, send=send, clicked=clicked, client=client)

    def close(self) -> None:
        """Take the form off the page and leave the network; what is on its way still arrives."""
        super().close()
        self._client.close()

    def _show(self, state: dict[str, Any]) -> None:
        self.state = state

    def _receive(self, _widget: Any, content: dict[str, Any], _buffers: list[Any]) -> None:
        kind = content.get("k")
        if kind == "look":
            fields = {name: str(content.get(name, ""))[:200] for name in ("amount", "target")}
            # A quote asks the chain; the shell's own thread stays free for the person's next cell.
            threading.Thread(target=self.spend.look, args=(fields,), name="subnetlab-preview").start()
        elif kind == "confirm":
            self.spend.confirm(int(content.get("token", -1)))


def short(ss58: str) -> str:
    """An address a person can tell from another: `5Fq8…k2Vd`."""
    return f"{ss58[:4]}…{ss58[-4:]}"


def _client(endpoint: str, network: str | None) -> tuple[NetworkClient, Clicked]:
    clicked = Clicked()
    return NetworkClient(endpoint, name=network, confirm=clicked), clicked


def _setup(client: NetworkClient, kind: str, wallet: str) -> dict[str, Any]:
    opened = client.wallet(wallet)
    return {
        "kind": kind,
        "network": client.network.name,
        "real": not client.development,
        "unit": "play τ" if client.development else "TAO",
        "wallet": wallet,
        "balance": format_tao(client.balance(opened), "play τ" if client.development else "TAO"),
    }
