"""The key of the EVM that a wallet in the page holds, as an `EvmWallet` that every money verb takes.

A wallet of this kind shows an address and nothing proves it before it signs, so it signs a sentence first,
which moves no money; what it is asked to send is compared with what it has sent afterwards
(`network/evm/transactions.py`). It signs and sends in one step, through its own connection to the chain.
"""

import secrets
from dataclasses import dataclass
from typing import Any, NoReturn

from subnetlab.errors import WalletError, WalletLied
from subnetlab.network.evm.addresses import evm_address
from subnetlab.network.evm.wallet import EvmWallet
from subnetlab.text import NAME, plain
from subnetlab_widgets.wallet.exchange import Exchange
from subnetlab_widgets.wallet.signer import says

_HASH_DIGITS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class EvmAccount:
    """An account of a wallet in the page whose key has signed the widget's sentence."""

    address: str
    name: str
    rdns: str
    """Which wallet it is, the same after a reload (EIP-6963)."""


def challenge(network: str) -> str:
    """A sentence that proves a key once."""
    return (
        f"SubnetLab notebook, network {plain(network, NAME)}: this shows which address is mine. "
        f"It moves no money. {secrets.token_hex(16)}"
    )


def proven(told: dict[str, Any], sentence: str) -> EvmAccount:
    """The account that a page says it has connected.

    Raises:
        WalletLied: its signature of the sentence is missing or of another address.
        WalletError: it is no address.
    """
    from eth_account import Account  # noqa: PLC0415  (only where a wallet is connected)
    from eth_account.messages import encode_defunct  # noqa: PLC0415
    from eth_keys.exceptions import BadSignature  # noqa: PLC0415
    from eth_utils.exceptions import ValidationError  # noqa: PLC0415

    address = evm_address(str(told.get("address")))
    name = plain(str(told.get("name") or "wallet"), NAME)
    try:
        signed = Account.recover_message(encode_defunct(text=sentence), signature=str(told.get("signature")))
    except (ValueError, TypeError, LookupError, BadSignature, ValidationError):
        signed = ""
    if signed != address:
        raise WalletLied(f"{name} shows {address}, and its signature is not of that address.")
    return EvmAccount(address=address, name=name, rdns=plain(str(told.get("rdns") or ""), NAME))


def page_wallet(account: EvmAccount, exchange: Exchange, chain: dict[str, Any]) -> EvmWallet:
    """The account as a wallet that sends through the page.

    Args:
        account: whose key is in the page.
        exchange: asks the page.
        chain: what the page compares before it asks: id, first block, and where the node answers.
    """

    def send(fields: dict[str, Any]) -> bytes:
        params = {name: _quantity(value) for name, value in fields.items()}
        answer = exchange.ask(
            "evm.request",
            {
                "rdns": account.rdns, "address": account.address, "chain": chain, "says": says(),
                "method": "eth_sendTransaction", "params": [params],
            },
            sends=True,
        )  # fmt: skip
        digits = str(answer).removeprefix("0x")
        try:
            sent = bytes.fromhex(digits)
        except ValueError:
            sent = b""
        if 2 * len(sent) != _HASH_DIGITS:
            raise WalletLied(f"{account.name} said that it sent it, and gave no hash of a transaction.")
        return sent

    def no_key() -> NoReturn:
        raise WalletError(
            f"The key of {account.address} is in {account.name}, in the page; it signs only what it sends.",
            hint="Use page.w3 for contracts, or give the wallet to net.pay(…, wallet=…).",
        )

    return EvmWallet(name=account.name, address=account.address, development=False, _open=no_key, _sends=send)


def disposable() -> EvmWallet:
    """A new key of the EVM in the memory of this kernel, for play money where no wallet reaches the node."""
    from eth_account import Account  # noqa: PLC0415  (only where one is wanted)

    account = Account.from_key(secrets.token_bytes(32))
    return EvmWallet(name="disposable key", address=account.address, development=True, _open=lambda: account)


def _quantity(value: Any) -> Any:
    return hex(value) if isinstance(value, int) else value
