"""Keys of the EVM by name: public ones for play money, keystores for the rest, no key in what is shown."""

import builtins
import getpass
import json
import pickle
from pathlib import Path

import pytest
from bittensor.evm import create_evm_key
from eth_account import Account

from subnetlab.errors import KeyLocked, SecretRefused, UnknownWallet, WalletError
from subnetlab.network.evm import wallet as wallets
from subnetlab.network.evm.wallet import evm_wallet, evm_wallets_of
from subnetlab.network.keyring import KEYRING
from subnetlab.network.wallets import DEV_NAMES

PASSWORD = "correct horse"


@pytest.fixture
def keystore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wallets with one encrypted key, `cold/default`."""
    monkeypatch.delenv("BT_WALLET_PASSWORD", raising=False)
    for name in ("get_evm_key_info", "unlock_evm_key", "list_evm_keys"):
        found = getattr(wallets, name)
        monkeypatch.setattr(
            wallets, name, lambda *named, _found=found, **more: _found(*named, str(tmp_path), **more)
        )
    monkeypatch.setattr(Account, "encrypt", _quick(Account.encrypt))
    create_evm_key("default", "cold", str(tmp_path), password=PASSWORD)
    KEYRING.lock()
    return tmp_path / "cold" / "evmkeys" / "default"


def _quick(encrypt):
    """Few rounds of scrypt: the key of a test is worth nothing."""
    return lambda key, password: encrypt(key, password, iterations=2)


def test_development_keys_are_those_of_foundry_and_hardhat() -> None:
    addresses = [evm_wallet(name, development=True).address for name in DEV_NAMES]
    assert addresses[:2] == [
        "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
        "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    ]
    assert len(set(addresses)) == len(DEV_NAMES)
    alice = evm_wallet("Alice", development=True)
    assert alice.signer().address == alice.address
    assert repr(alice) == f"EvmWallet('alice', {alice.address})"


def test_a_development_key_is_refused_where_money_is_real(keystore: Path) -> None:
    with pytest.raises(UnknownWallet, match="btcli evm key new"):
        evm_wallet("alice", development=False)
    with pytest.raises(WalletError, match="everybody holds"):
        evm_wallet(evm_wallet("alice", development=True), development=False)
    assert evm_wallets_of("alice", development=False) == ()


def test_a_keystore_is_opened_with_its_password_when_it_signs(
    keystore: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = evm_wallet("cold", development=False)
    assert found.name == evm_wallet("cold/default", development=False).name == "cold/default"
    assert [key.address for key in evm_wallets_of("cold", development=False)] == [found.address]
    with pytest.raises(WalletError, match="no person can be asked for its password"):
        found.signer()
    monkeypatch.setattr(builtins, "input", lambda _: "")  # as a notebook puts its own in place
    typed = iter(["", *["wrong"] * 5, "wrong", PASSWORD])
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return next(typed)

    monkeypatch.setattr(getpass, "getpass", ask)
    with pytest.raises(WalletError, match="no password was given"):
        found.signer()
    with pytest.raises(KeyLocked, match="The EVM key cold/default stays locked: no password opened it"):
        found.signer()
    assert len(asked) == 6
    account = found.signer()
    assert account.address == found.address
    assert evm_wallet("cold", development=False).signer() is account, "it was asked for again"
    assert asked[6:] == [
        "Password of the EVM key cold/default: ",
        "That password does not open it; 4 more may be tried. Password of the EVM key cold/default: ",
    ]
    assert KEYRING.lock() == 1
    typed = iter([PASSWORD])
    assert found.signer().address == account.address
    assert len(asked) == 9
    key = account.key.hex()
    with pytest.raises(WalletError):
        pickle.dumps(found)
    assert key not in repr(found) + str(vars(type(found))) + repr(account)


def test_a_keystore_that_lies_about_its_address_signs_nothing(
    keystore: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = json.loads(keystore.read_text())
    content["address"] = "0x" + "ab" * 20
    keystore.write_text(json.dumps(content))
    monkeypatch.setenv("BT_WALLET_PASSWORD", PASSWORD)
    with pytest.raises(WalletError, match="and its key is of 0x"):
        evm_wallet("cold", development=False).signer()


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("zed", UnknownWallet),
        ("", UnknownWallet),
        ("../cold", UnknownWallet),
        ("cold/../default", UnknownWallet),
        ("cold/a/b", UnknownWallet),
        (None, UnknownWallet),
        (7, UnknownWallet),
        ("0x" + "5a" * 32, SecretRefused),
        ("abandon " * 11 + "about", SecretRefused),
    ],
)
def test_what_names_no_key_is_refused(keystore: Path, name: object, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        evm_wallet(name, development=True)  # type: ignore[arg-type]
    assert "5a5a" not in str(caught.value)
