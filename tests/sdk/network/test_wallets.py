"""Wallets open by name, development keys stay on development chains, and nothing is written to disk."""

from pathlib import Path

import bittensor
import pytest
from bittensor_core import Keypair

from subnetlab.errors import UnknownWallet, WalletError
from subnetlab.network.wallet_files import signing_wallet
from subnetlab.network.wallets import (
    DEV_NAMES,
    DevWallet,
    address,
    dev_keypair,
    dev_wallet,
    is_address,
    open_wallet,
    peer_uri,
)

ALICE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"


def test_alice_is_the_alice_everybody_knows() -> None:
    assert address(dev_wallet("alice")) == ALICE
    assert address(dev_wallet("Alice")) == ALICE
    assert dev_wallet("alice").hotkey.ss58_address == Keypair.create_from_uri("//Alice//hotkey").ss58_address


def test_a_second_hotkey_goes_by_its_own_name() -> None:
    first, second = dev_wallet("alice/miner-1"), dev_wallet("alice/miner-2")
    assert first.coldkey.ss58_address == second.coldkey.ss58_address
    assert first.hotkey.ss58_address != second.hotkey.ss58_address


def test_a_development_wallet_is_a_wallet_to_the_sdk() -> None:
    wallet = dev_wallet("bob")
    assert isinstance(wallet, bittensor.KeyedWallet)
    signer = bittensor.resolve_signer(wallet, "hotkey")
    assert wallet.hotkey.verify(b"message", signer.sign(b"message"))
    assert bittensor.public_view(wallet).ss58_address == address(wallet)


def test_what_a_wallet_says_of_itself_is_public() -> None:
    assert repr(dev_wallet("alice")) == f"DevWallet('alice', {ALICE})"


@pytest.mark.parametrize("name", DEV_NAMES)
def test_every_development_name_opens_on_a_development_chain_only(name: str, tmp_path: Path) -> None:
    assert isinstance(open_wallet(name, development=True), DevWallet)
    with pytest.raises(UnknownWallet, match="no wallet called"):
        open_wallet(name, development=False)


def test_a_development_key_is_refused_where_money_is_real() -> None:
    with pytest.raises(WalletError, match="everybody holds"):
        open_wallet(dev_wallet("alice"), development=False)


def test_any_wallet_of_the_sdk_is_taken_as_it_is(tmp_path: Path) -> None:
    wallet = bittensor.Wallet("cold", "hot", path=str(tmp_path))
    assert open_wallet(wallet, development=False) is wallet
    signer = Keypair.create_from_uri("//Eve")
    assert open_wallet(signer, development=False) is signer  # a Signer, such as a browser's
    assert address(signer) == signer.ss58_address


@pytest.mark.parametrize("name", ["zoe", "", " ", "alice/", "a/b/c", "/", "../alice", "alice/../bob"])
def test_an_unknown_wallet_says_what_there_is(name: str) -> None:
    if name == "alice/":
        assert (
            open_wallet(name, development=True).hotkey.ss58_address == dev_wallet("alice").hotkey.ss58_address
        )
        return
    with pytest.raises(UnknownWallet):
        open_wallet(name, development=True)


@pytest.mark.parametrize("thing", [None, 7, b"alice", object()])
def test_what_is_no_wallet_at_all_is_refused(thing: object) -> None:
    with pytest.raises(UnknownWallet, match="is not a wallet"):
        open_wallet(thing, development=True)  # type: ignore[arg-type]


@pytest.mark.parametrize("uri", ["Alice", "/Alice", "//", ""])
def test_a_development_uri_begins_with_two_slashes(uri: str) -> None:
    with pytest.raises(UnknownWallet):
        dev_keypair(uri)


@pytest.mark.parametrize(
    ("text", "expected"),
    [(ALICE, True), (f" {ALICE}", True), ("0x" + "ab" * 20, True), ("alice", False), ("a" * 41 + " l", False),
     ("my-first-wallet-for-the-testnet-of-2026-number-one", False), (dev_wallet("alice"), False)],
)  # fmt: skip
def test_an_address_is_told_from_a_name_by_how_it_is_written(text: object, expected: bool) -> None:
    assert is_address(text) is expected


@pytest.mark.parametrize("thing", [None, 7, b"alice", object()])
def test_what_has_no_address_is_refused(thing: object) -> None:
    with pytest.raises(WalletError, match="neither an address nor a wallet"):
        address(thing)


def test_no_two_peers_share_a_hotkey() -> None:
    uris = {peer_uri(run, role, n) for run in "ab" for role in ("miner", "validator") for n in range(3)}
    assert len({dev_keypair(uri).ss58_address for uri in uris}) == 12


@pytest.fixture
def on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bittensor.Wallet:
    """A wallet of files, without a password; the SDK has read where wallets are when it was imported."""
    monkeypatch.setattr(bittensor.Wallet.__init__, "__defaults__", ("default", "default", str(tmp_path)))
    wallet = bittensor.Wallet("cold")
    wallet.create_new_coldkey(use_password=False, suppress=True)
    return wallet.create_new_hotkey(use_password=False, suppress=True)


@pytest.mark.parametrize("half", ["coldkey_file", "coldkeypub_file", "hotkey_file", "hotkeypub_file"])
@pytest.mark.parametrize("damage", ["", "garbage", "{}", "\x00"])
def test_a_damaged_half_of_a_wallet_is_named_with_its_remedy(
    on_disk: bittensor.Wallet, half: str, damage: str
) -> None:
    path = Path(getattr(on_disk, half).path)
    path.chmod(0o600)
    path.write_text(damage)
    for wallet in ("cold", bittensor.Wallet("cold")):
        with pytest.raises(WalletError, match="cannot be read as a key") as caught:
            open_wallet(wallet, development=False)
        assert str(path) in str(caught.value)
        assert "btcli wallet regen-" in caught.value.hint


@pytest.mark.parametrize("half", ["coldkey_file", "coldkeypub_file", "hotkey_file", "hotkeypub_file"])
def test_a_half_of_another_key_is_not_believed(on_disk: bittensor.Wallet, half: str) -> None:
    other = bittensor.Wallet("other").create_new_coldkey(use_password=False, suppress=True)
    other.create_new_hotkey(use_password=False, suppress=True)
    path = Path(getattr(on_disk, half).path)
    path.chmod(0o600)
    path.write_bytes(Path(getattr(other, half).path).read_bytes())
    with pytest.raises(WalletError, match="is not the public half of"):
        open_wallet("cold", development=False)


def test_a_missing_public_half_is_named(on_disk: bittensor.Wallet) -> None:
    Path(on_disk.coldkeypub_file.path).unlink()
    with pytest.raises(WalletError, match=r"coldkeypub\.txt is missing.*regen-coldkeypub"):
        open_wallet("cold", development=True)
    Path(on_disk.coldkey_file.path).unlink()
    with pytest.raises(UnknownWallet):
        open_wallet("cold", development=True)


def test_a_wallet_that_can_only_look_is_whole_until_it_has_to_sign(on_disk: bittensor.Wallet) -> None:
    Path(on_disk.coldkey_file.path).unlink()
    opened = open_wallet("cold", development=False)
    with pytest.raises(WalletError, match=r"The coldkey file \S+ is missing.*backup"):
        signing_wallet(opened, address(opened))


def test_an_encrypted_key_is_compared_when_it_signs(on_disk: bittensor.Wallet, tmp_path: Path) -> None:
    other = bittensor.Wallet("other").create_new_coldkey(use_password=False, suppress=True)
    opened = open_wallet("cold", development=False)
    signing_wallet(opened, address(opened))
    mixed = bittensor.Wallet("cold")
    mixed._coldkey, mixed._coldkeypub = other.coldkey, on_disk.coldkeypub
    with pytest.raises(WalletError, match="and the key beside it of"):
        signing_wallet(mixed, address(on_disk))
