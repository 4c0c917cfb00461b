"""Addresses of the EVM (`0x…`, 20 bytes), checked before anything is sent to one, and their mirror accounts.

The chain keeps what an address of the EVM holds on its mirror, an ss58 account that follows from it and that
no key signs for. An address in two cases carries a checksum (EIP-55); one in a single case carries none, so a
mistyped letter in it goes unseen. Source: `HashedAddressMapping` of the chain, EIP-55.
"""

import re
from typing import Final

from bittensor.evm import h160_to_ss58
from eth_utils.address import to_checksum_address

from subnetlab.errors import WalletError
from subnetlab.network.secrets import refuse_secret

_DIGITS: Final = re.compile(r"(0[xX])?([0-9a-fA-F]+)")
_LENGTH: Final = 40
_PRECOMPILES: Final = (range(0x1, 0x14), range(0x400, 0x404), range(0x800, 0x814))
"""Programs of the chain itself: what is sent to one of these addresses belongs to no one."""


def looks_like_evm(text: str) -> bool:
    """Whether a text is meant as an address of the EVM, whole or not."""
    return re.fullmatch(r"0[xX][0-9a-zA-Z]*", text.strip()) is not None


def evm_address(text: str) -> str:
    """An address of the EVM with its checksum.

    Raises:
        SecretRefused: it looks like a private key.
        WalletError: it is not whole, its checksum is wrong, or no key can ever spend from it.

    Example:
        >>> evm_address("0x" + "ab" * 20)
        '0xabABaBaBABabABabAbAbABAbABabababaBaBABaB'
    """
    refuse_secret(text, "an address")
    written = text.strip()
    found = _DIGITS.fullmatch(written)
    if found is None:
        raise WalletError(
            f"{_shown(written)} is not an address of the EVM.", hint="It is 0x and 40 digits from 0 to f."
        )
    digits = found[2]
    if len(digits) != _LENGTH:
        raise WalletError(
            f"{_shown(written)} has {len(digits)} digits, and an address of the EVM has 40.",
            hint="Copy it whole.",
        )
    whole = to_checksum_address(f"0x{digits}")
    if digits not in (digits.lower(), digits.upper()) and whole != f"0x{digits}":
        raise WalletError(
            f"{written} has a wrong checksum: at least one letter or digit of it is wrong.",
            hint="Copy it again from where it came from; do not correct it by hand.",
        )
    number = int(digits, 16)
    if number == 0 or any(number in places for places in _PRECOMPILES):
        what = "no account" if number == 0 else "a precompile, a program of the chain itself"
        raise WalletError(
            f"{whole} is {what}: what is paid to it is lost.", hint="Check the address with its owner."
        )
    return whole


def _shown(written: str) -> str:
    """What was typed, in a refusal; never more than an address, because it may be a mangled key."""
    return repr(written) if len(written) <= _LENGTH + 2 else "That text"


def mirror(address: str) -> str:
    """The ss58 account that holds what an address of the EVM has.

    Raises:
        WalletError: it is no address of the EVM.
    """
    return h160_to_ss58(evm_address(address))
