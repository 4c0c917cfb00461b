"""Hashes, recovered keys and signatures of Substrate keys, and what is at the low addresses."""

import hashlib

import bittensor_core as core
import pytest
from eth_keys.datatypes import PrivateKey
from tests.sdk.devnet.evm.precompiles.wallet import Refused, Wallet, function_of, public_key
from tests.sdk.devnet.pallets.stage import ALICE, BOB, TAO, Stage

from subnetlab.devnet.evm.precompiles import TABLE
from subnetlab.devnet.evm.precompiles.frame import Frame
from subnetlab.devnet.evm.precompiles.signatures import sha3_fips_256
from subnetlab.devnet.pallets import balances

TRUE, FALSE = (1).to_bytes(32, "big"), bytes(32)
P = (1).to_bytes(32, "big") + (2).to_bytes(32, "big")
"""The generator of bn128's first group."""
TWICE_P = bytes.fromhex(
    "030644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd3"
    "15ed738c0e0a7c92e7845f96b2ae9c0a68a6a449e3538fc7ff3ebf7a5a18a2c4"
)


@pytest.fixture
def wallet() -> Wallet:
    return Wallet(Stage())


def at(index: int) -> bytes:
    return index.to_bytes(20, "big")


@pytest.mark.parametrize(("index", "scheme"), [(0x402, core.CRYPTO_ED25519), (0x403, core.CRYPTO_SR25519)])
def test_a_substrate_keys_signature_is_checked(wallet: Wallet, index: int, scheme: int) -> None:
    pair = core.Keypair.create_from_uri("//Charlie", crypto_type=scheme)
    message = hashlib.sha256(b"job").digest()
    signature = bytes(pair.sign(message))
    name = "ed25519-verify" if index == 0x402 else "sr25519-verify"
    verify = function_of(name, "verify", 4)
    parts = [message, public_key(pair.ss58_address), signature[:32], signature[32:]]
    assert wallet.raw(at(index), verify.call_data(parts)) == TRUE
    assert wallet.used == 6_000
    for place in range(4):
        broken = [*parts]
        broken[place] = bytes([parts[place][0] ^ 1]) + parts[place][1:]
        assert wallet.raw(at(index), verify.call_data(broken)) == FALSE
    with pytest.raises(Refused, match="input must contain 128 bytes"):
        wallet.raw(at(index), verify.call_data(parts)[:-1])


def test_a_message_wrapped_for_a_browser_is_another_message(wallet: Wallet) -> None:
    pair = core.Keypair.create_from_uri("//Charlie")
    message = hashlib.sha256(b"job").digest()
    wrapped = bytes(pair.sign(b"<Bytes>" + message + b"</Bytes>"))
    verify = function_of("sr25519-verify", "verify", 4)
    parts = [message, public_key(pair.ss58_address), wrapped[:32], wrapped[32:]]
    assert wallet.raw(at(0x403), verify.call_data(parts)) == FALSE


@pytest.mark.parametrize("data", [b"", b"abc", b"a" * 10_000])
def test_sha3_is_nists_and_its_gas_grows(wallet: Wallet, data: bytes) -> None:
    used: list[int] = []
    frame = Frame(
        ledger=wallet.stage.ledger, caller=wallet.address, address=at(0x400), value=0, data=data,
        is_static=False, gas=10_000, consume=used.append,
    )  # fmt: skip
    assert sha3_fips_256(frame) == hashlib.sha3_256(data).digest()
    assert used == [(516_915 + len(data) * 2_019) // 40_000]
    assert wallet.raw(at(0x400), data) == hashlib.sha3_256(data).digest()


def test_a_public_key_is_recovered(wallet: Wallet) -> None:
    secret = PrivateKey(b"\x11" * 32)
    digest = hashlib.sha256(b"job").digest()
    signature = secret.sign_msg_hash(digest)
    for v in (signature.v, signature.v + 27):
        words = [digest, *(number.to_bytes(32, "big") for number in (v, signature.r, signature.s))]
        assert wallet.raw(at(0x401), b"".join(words)) == secret.public_key.to_bytes()
    with pytest.raises(Refused, match="Public key recover failed"):
        wallet.raw(at(0x401), digest)


def test_the_addition_of_bn128_is_at_nine_and_six_dispatches(wallet: Wallet) -> None:
    assert wallet.raw(at(9), P + P) == TWICE_P
    before = balances.free(wallet.stage.ledger, BOB)
    runtime = wallet.stage.ledger.codec.runtime
    call = bytes(runtime.compose_call("Balances", "transfer_keep_alive", {"dest": BOB, "value": TAO}))
    assert wallet.raw(at(6), call) == b""
    assert balances.free(wallet.stage.ledger, BOB) - before == TAO
    with pytest.raises(Refused, match=r"^decode failed$"):
        wallet.raw(at(6), P + P)
    foreign = bytes(
        runtime.compose_call("Balances", "force_transfer", {"source": ALICE, "dest": BOB, "value": TAO})
    )
    with pytest.raises(Refused, match=r"^dispatch execution failed: Bad origin$"):
        wallet.raw(at(6), foreign)


def test_hashes_and_recovery_of_ethereum_are_where_they_always_are(wallet: Wallet) -> None:
    assert wallet.raw(at(2), b"abc") == hashlib.sha256(b"abc").digest()
    assert wallet.raw(at(4), b"abc") == b"abc"
    assert {int.from_bytes(address, "big") for address in TABLE} == {
        *range(1, 10),
        *range(0x0B, 0x12),
        *range(0x400, 0x404),
        *range(0x800, 0x814),
    }
