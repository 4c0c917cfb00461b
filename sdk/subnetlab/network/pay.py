"""Where a payment may go: an ss58 address, checked before anything else happens.

A `0x…` address belongs to the EVM face of the chain, which has not landed yet; what looks like a secret is
refused without being repeated.
"""

import re

from bittensor_core import ss58_decode

from subnetlab.errors import NotYetSupported, WalletError
from subnetlab.network.secrets import refuse_secret
from subnetlab.network.wallets import DEV_NAMES, Wallet, address, dev_wallet

_EVM_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


def destination(to: str | Wallet, *, development: bool) -> str:
    """The ss58 address a payment goes to.

    Args:
        to: an ss58 address, a wallet, or on a development chain the name of a development wallet.
        development: whether the chain is a development chain.

    Raises:
        NotYetSupported: a `0x…` address of the EVM.
        SecretRefused: it looks like a mnemonic, a seed or a private key.
        WalletError: it is no address at all.
    """
    if not isinstance(to, str):
        return address(to)
    refuse_secret(to, "an address")
    text = to.strip()
    if _EVM_ADDRESS.fullmatch(text):
        raise NotYetSupported(
            f"{text} is an address of the EVM, and the EVM face has not landed yet.",
            hint="Pay to an ss58 address (5…) instead.",
        )
    if development and text.lower() in DEV_NAMES:
        return address(dev_wallet(text))
    try:
        ss58_decode(text)
    except ValueError as error:
        raise WalletError(
            f"{to!r} is not an address: {error}.",
            hint="An ss58 address begins with 5 and has 48 letters and digits; copy it whole.",
        ) from None
    return text
