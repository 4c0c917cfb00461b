"""Sealed extrinsics: opened where they are genuine, ignored where they are not, never harmful."""

import bittensor_core
import pytest
from bittensor_core import Keypair
from hypothesis import given
from hypothesis import strategies as st
from tests.sdk.devnet.signing import Signer

from subnetlab.devnet.chain import shield
from subnetlab.devnet.node.node import Node
from subnetlab.devnet.pallets import balances, system

BOB = Keypair.from_uri("//Bob").ss58_address


def sealed(plain: bytes) -> bytes:
    return bytes(bittensor_core.encrypt_mlkem768(shield.public_key(), plain, include_key_hash=True))


def carrier(signer: Signer, ciphertext: bytes) -> bytes:
    return signer.sign(signer.call("MevShield", "submit_encrypted", ciphertext=ciphertext), period=8)


def test_what_the_sdks_library_seals_is_opened() -> None:
    assert shield.unseal(sealed(b"an extrinsic")) == b"an extrinsic"


@given(st.binary(max_size=1500))
def test_random_bytes_open_to_nothing(data: bytes) -> None:
    assert shield.unseal(data) is None
    assert shield.unseal(shield.key_hash() + data) is None


@given(st.integers(0, 1500), st.integers(1, 255))
def test_a_damaged_seal_opens_to_nothing(place: int, change: int) -> None:
    data = bytearray(sealed(b"x" * 300))
    data[place % len(data)] ^= change
    assert shield.unseal(bytes(data)) is None


def test_the_inner_extrinsic_rides_in_the_same_block(node: Node, signer: Signer) -> None:
    inner = signer.transfer(BOB, 10**9, nonce=1)
    before = balances.free(node.ledger, BOB)
    node.submit(carrier(signer, sealed(inner)))
    block = node.seal()
    assert block.extrinsics[2] == inner
    assert balances.free(node.ledger, BOB) == before + 10**9
    assert system.nonce(node.ledger, signer.address) == 2


@pytest.mark.parametrize("plain", [b"", b"rubbish", b"\x00" * 200])
def test_a_sealed_nonsense_costs_the_carrier_alone(node: Node, signer: Signer, plain: bytes) -> None:
    node.submit(carrier(signer, sealed(plain)))
    assert len(node.seal().extrinsics) == 2
    assert system.nonce(node.ledger, signer.address) == 1


def test_a_sealed_replay_is_refused(node: Node, signer: Signer) -> None:
    node.submit(carrier(signer, sealed(signer.transfer(BOB, 10**9, nonce=0))))
    before = balances.free(node.ledger, BOB)
    assert len(node.seal().extrinsics) == 2
    assert balances.free(node.ledger, BOB) == before


def test_a_carrier_in_a_carrier_is_opened_too(node: Node, signer: Signer) -> None:
    innermost = signer.transfer(BOB, 1, nonce=2)
    call = signer.call("MevShield", "submit_encrypted", ciphertext=sealed(innermost))
    node.submit(carrier(signer, sealed(signer.sign(call, nonce=1, period=8))))
    assert node.seal().extrinsics[3] == innermost


def test_the_published_key_is_that_of_the_secret() -> None:
    assert shield.public_key() == shield.secret().public_key().public_bytes_raw()
