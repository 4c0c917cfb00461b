"""The two halves of a key on disk, checked before anything depends on them.

The SDK keeps a public half beside each key, so that an address is known without a password. One that is
missing, damaged or of another key is refused with its file's name and a remedy: its address would be
believed, and the key would sign for another account. No password is asked for here but to sign.
"""

import bittensor
from bittensor.keyfiles import Keyfile
from bittensor_core import KeyfileError, Keypair

from subnetlab.errors import WalletError

_REMEDIES = {
    "coldkeypub": "`btcli wallet regen-coldkeypub` writes it again from the address.",
    "coldkey": "Put it back from your backup, or `btcli wallet regen-coldkey` makes it from the mnemonic.",
    "hotkeypub": "`btcli wallet regen-hotkeypub` writes it again from the address.",
    "hotkey": "Put it back from your backup, or `btcli wallet regen-hotkey` makes it from the mnemonic.",
}


def check_files(wallet: bittensor.Wallet) -> None:
    """Compare the halves of a wallet's coldkey and hotkey as far as they can be read without a password.

    Raises:
        WalletError: a half is missing, damaged, or another key's; the message names its file.
    """
    if wallet.coldkey_file.exists_on_device() or wallet.coldkeypub_file.exists_on_device():
        public = _read(wallet.coldkeypub_file, "coldkeypub")
        _compare(wallet.coldkey_file, "coldkey", public, wallet.coldkeypub_file)
    if wallet.hotkeypub_file.exists_on_device():
        public = _read(wallet.hotkeypub_file, "hotkeypub")
        _compare(wallet.hotkey_file, "hotkey", public, wallet.hotkeypub_file)
    elif wallet.hotkey_file.exists_on_device() and not wallet.hotkey_file.is_encrypted():
        _read(wallet.hotkey_file, "hotkey")


def check_signer(wallet: object, signer: str) -> None:
    """Unlock the key that is about to sign, and see that it is the one whose address was looked at.

    Raises:
        WalletError: it is another key, or its file is missing or damaged.
        KeyfileError: the password is wrong.
    """
    if not isinstance(wallet, bittensor.Wallet):
        return
    role = "coldkey" if str(wallet.coldkeypub.ss58_address) == signer else "hotkey"
    file = wallet.coldkey_file if role == "coldkey" else wallet.hotkey_file
    try:
        key = wallet.coldkey if role == "coldkey" else wallet.hotkey
    except FileNotFoundError:
        raise _broken(file, role, "is missing") from None
    if key.ss58_address != signer:
        public = wallet.coldkeypub_file if role == "coldkey" else wallet.hotkeypub_file
        what = f"is of {signer}, and the key beside it of {key.ss58_address}"
        raise _broken(public, f"{role}pub", what)


def _read(file: Keyfile, role: str) -> Keypair:
    if not file.exists_on_device():
        raise _broken(file, role, "is missing")
    try:
        return file.get_keypair()
    except (KeyfileError, OSError, ValueError):
        raise _broken(file, role, "cannot be read as a key") from None


def _compare(file: Keyfile, role: str, public: Keypair, beside: Keyfile) -> None:
    if not file.exists_on_device() or file.is_encrypted():
        return  # a wallet that only looks has no key; an encrypted one is compared when it signs
    key = _read(file, role)
    if key.ss58_address != public.ss58_address:
        raise _broken(beside, f"{role}pub", f"is not the public half of {file.path}")


def _broken(file: Keyfile, role: str, what: str) -> WalletError:
    return WalletError(f"The {role} file {file.path} {what}.", hint=_REMEDIES[role])
