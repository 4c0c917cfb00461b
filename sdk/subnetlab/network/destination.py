"""Where a payment may go: an address of Bittensor or of its EVM, checked before anything else happens.

An ss58 address names its network by a number in front of the key; one of another network is refused, because
its owner expects other money there. What a `0x…` address of the EVM has lies on its mirror, an ss58 account;
hotkeys have none. What looks like a secret is refused without being repeated.
"""

import dataclasses
from typing import Any, Final

from bittensor_core import ss58_decode, ss58_encode

from subnetlab.errors import InvalidAmount, UnknownWallet, WalletError
from subnetlab.network.evm.addresses import evm_address, looks_like_evm, mirror
from subnetlab.network.evm.wallet import EvmWallet
from subnetlab.network.secrets import refuse_secret
from subnetlab.network.wallets import DEV_NAMES, Wallet, address, dev_wallet
from subnetlab.units import format_tao

_SHORTEST: Final = 40
"""Letters of an address, at least."""
SS58_PREFIX: Final = 42
"""The number in front of every address of Bittensor."""
_OTHER_NETWORKS = {0: "Polkadot", 2: "Kusama"}
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def destination(to: str | Wallet | EvmWallet, *, development: bool) -> str:
    """The ss58 address a payment goes to; of an address of the EVM its mirror.

    Args:
        to: an ss58 or `0x…` address, a wallet of either half, or on a development chain the name of a
            development wallet.
        development: whether the chain is a development chain.

    Raises:
        SecretRefused: it looks like a mnemonic, a seed or a private key.
        WalletError: it is no address at all, or one of another network.
    """
    if isinstance(to, EvmWallet):
        return to.mirror
    if not isinstance(to, str):
        return _of_bittensor(address(to))
    refuse_secret(to, "an address")
    text = to.strip()
    if looks_like_evm(text):
        return mirror(text)
    if development and text.lower() in DEV_NAMES:
        return address(dev_wallet(text))
    if development and text.isalpha() and len(text) < _SHORTEST:
        raise UnknownWallet(
            f"There is no wallet called {text!r}, and it is not an address.",
            hint=f"On a devnet the names are {', '.join(DEV_NAMES)}; an ss58 address begins with 5.",
        )
    return _of_bittensor(text)


def ss58_account(account: str | Wallet) -> str:
    """The ss58 address of an account that the EVM has none of, such as a hotkey.

    Raises:
        SecretRefused: it looks like a secret.
        WalletError: it is no address, one of another network, or one of the EVM.
    """
    if isinstance(account, str) and looks_like_evm(account):
        refuse_secret(account, "an address")
        raise WalletError(
            f"{account.strip()[:42]} is an address of the EVM, where an ss58 address is asked for.",
            hint="An ss58 address begins with 5; net.pay(…) takes both.",
        )
    return destination(account, development=False)


def check_addresses(intent: Any) -> None:
    """Check every address that an intent of the SDK names.

    Raises:
        SecretRefused: one looks like a secret.
        WalletError: one is no address, or one of another network or half.
    """
    for field in dataclasses.fields(intent):
        value = getattr(intent, field.name)
        if field.name.endswith("_ss58") and isinstance(value, str):
            ss58_account(value)
        elif field.name == "evm_address" and isinstance(value, str):
            evm_address(value)


def check_opens(account: str, amount_rao: int, free_rao: int, deposit_rao: int) -> None:
    """Refuse a payment that is too small to open the account it goes to: it would cost its fee only.

    Raises:
        InvalidAmount: what the account holds and is sent is less than the deposit that keeps it.
    """
    if free_rao + amount_rao < deposit_rao:
        raise InvalidAmount(
            f"{format_tao(amount_rao)} is too little to open the account {account}.",
            hint=f"An account holds {format_tao(deposit_rao)} or more.",
        )


def _of_bittensor(text: str) -> str:
    """An address as it was given.

    Raises:
        WalletError: it is no address, or its number is another network's.
    """
    try:
        key = ss58_decode(text)
    except ValueError as error:
        if "Unknown SS58" in str(error):  # whole, but of a network that the SDK's list does not know
            raise _foreign(text, 32) from None
        raise WalletError(
            f"{text!r} is not an address: {str(error).rstrip('.')}.",
            hint="An ss58 address begins with 5 and has 48 letters and digits; copy it whole.",
        ) from None
    if ss58_encode(key, SS58_PREFIX) == text:
        return text
    raise _foreign(text, len(key))


def _foreign(text: str, key_bytes: int) -> WalletError:
    prefix = _prefix(text, key_bytes)
    network = _OTHER_NETWORKS.get(prefix, "another network")
    return WalletError(
        f"{text} is an address of {network} (prefix {prefix}), not of Bittensor (prefix {SS58_PREFIX}).",
        hint="Ask its owner for an address of Bittensor, which begins with 5.",
    )


def _prefix(text: str, key_bytes: int) -> int:
    """The network's number in front of a valid ss58 address: one byte, or fourteen bits in two."""
    number = 0
    for letter in text:
        number = number * len(_BASE58) + _BASE58.index(letter)
    front = number >> 8 * (key_bytes + 2)
    if front < 64:
        return front
    high, low = front >> 8, front & 0xFF
    return (high & 0x3F) << 2 | low >> 6 | (low & 0x3F) << 8
