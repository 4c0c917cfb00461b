"""A page with wallets in it, for tests without a browser: it claims, signs with real keys, and answers."""

import threading
from collections.abc import Callable
from typing import Any

from bittensor_core import Keypair
from eth_account import Account
from eth_account.messages import encode_defunct
from web3 import HTTPProvider, Web3
from web3.exceptions import Web3Exception

from subnetlab_widgets.wallet import BrowserWallet

RAW = Callable[[bytes], bytes]


class WalletPage:
    """One page of one widget.

    Args:
        wallet: whose page it is.
        coldkey: the key of its extension.
        evm: the private key of its wallet of the EVM.
    """

    def __init__(
        self, wallet: BrowserWallet, *, coldkey: Keypair, evm: bytes = b"", name: str = "page"
    ) -> None:
        self.wallet, self.coldkey, self.name = wallet, coldkey, name
        self.evm = Account.from_key(evm) if evm else None
        self.heard: list[dict[str, Any]] = []
        self.sent: list[dict[str, Any]] = []
        self.signs_with = coldkey
        self.refuses = self.alters = False
        wallet.send = self.hear  # pyright: ignore[reportAttributeAccessIssue]

    def say(self, content: Any) -> None:
        """What a page sends, as the widget receives it."""
        self.sent.append(content)
        self.wallet._handle_custom_msg(content, [])  # pyright: ignore[reportPrivateUsage]

    def connect(self, **changes: Any) -> None:
        """Show the extension's account."""
        account = {"address": self.coldkey.ss58_address, "name": "mine", "source": "test", "type": "sr25519"}
        self.say({"k": "accounts", "page": self.name, "accounts": [account | changes]})

    def connect_evm(self, address: str = "") -> None:
        """Show the account of the EVM, with its signature of the widget's sentence."""
        assert self.evm is not None
        signed = self.evm.sign_message(encode_defunct(text=self.wallet.state["sentence"]))
        self.say({
            "k": "evm", "page": self.name, "address": address or self.evm.address, "rdns": "test.wallet",
            "name": "Test", "signature": f"0x{bytes(signed.signature).hex()}",
        })  # fmt: skip

    def hear(self, content: dict[str, Any], _buffers: Any = None) -> None:
        """What the widget says to every page."""
        self.heard.append(content)
        if content["k"] == "ask":
            threading.Thread(target=self._take, args=(content,), daemon=True).start()

    def _take(self, asked: dict[str, Any]) -> None:
        told = {"id": asked["id"], "page": self.name}
        self.say({"k": "claim", **told})
        if self.refuses:
            self.say({"k": "answer", **told, "error": {"code": 4001, "message": "Cancelled"}})
        else:
            try:
                answer = {"result": self._done(asked["method"], asked["params"])}
            except (ValueError, TypeError, AssertionError, Web3Exception) as error:
                answer = {"error": {"code": -32000, "message": f"{type(error).__name__}: {error}"}}
            self.say({"k": "answer", **told, **answer})

    def _done(self, method: str, params: dict[str, Any]) -> Any:
        if method == "extrinsic.sign":
            return {"signature": f"0x01{self.signs_with.sign(self.payload(params['payload'])).hex()}"}
        if method == "bytes.sign":
            data = b"<Bytes>" + bytes.fromhex(params["data"][2:]) + b"</Bytes>"
            return {"signature": f"0x{self.signs_with.sign(data).hex()}"}
        assert self.evm is not None
        w3 = Web3(HTTPProvider(params["chain"]["url"]))
        fields = {name: value for name, value in params["params"][0].items() if name != "from"}
        fields["chainId"] = hex(w3.eth.chain_id)
        if self.alters:
            fields["value"] = hex(int(fields["value"], 16) + 10**9)
        signed = self.evm.sign_transaction(fields)
        return f"0x{w3.eth.send_raw_transaction(signed.raw_transaction).hex()}"

    @staticmethod
    def payload(told: dict[str, Any]) -> bytes:
        """The bytes that an extension signs for a `SignerPayloadJSON`; ours is never longer than 256."""

        def compact(number: int) -> bytes:
            if number < 64:
                return bytes([number << 2])
            if number < 2**14:
                return (number << 2 | 1).to_bytes(2, "little")
            return (number << 2 | 2).to_bytes(4, "little")

        def word(name: str) -> bytes:
            return int(told[name], 16).to_bytes(4, "little")

        def raw(name: str) -> bytes:
            return bytes.fromhex(told[name][2:])

        extra = raw("era") + compact(int(told["nonce"], 16)) + compact(int(told["tip"], 16)) + b"\x00"
        implicit = word("specVersion") + word("transactionVersion") + raw("genesisHash") + raw("blockHash")
        return raw("method") + extra + implicit + b"\x00"
