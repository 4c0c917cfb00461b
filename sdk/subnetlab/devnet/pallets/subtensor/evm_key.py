"""Which Ethereum key a neuron says is its own, and the uids that one key is said to be of.

The key signs the hotkey and a block's number; the hotkey sends the signature. Both maps are kept here and
agree. Source: `utils/evm.rs`.
"""

import bittensor_core as core

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import Origin, call, ensure_signed
from subnetlab.devnet.evm.keccak import keccak
from subnetlab.devnet.evm.transaction import recover
from subnetlab.devnet.pallets.subtensor.entries import erase, event, exists, read, require, write

MOST_UIDS_PER_KEY = 32
RATE_LIMIT_BLOCKS = 1
"""Blocks between two associations of a uid: a day on a public chain, one on the fast runtime recorded."""
_V_OFFSET = 27


def forget(ledger: Ledger, netuid: int, uid: int) -> None:
    """Drop what a uid is associated with, if anything."""
    found = read(ledger, "AssociatedEvmAddress", netuid, uid)
    if found is not None:
        erase(ledger, "AssociatedEvmAddress", netuid, uid)
        _unlist(ledger, netuid, uid, found[0])


def _uids(ledger: Ledger, netuid: int, evm_key: str) -> dict[int, int]:
    return dict(read(ledger, "AssociatedUidsByEvmAddress", netuid, evm_key))


def _unlist(ledger: Ledger, netuid: int, uid: int, evm_key: str) -> None:
    listed = _uids(ledger, netuid, evm_key)
    listed.pop(uid, None)
    if listed:
        write(ledger, "AssociatedUidsByEvmAddress", netuid, evm_key, value=list(listed.items()))
    else:
        erase(ledger, "AssociatedUidsByEvmAddress", netuid, evm_key)


def message_hash(hotkey: str, block_number: int) -> bytes:
    """What the Ethereum key signs (EIP-191): the hotkey's bytes and the hash of a block's number."""
    body = bytes(core.ss58_decode(hotkey)) + keccak(block_number.to_bytes(8, "little"))
    return keccak(b"\x19Ethereum Signed Message:\n" + str(len(body)).encode() + body)


def _signer(signature: bytes, digest: bytes) -> bytes | None:
    parity = signature[64] - _V_OFFSET if signature[64] >= _V_OFFSET else signature[64]
    return recover(
        digest, parity, int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    )


@call("SubtensorModule", "associate_evm_key")
def associate_evm_key(
    ledger: Ledger, origin: Origin, *, netuid: int, evm_key: str, block_number: int, signature: str
) -> None:
    """Say that an Ethereum key is the signing hotkey's own.

    Raises:
        DispatchError: in order NonAssociatedColdKey, HotKeyNotRegisteredInSubNet,
            EvmKeyAssociateRateLimitExceeded, InvalidIdentity, InvalidRecoveredPublicKey,
            EvmKeyAssociationLimitExceeded.
    """
    hotkey = ensure_signed(origin)
    require(exists(ledger, "Owner", hotkey), "NonAssociatedColdKey")
    uid = read(ledger, "Uids", netuid, hotkey)
    require(uid is not None, "HotKeyNotRegisteredInSubNet")
    former = read(ledger, "AssociatedEvmAddress", netuid, uid)
    since = ledger.block_number - (0 if former is None else former[1])
    require(since >= RATE_LIMIT_BLOCKS, "EvmKeyAssociateRateLimitExceeded")
    signer = _signer(bytes.fromhex(signature[2:]), message_hash(hotkey, block_number))
    require(signer is not None, "InvalidIdentity")
    assert signer is not None
    require(evm_key == f"0x{signer.hex()}", "InvalidRecoveredPublicKey")
    listed = _uids(ledger, netuid, evm_key)
    require(uid in listed or len(listed) < MOST_UIDS_PER_KEY, "EvmKeyAssociationLimitExceeded")
    if former is not None and former[0] != evm_key:
        _unlist(ledger, netuid, uid, former[0])
    now = {**listed, uid: ledger.block_number}
    write(ledger, "AssociatedUidsByEvmAddress", netuid, evm_key, value=list(now.items()))
    write(ledger, "AssociatedEvmAddress", netuid, uid, value=(evm_key, ledger.block_number))
    fields = {
        "netuid": netuid,
        "hotkey": hotkey,
        "evm_key": evm_key,
        "block_associated": ledger.block_number,
    }
    event(ledger, "EvmKeyAssociated", fields)
