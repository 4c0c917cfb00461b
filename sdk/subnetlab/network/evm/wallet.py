"""Keys of the EVM by name: well-known ones on development chains, encrypted keystores everywhere.

The six development names have the first six keys that Foundry and Hardhat derive from their public
mnemonic, so guides and wallets of that world fit. Everywhere else a key lies in a keystore (version 3) that
the SDK keeps beside the wallet's hotkeys; its address is read without a password, and the keyring opens it
when it is about to sign. No key is ever part of a name, a `repr` or an error.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, NoReturn

from bittensor.evm import get_evm_key_info, h160_to_ss58, list_evm_keys, unlock_evm_key
from eth_utils.address import to_checksum_address

from subnetlab.errors import PasswordWrong, UnknownWallet, WalletError
from subnetlab.network.keyring import KEYRING, LockedKey
from subnetlab.network.secrets import refuse_secret
from subnetlab.network.stages import sending
from subnetlab.network.wallets import DEV_NAMES
from subnetlab.text import NAME, capitalised, kind_of, plain

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount
    from web3 import Web3

_DEV_MNEMONIC: Final = "test test test test test test test test test test test junk"
_DEV_PATH: Final = "m/44'/60'/0'/0/{index}"
_PASSWORD: Final = "BT_WALLET_PASSWORD"  # noqa: S105  (the name of a variable)
_DEFAULT_KEY: Final = "default"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EvmWallet:
    """A key of the EVM: its address for everybody to see, and its signature on demand."""

    name: str
    address: str
    """With its checksum."""
    development: bool
    """Whether everybody holds this key."""
    _open: "Callable[[], LocalAccount]" = field(repr=False)
    _sends: "Callable[[dict[str, Any]], bytes] | None" = field(default=None, repr=False)
    """Has a transaction signed and sent where the key is, and returns its hash; None if the key is here."""

    @property
    def mirror(self) -> str:
        """The ss58 account that holds what the address has."""
        return h160_to_ss58(self.address)

    def signer(self) -> "LocalAccount":
        """The account that web3.py signs with; it holds the key, so keep it out of outputs.

        Raises:
            KeyLocked: no password opened the keystore.
            WalletError: the key in it is of another address.
        """
        account = self._open()
        if account.address != self.address:
            raise WalletError(
                f"The keystore of {self.name} says {self.address}, and its key is of {account.address}.",
                hint="Put the keystore back from your backup; do not pay to the address it says.",
            )
        return account

    @property
    def elsewhere(self) -> bool:
        """Whether the key is not in this process, so that its holder signs and sends."""
        return self._sends is not None

    def submit(self, w3: "Web3", fields: dict[str, Any]) -> bytes:
        """Sign a transaction and send it; its hash.

        Raises:
            WalletError: no key was opened, or the holder of the key said no; nothing was sent.
            NodeUnreachable: whether the holder of the key sent it is not known.
        """
        if self._sends is not None:
            sent = self._sends({**fields, "from": self.address})
            sending(f"0x{sent.hex()}")
            return sent
        signed = self.signer().sign_transaction(fields)
        sending(f"0x{bytes(signed.hash).hex()}")
        return bytes(w3.eth.send_raw_transaction(signed.raw_transaction))

    def __repr__(self) -> str:
        return f"EvmWallet({self.name!r}, {self.address})"

    def __reduce__(self) -> NoReturn:
        raise WalletError(
            "A wallet is not written to a file: it may hold an open key.",
            hint="Keep its name: net.evm_wallet(name) opens it again.",
        )


def evm_wallet(name: "str | EvmWallet", *, development: bool) -> EvmWallet:
    """A key of the EVM by name.

    Args:
        name: `alice` and five more on a development chain; `wallet/key`, or `wallet` for its key `default`,
            among the keystores on disk.
        development: whether the chain is a development chain, where money is play money.

    Raises:
        UnknownWallet: there is none of this name.
        SecretRefused: the name looks like a mnemonic or a private key.
        WalletError: a development key on a chain that is none.
    """
    if isinstance(name, EvmWallet):
        if name.development and not development:
            raise WalletError(
                f"{name.name} is a development key that everybody holds.",
                hint="Use an EVM key of your own on this network.",
            )
        return name
    if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance] - notebooks are untyped
        raise UnknownWallet(
            f"{capitalised(kind_of(name))} is not an EVM wallet.", hint='Use net.evm_wallet("alice").'
        )
    refuse_secret(name, "the name of an EVM wallet")
    if development and name.lower() in DEV_NAMES:
        return _dev(name.lower())
    return _keystore(name)


def evm_wallets_of(wallet: str, *, development: bool) -> tuple[EvmWallet, ...]:
    """Every EVM key that belongs to a wallet of this name: the development key, or its keystores."""
    if development and wallet.lower() in DEV_NAMES:
        return (_dev(wallet.lower()),)
    if not wallet or "/" in wallet or ".." in wallet:
        return ()
    return tuple(_keystore(f"{wallet}/{info.name}") for info in list_evm_keys(wallet))


def seat_wallet(uri: str) -> EvmWallet:
    """The key of the EVM that belongs to a seat or another part of a run on a development chain.

    Args:
        uri: what it derives from, such as the development URI of the seat's hotkey.
    """
    from eth_account import Account  # noqa: PLC0415  (only where a key is wanted)

    account: LocalAccount = Account.from_key(blake2b(f"evm:{uri}".encode(), digest_size=32).digest())
    return EvmWallet(name=uri, address=account.address, development=True, _open=lambda: account)


def _dev(name: str) -> EvmWallet:
    from eth_account import Account  # noqa: PLC0415  (only where a key is wanted)
    from eth_account.hdaccount import key_from_seed, seed_from_mnemonic  # noqa: PLC0415

    path = _DEV_PATH.format(index=DEV_NAMES.index(name))
    account: LocalAccount = Account.from_key(key_from_seed(seed_from_mnemonic(_DEV_MNEMONIC, ""), path))
    return EvmWallet(name=name, address=account.address, development=True, _open=lambda: account)


def _keystore(name: str) -> EvmWallet:
    wallet, _, key = name.partition("/")
    key = key or _DEFAULT_KEY
    if not wallet or ".." in name or "/" in key:
        raise _unknown(name)
    try:
        info = get_evm_key_info(key, wallet)
    except ValueError:
        raise _unknown(name) from None
    return EvmWallet(
        name=f"{wallet}/{key}",
        address=to_checksum_address(info.address),
        development=False,
        _open=lambda: _unlocked(wallet, key, info.address),
    )


def _unlocked(wallet: str, key: str, address: str) -> "LocalAccount":
    def unlock(password: str) -> "LocalAccount":
        try:
            return unlock_evm_key(key, wallet, password=password)
        except (ValueError, OSError) as error:
            if "MAC mismatch" in str(error):
                raise PasswordWrong(f"That password does not open {wallet}/{key}.") from None
            raise WalletError(
                f"The keystore of {wallet}/{key} cannot be read.", hint="Put it back from your backup."
            ) from None

    return KEYRING.open(
        LockedKey(
            name=f"the EVM key {plain(f'{wallet}/{key}', NAME)}", place=f"{wallet}/{key} {address}",
            unlock=unlock, variable=_PASSWORD, given=lambda: os.environ.get(_PASSWORD),
        )
    )  # fmt: skip


def _unknown(name: str) -> UnknownWallet:
    return UnknownWallet(
        f"There is no EVM wallet called {name!r}.",
        hint="On a devnet use alice, bob, charlie, dave, eve or ferdie; elsewhere create one with "
        "`btcli evm key new`.",
    )
