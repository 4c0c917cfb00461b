"""Every way an extrinsic is refused at the door: Substrate's code, Substrate's words, and nothing changed."""

from collections.abc import Callable

import pytest
from bittensor_core import Keypair
from tests.sdk.devnet.signing import Signer

from subnetlab.devnet.chain.transaction_error import TransactionError
from subnetlab.devnet.node.node import Node

BOB = Keypair.from_uri("//Bob").ss58_address


def stale(node: Node, signer: Signer) -> bytes:
    node.submit(signer.transfer(BOB, 1))
    node.seal()
    return signer.transfer(BOB, 2)


def aged(node: Node, signer: Signer) -> bytes:
    """Signed for blocks 0 to 3, sent after them: the block its era names is another one by then."""
    raw = signer.transfer(BOB, 1, period=4)
    for _ in range(6):
        node.seal()
    return raw


def unborn(_node: Node, signer: Signer) -> bytes:
    """An era that begins in the future names a block nobody has."""
    raw = bytearray(signer.transfer(BOB, 1, period=64))
    era = 2 + 1 + 1 + 32 + 1 + 64
    assert bytes(raw[era : era + 2]) == bytes.fromhex("0500")
    raw[era : era + 2] = (5 | 63 << 4).to_bytes(2, "little")
    return bytes(raw)


def poor(node: Node, _signer: Signer) -> bytes:
    return Signer(node, Keypair.from_uri("//Nobody")).transfer(BOB, 1)


def wrapped(node: Node, signer: Signer) -> bytes:
    """Signed as a browser's wallet signs a message instead of an extrinsic."""
    call, genesis = signer.call("System", "remark", remark=b"1"), node.blocks.genesis.hash
    included, implied = node.codec.runtime.signature_payload_parts(
        era="00", nonce=0, tip=0, tip_asset_id=None, genesis_hash=genesis, era_block_hash=genesis
    )
    payload = b"<Bytes>" + call + bytes(included) + bytes(implied) + b"</Bytes>"
    return signer.sign(call, signature=signer.keys.sign(payload))


def tipped_too_high(_node: Node, signer: Signer) -> bytes:
    return signer.transfer(BOB, 1, tip=2 * 10**15)


def bare(_node: Node, signer: Signer) -> bytes:
    call = signer.call("Timestamp", "set", now=1)
    return bytes([len(call) + 1 << 2, 4]) + call


def not_sudo(node: Node, _signer: Signer) -> bytes:
    bob = Signer(node, Keypair.from_uri("//Bob"))
    return bob.sign(bob.call("Sudo", "set_key", new=BOB))


def sealed(_node: Node, signer: Signer, ciphertext: bytes, period: int | None) -> bytes:
    return signer.sign(signer.call("MevShield", "submit_encrypted", ciphertext=ciphertext), period=period)


CASES: dict[str, tuple[Callable[[Node, Signer], bytes], int, str]] = {
    "forged": (lambda _, s: s.transfer(BOB, 1, signature=bytes(64)), 1010, "Transaction has a bad signature"),
    "wrapped": (wrapped, 1010, "Transaction has a bad signature"),
    "other chain": (
        lambda _, s: s.transfer(BOB, 1, genesis_hash=b"\x07" * 32), 1010, "Transaction has a bad signature"
    ),
    "stale": (stale, 1010, "Transaction is outdated"),
    "aged": (aged, 1010, "Transaction has a bad signature"),
    "unborn": (unborn, 1010, "Transaction has an ancient birth block"),
    "poor": (poor, 1010, "Inability to pay some fees (e.g. account balance too low)"),
    "tip": (tipped_too_high, 1010, "Inability to pay some fees (e.g. account balance too low)"),
    "not sudo": (not_sudo, 1010, "Invalid signing address"),
    "sealed for long": (lambda n, s: sealed(n, s, bytes(60), 64), 1010, "Transaction is outdated"),
    "sealed for ever": (lambda n, s: sealed(n, s, bytes(60), None), 1010, "Transaction is outdated"),
    "sealed nothing": (lambda n, s: sealed(n, s, bytes(5), 8), 1010, "Custom error: 23"),
    "huge": (
        lambda _, s: s.sign(s.call("System", "remark", remark=bytes(4 * 2**20))), 1010,
        "Transaction would exhaust the block limits",
    ),
    "nested too deep": (
        lambda _, s: s.sign(bytes.fromhex("0c00") * 1000 + bytes(3)), 1002, 'RuntimeApi("Execution failed")'
    ),
    "empty": (lambda *_: b"", 1001, ""),
    "cut": (lambda _, s: s.transfer(BOB, 1)[:-3], 1001, ""),
    "longer": (lambda _, s: s.transfer(BOB, 1) + b"\x00", 1001, ""),
    "bare": (bare, 1002, 'RuntimeApi("Execution failed")'),
    "no call": (lambda _, s: s.sign(b""), 1002, 'RuntimeApi("Execution failed")'),
    "unknown pallet": (lambda _, s: s.sign(b"\xfe\x00"), 1002, 'RuntimeApi("Execution failed")'),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_refusal_has_the_chains_words_and_changes_nothing(node: Node, signer: Signer, case: str) -> None:
    make, code, words = CASES[case]
    raw = make(node, signer)
    before = node.state.latest(), node.blocks.head
    with pytest.raises(TransactionError) as refused:
        node.submit(raw)
    assert (refused.value.code, refused.value.data or "") == (code, words)
    assert (node.state.latest(), node.blocks.head) == before
    assert len(node.transaction_pool) == 0


def test_a_signature_over_the_metadata_hash_is_accepted(node: Node, signer: Signer) -> None:
    import bittensor_core

    codec, genesis = node.codec, node.blocks.genesis.hash
    call = signer.call("Balances", "transfer_keep_alive", dest=BOB, value=1)
    metadata_hash = bytes(bittensor_core.metadata_digest(codec.metadata_v15, 461, "node-subtensor"))
    included, implied = codec.runtime.signature_payload_parts(
        era="00", nonce=0, tip=0, tip_asset_id=None, genesis_hash=genesis, era_block_hash=genesis,
        metadata_hash=metadata_hash,
    )  # fmt: skip
    data, _ = codec.runtime.encode_signed_extrinsic(
        call, public_key=bytes(signer.keys.public_key), signature_version=1, era="00", nonce=0, tip=0,
        signature=signer.keys.sign(call + bytes(included) + bytes(implied)), tip_asset_id=None,
        metadata_hash_enabled=True,
    )  # fmt: skip
    node.submit(bytes(data))
    assert len(node.seal().extrinsics) == 2
