"""Test wallets in a page: what an extension injects, with the keys outside of it, as an extension keeps them.

The page's half is script; the keys and their use are in this process, which plays the extension's background.
The kernel is another process and sees addresses and signatures only.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bittensor_core import Keypair
from eth_account import Account
from eth_account.messages import encode_defunct
from playwright.sync_api import Page
from web3 import HTTPProvider, Web3

from tests.widgets.wallet_page import WalletPage

CHAIN_ID = "0x2a"
"""Of a development chain; a wallet signs for the chain it is on."""
SCRIPT = """
(() => {
  const ask = (method, params) => window.testWallet({ method, params }).then((told) => {
    if (told.error) throw Object.assign(new Error(told.error.message), { code: told.error.code });
    return told.result;
  });
  window.injectedWeb3 = { "test-extension": { version: "1", enable: async () => ({
    accounts: { get: async () => ask("accounts") },
    signer: {
      signPayload: (payload) => ask("signPayload", payload).then((signature) => ({ id: 1, signature })),
      signRaw: (raw) => ask("signRaw", raw).then((signature) => ({ id: 1, signature })),
    },
  }) } };
  const info = { uuid: crypto.randomUUID?.() ?? "u", name: "Test EVM", rdns: "test.evm", icon: "data:," };
  const provider = { request: ({ method, params }) => ask(method, params) };
  const announce = () => window.dispatchEvent(
    new CustomEvent("eip6963:announceProvider", { detail: Object.freeze({ info, provider }) }));
  window.addEventListener("eip6963:requestProvider", announce);
  announce();
})();
"""


@dataclass
class Extension:
    """The background of both test wallets: two keys made for one test, and what was asked of them."""

    seed: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    evm_key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    node: str = ""
    """Where the wallet of the EVM finds its chain; empty while it reaches none."""
    refuses: bool = False
    asked: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.coldkey = Keypair.create_from_seed(self.seed)
        self.account = Account.from_key(self.evm_key)

    def secrets(self) -> list[bytes]:
        """Everything that must not be found outside, raw and in hex, in either case."""
        return [
            found
            for key in (self.seed, self.evm_key)
            for found in (key, key.hex().encode(), key.hex().upper().encode())
        ]

    def inject(self, page: Page) -> None:
        """Put both wallets into a page, before any script of it runs."""
        page.expose_function("testWallet", self.answer)
        page.add_init_script(SCRIPT)

    def answer(self, told: dict[str, Any]) -> dict[str, Any]:
        """What the wallet says to a page."""
        method, params = told["method"], told.get("params")
        self.asked.append(method)
        if self.refuses and method in ("signPayload", "eth_sendTransaction"):
            return {"error": {"code": 4001, "message": "Cancelled"}}
        if method.startswith("eth_getBlock") and not self.node:
            return {"error": {"code": -32603, "message": "fetch failed"}}
        return {"result": self._done(method, params)}

    def _done(self, method: str, params: Any) -> Any:
        account = self.account
        known: dict[str, Callable[[], Any]] = {
            "accounts": lambda: [{"address": self.coldkey.ss58_address, "name": "Mine", "type": "sr25519"}],
            "signPayload": lambda: f"0x01{self.coldkey.sign(WalletPage.payload(params)).hex()}",
            "eth_requestAccounts": lambda: [account.address],
            "eth_accounts": lambda: [account.address],
            "eth_chainId": lambda: CHAIN_ID,
            "personal_sign": lambda: _hex(account.sign_message(encode_defunct(hexstr=params[0])).signature),
            "eth_sendTransaction": lambda: self._sent(params[0]),
        }
        if method in known:
            return known[method]()
        provider: Any = Web3(HTTPProvider(self.node)).provider
        return provider.make_request(method, params).get("result")

    def _sent(self, told: dict[str, Any]) -> str:
        fields = {name: value for name, value in told.items() if name != "from"} | {"chainId": CHAIN_ID}
        signed = self.account.sign_transaction(fields)
        return _hex(Web3(HTTPProvider(self.node)).eth.send_raw_transaction(signed.raw_transaction))


def _hex(raw: bytes) -> str:
    return f"0x{bytes(raw).hex()}"
