"""Wallets by name: development keys on development chains, the SDK's own wallets everywhere.

The SDK accepts any object that carries keypairs (`bittensor.KeyedWallet`), so a development wallet is one and
needs no file. Its keys derive from names everybody knows: worthless elsewhere, and refused there.
"""

import re
from dataclasses import dataclass
from typing import Any, TypeAlias

import bittensor
from bittensor_core import Keypair

from subnetlab.errors import UnknownWallet, WalletError
from subnetlab.network.secrets import refuse_secret
from subnetlab.network.wallet_files import check_files
from subnetlab.text import capitalised, kind_of

_ADDRESS = re.compile(r"[1-9A-HJ-NP-Za-km-z]{44,50}|0x[0-9a-fA-F]+")
DEV_NAMES = ("alice", "bob", "charlie", "dave", "eve", "ferdie")
"""The accounts every development chain funds at genesis; alice is its sudo key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DevWallet:
    """A development wallet: keypairs in memory, shaped like `bittensor.Wallet`."""

    name: str
    coldkey: Keypair
    hotkey: Keypair

    @property
    def coldkeypub(self) -> Keypair:
        """The coldkey; only its address and public key are looked at."""
        return self.coldkey

    @property
    def hotkeypub(self) -> Keypair:
        """The hotkey; only its address and public key are looked at."""
        return self.hotkey

    def __repr__(self) -> str:
        return f"DevWallet({self.name!r}, {self.coldkey.ss58_address})"


Wallet: TypeAlias = DevWallet | bittensor.Wallet | bittensor.KeyedWallet | bittensor.Signer
"""What a wallet may be once it is open; a `Signer` is a key that lives elsewhere, such as in a browser."""

_PERSON_BLOCKS = 2048

# The order matters: asking a wallet on disk whether it has a coldkey would ask a person for the password.
_WALLET_TYPES = (DevWallet, bittensor.Wallet, bittensor.Signer, bittensor.KeyedWallet)


def dev_keypair(uri: str) -> Keypair:
    """The keypair of a development URI such as `//Alice` or `//SubnetLab//run//miner-3`.

    Raises:
        UnknownWallet: not a development URI.
        SecretRefused: the path begins with a mnemonic.
    """
    refuse_secret(uri, "a development URI")
    if not uri.startswith("//") or not uri.strip("/"):
        raise UnknownWallet(f"{uri!r} is not a development URI.", hint="Use one such as //Alice.")
    return Keypair.create_from_uri(uri)


def dev_wallet(name: str) -> DevWallet:
    """A development wallet by name, `alice` or `alice/miner-1` for another of its hotkeys.

    Its coldkey is `//Alice`, its hotkey `//Alice//hotkey` (or `//Alice//miner-1`).

    Raises:
        UnknownWallet: none of the six development names.
    """
    refuse_secret(name, "a wallet's name")
    owner, _, hotkey = name.partition("/")
    if owner.lower() not in DEV_NAMES or "/" in hotkey:
        raise UnknownWallet(f"There is no development wallet called {name!r}.")
    uri = f"//{owner.capitalize()}"
    return DevWallet(
        name=name.lower() if not hotkey else f"{owner.lower()}/{hotkey}",
        coldkey=dev_keypair(uri),
        hotkey=dev_keypair(f"{uri}//{hotkey or 'hotkey'}"),
    )


def peer_uri(place: str, role: str, index: int) -> str:
    """The development URI of a peer's hotkey: place, role and index derive it again."""
    return f"//SubnetLab//{place}//{role}-{index}"


def open_wallet(wallet: str | Wallet, *, development: bool) -> Wallet:
    """Open a wallet by name, or check that one may be used here.

    Args:
        wallet: a name (`alice`, or `cold/hot` among the SDK's wallet files), or any wallet object of the SDK.
        development: whether the chain is a development chain, where money is play money.

    Raises:
        UnknownWallet: no wallet has this name.
        SecretRefused: the name looks like a mnemonic, a seed or a private key.
        WalletError: a development key on a chain that is not a development chain, or a broken wallet.
    """
    if not isinstance(wallet, str):
        if not isinstance(wallet, _WALLET_TYPES):  # pyright: ignore[reportUnnecessaryIsInstance] - notebooks are untyped
            raise UnknownWallet(
                f"{capitalised(kind_of(wallet))} is not a wallet.", hint='Use net.wallet("alice").'
            )
        if isinstance(wallet, DevWallet) and not development:
            raise WalletError(
                f"{wallet.name} is a development key that everybody holds.",
                hint="Use a wallet of your own on this network.",
            )
        if isinstance(wallet, bittensor.Wallet):
            check_files(wallet)
        return wallet
    refuse_secret(wallet, "a wallet's name")
    if development and wallet.partition("/")[0].lower() in DEV_NAMES:
        return dev_wallet(wallet)
    return _from_disk(wallet)


def lifetime(wallet: Wallet, intent: bittensor.Intent, *, development: bool) -> dict[str, Any]:
    """How long what a person signs elsewhere stays valid, as an option of the SDK's `execute`, in blocks.

    A person takes minutes. A development chain makes four blocks a second, so the SDK's 128 blocks would be
    over before; on other chains they are 25 minutes. The MEV shield has a lifetime of its own.
    """
    asks = getattr(wallet, "uses_extension_signing", False) and not intent.mev_shield_required
    return {"period": _PERSON_BLOCKS} if asks and development else {}


def _from_disk(name: str) -> bittensor.Wallet:
    try:
        found = bittensor.Wallet(name)
    except ValueError:
        raise UnknownWallet(f"{name!r} is no wallet's name, which is NAME or NAME/HOTKEY.") from None
    halves = (found.coldkey_file, found.coldkeypub_file)
    if not name.strip() or ".." in name or not any(half.exists_on_device() for half in halves):
        raise UnknownWallet(f"There is no wallet called {name!r}.")
    check_files(found)
    return found


def is_address(account: object) -> bool:
    """Whether this is written like an address, of ss58 or `0x…`, and not like a wallet's name."""
    return isinstance(account, str) and _ADDRESS.fullmatch(account.strip()) is not None


def address(account: Any) -> str:
    """The ss58 address of an account: a string as it is, a wallet's coldkey, or a keypair's own.

    Raises:
        WalletError: it is no account.
    """
    if isinstance(account, str):
        return account
    found = getattr(account, "ss58_address", None)
    if found is None and isinstance(account, _WALLET_TYPES):
        found = bittensor.public_view(account).ss58_address
    if found is None:
        raise WalletError(
            f"{capitalised(kind_of(account))} is neither an address nor a wallet.",
            hint='Give an ss58 address (5…), or a wallet such as net.wallet("alice").',
        )
    return str(found)
