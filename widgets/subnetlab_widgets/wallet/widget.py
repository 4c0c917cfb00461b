"""The wallet of a notebook: two halves of one network, with keys that stay in the browser.

The widget knows addresses and what was signed, never a key. What a page may say is: which accounts it was
given, that it holds a question, and what the wallet answered; anything else, and anything malformed, is
dropped. Its state lives in the kernel, so every tab shows the same and a reload loses nothing.
"""

import threading
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import traitlets

from subnetlab.errors import DevnetOnly, SubnetLabError, WalletSilent
from subnetlab.lab.subnet import network_client
from subnetlab.network.evm.wallet import EvmWallet
from subnetlab.text import NAME, plain
from subnetlab_widgets.saved import Picture, SavedWidget
from subnetlab_widgets.wallet.ethereum import EvmAccount, challenge, disposable, page_wallet, proven
from subnetlab_widgets.wallet.exchange import ANSWER_WITHIN_S, Exchange
from subnetlab_widgets.wallet.shown import plain_html, qr_path, spent_rows, words
from subnetlab_widgets.wallet.signer import Account, PageSigner, account_of

if TYPE_CHECKING:
    from web3 import AsyncWeb3, Web3

    from subnetlab.lab.session import Net

CONNECT_WITHIN_S = 300.0
"""How long a cell waits for a person to connect a wallet."""
_MOST_ACCOUNTS = 64


class BrowserWallet(SavedWidget):
    """Both halves of a network's money with keys in the page. Made by `browser_wallet`.

    `signer()` is a wallet for `net.stake`, `net.pay` and every other verb, `evm_wallet()` one of the EVM;
    both wait until a person has connected one in the page. `w3` and `async_w3` are web3 with that account.
    """

    setup = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)

    def __init__(self, net: "Net") -> None:
        """Show what the network is; nothing is asked of a wallet before a person connects one."""
        self._net, self._client = net, network_client(net)
        self._told = threading.Condition()
        self._accounts: list[Account] = []
        self._evm: EvmAccount | None = None
        self._own: EvmWallet | None = None
        self._shown = False
        self._sentence, self._note, self._asking = challenge(self._client.network.name), "", ""
        self.exchange = Exchange(self._say, self._now_asking)
        super().__init__("wallet", Picture(self._drawn, self._said), setup=setup_of(net))
        self._show()

    # -- keys in the page --------------------------------------------------------------------------

    def signer(self, address: str = "", *, within_s: float = CONNECT_WITHIN_S) -> PageSigner:
        """A wallet for every money verb, whose key is in the page; waits until one is connected.

        Args:
            address: which account, if the wallet has several; the first unless given.
            within_s: how long a person may take to connect.

        Raises:
            WalletSilent: none was connected in time.
        """
        found = self._waited(lambda: self._account(address), "an account of this address", within_s)
        return PageSigner(found, lambda: self.exchange, within_s=ANSWER_WITHIN_S)

    def evm_wallet(self, *, within_s: float = CONNECT_WITHIN_S) -> EvmWallet:
        """A wallet of the EVM for every money verb, whose key is in the page. Errors as `signer`.

        Where a person has chosen a disposable key instead, it is that one, in the kernel's memory.
        """
        return self._waited(self._evm_wallet, "an account of the EVM", within_s)

    def disposable_key(self) -> EvmWallet:
        """A new key of the EVM in this kernel's memory, where no wallet reaches the node; empty at first.

        Raises:
            DevnetOnly: the network's money is real.
        """
        if not self._client.development:
            raise DevnetOnly(f"A key in the kernel's memory is for play money; {self._net.name} has none.")
        with self._told:
            self._own, self._evm = disposable(), None
            self._note = "A disposable key; net.fund_evm(amount_tao=…, to=page.evm_wallet()) fills it."
            self._told.notify_all()
        self._show()
        return self._own

    @property
    def w3(self) -> "Web3":
        """web3.py with the account in the page; it bypasses the budget, as `net.w3` does."""
        from web3 import Web3  # noqa: PLC0415

        from subnetlab_widgets.wallet.provider import PageProvider  # noqa: PLC0415

        return Web3(PageProvider(self._client.evm.url, address=self._address, ask=self._eip1193))

    @property
    def async_w3(self) -> "AsyncWeb3[Any]":
        """As `w3`, for cells that `await`."""
        from web3 import AsyncWeb3  # noqa: PLC0415

        from subnetlab_widgets.wallet.provider import AsyncPageProvider  # noqa: PLC0415

        return AsyncWeb3(AsyncPageProvider(self._client.evm.url, address=self._address, ask=self._eip1193))

    def serves(self, net: "Net") -> bool:
        """Whether this is the wallet of a network, and still open."""
        return self._net is net and self.comm is not None and not net.closed

    def close(self) -> None:
        """Take the wallet off the page; a disposable key is forgotten."""
        self._own = None
        super().close()

    # -- waiting -----------------------------------------------------------------------------------

    def _waited(self, look: "Callable[[], Any]", what: str, within_s: float) -> Any:
        if look() is None and not self._shown:
            self._ipython_display_()
        with self._told:
            if not self._told.wait_for(lambda: look() is not None, within_s):
                raise WalletSilent(
                    f"No page has connected {what}.", hint="Open the widget's tab and choose a wallet there."
                )
            return look()

    def _account(self, address: str) -> Account | None:
        fits = (a for a in self._accounts if address in ("", a.address, a.shown))
        return next(fits, None)

    def _evm_wallet(self) -> EvmWallet | None:
        if self._own is not None or self._evm is None:
            return self._own
        return page_wallet(self._evm, self.exchange, self.setup["evm"])

    def _address(self) -> str:
        return self.evm_wallet().address

    def _eip1193(
        self, method: str, params: list[Any], begun: Callable[[Callable[[], None]], None] | None = None
    ) -> Any:
        self.evm_wallet()
        account = self._evm
        if account is None:
            raise WalletSilent("A disposable key is no wallet in the page.", hint="Sign with its .signer().")
        told = {"rdns": account.rdns, "address": account.address, "chain": self.setup["evm"], "says": {}}
        sends = method == "eth_sendTransaction"
        asked = {**told, "method": method, "params": params}
        return self.exchange.ask("evm.request", asked, sends=sends, begun=begun)

    # -- what pages say ----------------------------------------------------------------------------

    def _receive(self, _widget: Any, content: Any, _buffers: Any) -> None:
        super()._receive(_widget, content, _buffers)
        if not isinstance(content, dict):
            return
        kind = content.get("k")
        if kind == "accounts":
            self._take_accounts(content.get("accounts"))
        elif kind == "evm":
            self._take_evm(content)
        elif kind == "disposable" and self._client.development and self._own is None:
            self.disposable_key()
        else:
            self.exchange.hear(content)

    def _take_accounts(self, told: Any) -> None:
        found = [account_of(entry) for entry in told[:_MOST_ACCOUNTS]] if isinstance(told, list) else []
        usable = [account for account in found if account is not None]
        with self._told:
            self._accounts = usable or self._accounts
            self._note = "" if usable else "That wallet has no sr25519 or ed25519 account for this page."
            self._told.notify_all()
        self._show()

    def _take_evm(self, told: dict[str, Any]) -> None:
        try:
            account, note = proven(told, self._sentence), ""
        except SubnetLabError as error:
            account, note = None, str(error)
        with self._told:
            self._sentence = challenge(self._client.network.name)  # a signature proves a key once
            self._note = note
            if account is not None:
                self._evm, self._own = account, None
            self._told.notify_all()
        self._show()

    # -- what pages show ---------------------------------------------------------------------------

    def _say(self, content: dict[str, Any]) -> None:
        if self.comm is not None:
            self.send(content)

    def _now_asking(self, method: str) -> None:
        self._asking = method
        self._show()

    def _beat(self) -> None:
        super()._beat()
        self._show()

    def _show(self) -> None:
        own, evm = self._own is not None, self._own or self._evm
        address = evm.address if evm else ""
        now: dict[str, Any] = {
            "accounts": [asdict(account) for account in self._accounts],
            "evm": {"address": address, "name": evm.name if evm else "", "own": own},
            "qr": {shown: qr_path(shown) for shown in self._addresses(address)},
            "sentence": self._sentence, "note": self._note, "asking": self._asking,
            "spent": spent_rows(self._client.ledger),
        }  # fmt: skip
        if now != self.state:
            self.state = now
            self._pictures.update()

    def _addresses(self, evm: str) -> list[str]:
        return [account.address for account in self._accounts[:1]] + ([evm] if evm else [])

    def _drawn(self) -> str:
        return plain_html(dict(self.setup), dict(self.state))

    def _said(self) -> str:
        return words(dict(self.setup), dict(self.state))

    def _ipython_display_(self) -> None:
        self._shown = True
        super()._ipython_display_()


def setup_of(net: "Net") -> dict[str, Any]:
    """What a page compares a wallet's chain with: genesis, and for the EVM id, first block and address."""
    client = network_client(net)
    evm: dict[str, Any] = {}
    try:
        w3 = client.w3
        first = w3.eth.get_block(0)["hash"]
        evm = {"id": int(w3.eth.chain_id), "first": f"0x{bytes(first).hex()}", "url": client.evm.url}
    except SubnetLabError:  # such as a node without an EVM; the other half works
        evm = {}
    return {
        "network": plain(client.network.name, NAME), "real": not client.development,
        "genesis": client.genesis, "unit": "play τ" if client.development else "TAO", "evm": evm,
    }  # fmt: skip
