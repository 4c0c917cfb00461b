"""The two halves of a key on disk, checked before anything depends on them.

The SDK keeps a public half beside each key, so that an address is known without a password. One that is
missing, damaged or of another key is refused with its file's name and a remedy: its address would be
believed, and the key would sign for another account. A password is asked for when a key is about to sign.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import bittensor
from bittensor.keyfiles import Keyfile
from bittensor.sp_core import deserialize_keypair_from_keyfile_data, get_password_from_environment
from bittensor_core import KeyfileError, Keypair

from subnetlab.errors import PasswordWrong, WalletError
from subnetlab.network.keyring import KEYRING, LockedKey
from subnetlab.text import NAME, plain

_WRONG: Final = 3
_DECRYPT: Final = f"""
import json, sys
import bittensor_core as core
asked = json.load(sys.stdin)
try:
    sys.stdout.buffer.write(bytes(core.decrypt_keyfile_data(bytes.fromhex(asked["data"]), asked["password"])))
except core.WrongPasswordError:
    sys.exit({_WRONG})
"""
"""The SDK's own decryption; the password comes in and the key goes out through pipes."""
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


def signing_wallet(wallet: Any, signer: str) -> Any:
    """What signs for an address: the wallet itself, or its key out of the keyring where it is encrypted.

    Raises:
        KeyLocked: no password opened it.
        WalletError: it is another key than the one whose address was looked at, or its file is damaged.
    """
    if not isinstance(wallet, bittensor.Wallet):
        return wallet
    role = "coldkey" if str(wallet.coldkeypub.ss58_address) == signer else "hotkey"
    file = wallet.coldkey_file if role == "coldkey" else wallet.hotkey_file
    if not file.exists_on_device():
        raise _broken(file, role, "is missing")
    locked = file.is_encrypted()
    if locked:
        key = KEYRING.open(_locked(wallet, file, role, signer))
    else:
        key = wallet.coldkey if role == "coldkey" else wallet.hotkey
    if key.ss58_address != signer:
        public = wallet.coldkeypub_file if role == "coldkey" else wallet.hotkeypub_file
        what = f"is of {signer}, and the key beside it of {key.ss58_address}"
        raise _broken(public, f"{role}pub", what)
    return _unlocked(wallet, role, key) if locked else wallet


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unlocked:
    """One key that signs, and public halves beside it: the SDK asks for a password again otherwise."""

    coldkey: Keypair
    coldkeypub: Keypair
    hotkey: Keypair


def _unlocked(wallet: bittensor.Wallet, role: str, key: Keypair) -> Any:
    """What the SDK takes for a wallet for one submission; the key alone where the wallet has no hotkey."""
    public = wallet.coldkeypub
    if role == "hotkey":
        return _Unlocked(coldkey=public, coldkeypub=public, hotkey=key)
    if wallet.hotkeypub_file.exists_on_device():
        return _Unlocked(coldkey=key, coldkeypub=public, hotkey=wallet.hotkeypub)
    if wallet.hotkey_file.exists_on_device() and not wallet.hotkey_file.is_encrypted():
        return _Unlocked(coldkey=key, coldkeypub=public, hotkey=wallet.hotkey)
    return key


def _locked(wallet: bittensor.Wallet, file: Keyfile, role: str, signer: str) -> LockedKey[Keypair]:
    def unlock(password: str) -> Keypair:
        try:
            return deserialize_keypair_from_keyfile_data(_decrypted(Path(file.path).read_bytes(), password))
        except (KeyfileError, OSError, ValueError):
            raise _broken(file, role, "cannot be read as a key") from None

    variable = file.env_var_name()

    def given() -> str | None:
        found: Any = get_password_from_environment(variable)
        return str(found) if found else None

    name = plain(wallet.name if role == "coldkey" else f"{wallet.name}/{wallet.hotkey_str}", NAME)
    return LockedKey(
        name=f"the {role} of {name}", place=f"{file.path} {signer}", unlock=unlock,
        variable=variable, given=given,
    )  # fmt: skip


def _decrypted(data: bytes, password: str) -> bytes:
    """What a keyfile holds, decrypted by a process of its own: that takes seconds and holds the interpreter.

    Raises:
        PasswordWrong: the password does not fit.
        ValueError: it is no keyfile.
    """
    asked = json.dumps({"data": data.hex(), "password": password}).encode()
    command = [sys.executable, "-I", "-c", _DECRYPT]
    done = subprocess.run(command, input=asked, capture_output=True, check=False)  # noqa: S603 - our own words
    if done.returncode == _WRONG:
        raise PasswordWrong("That password does not open it.")
    if done.returncode != 0:
        raise ValueError("no keyfile")
    return done.stdout


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
