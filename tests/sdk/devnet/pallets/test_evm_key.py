"""A neuron's Ethereum key: signed for by the key, sent by the hotkey, listed both ways."""

from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from tests.sdk.devnet.evm.precompiles.wallet import Wallet, public_key
from tests.sdk.devnet.pallets.refusals import refused
from tests.sdk.devnet.pallets.stage import BOB, OWNER_HOTKEY, Stage, key

from subnetlab.devnet.evm.keccak import keccak
from subnetlab.devnet.pallets.subtensor import evm_key, uids

MINER, OTHER = key("//miner"), key("//other")
KEY, STRANGER = (Account.from_key(bytes([number]) * 32) for number in (7, 8))


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def netuid(stage: Stage) -> int:
    netuid = stage.subnet()
    stage.register(netuid, (BOB, MINER), (BOB, OTHER))
    return netuid


def signed(account: Any, hotkey: str, block: int) -> str:
    """What an Ethereum wallet makes of the message, as its own library signs it."""
    message = public_key(hotkey) + keccak(block.to_bytes(8, "little"))
    return "0x" + bytes(account.sign_message(encode_defunct(message)).signature).hex()


def terms(
    stage: Stage, netuid: int, hotkey: str = MINER, account: Any = KEY, **changed: Any
) -> dict[str, Any]:
    """The arguments of an association that is in order, but for what is changed."""
    block = stage.ledger.block_number
    return {
        "netuid": netuid,
        "evm_key": account.address.lower(),
        "block_number": block,
        "signature": signed(account, hotkey, block),
        **changed,
    }


def associate(stage: Stage, netuid: int, hotkey: str = MINER, account: Any = KEY) -> None:
    stage.call(hotkey, "associate_evm_key", **terms(stage, netuid, hotkey, account))


def no(stage: Stage, error: str, netuid: int, hotkey: str = MINER, **changed: Any) -> None:
    refused(stage, error, hotkey, "associate_evm_key", **terms(stage, netuid, hotkey, **changed))


def listed(stage: Stage, netuid: int, account: Any = KEY) -> list[tuple[int, int]]:
    return list(stage.read("AssociatedUidsByEvmAddress", netuid, account.address.lower()))


def test_a_key_is_listed_both_ways_and_found_from_the_evm(stage: Stage, netuid: int) -> None:
    associate(stage, netuid)
    block = stage.ledger.block_number
    assert stage.read("AssociatedEvmAddress", netuid, 1) == (KEY.address.lower(), block)
    assert listed(stage, netuid) == [(1, block)]
    assert stage.events("EvmKeyAssociated")[0]["evm_key"] == KEY.address.lower()
    found = Wallet(stage).call("uid-lookup", "uidLookup", netuid, KEY.address, 8)
    assert found == ((1, block),)


def test_a_new_key_takes_the_place_of_the_old(stage: Stage, netuid: int) -> None:
    associate(stage, netuid)
    stage.blocks()
    associate(stage, netuid, account=STRANGER)
    assert listed(stage, netuid) == []
    assert listed(stage, netuid, STRANGER) == [(1, stage.ledger.block_number)]


def test_one_who_loses_the_uid_loses_the_key(stage: Stage, netuid: int) -> None:
    associate(stage, netuid)
    uids.replace(stage.ledger, netuid, 1, key("//third"))
    assert listed(stage, netuid) == []
    assert stage.read("AssociatedEvmAddress", netuid, 1) is None


def test_what_is_not_signed_for_is_refused(stage: Stage, netuid: int) -> None:
    no(stage, "InvalidRecoveredPublicKey", netuid, evm_key=STRANGER.address.lower())
    no(stage, "InvalidRecoveredPublicKey", netuid, block_number=stage.ledger.block_number + 1)
    no(stage, "InvalidIdentity", netuid, signature="0x" + "00" * 65)
    no(stage, "HotKeyNotRegisteredInSubNet", 0, OWNER_HOTKEY)
    no(stage, "NonAssociatedColdKey", netuid, key("//nobody"))


def test_a_uid_is_associated_once_a_block_and_a_key_with_so_many(stage: Stage, netuid: int) -> None:
    associate(stage, netuid)
    no(stage, "EvmKeyAssociateRateLimitExceeded", netuid)
    full = [(100 + number, 1) for number in range(evm_key.MOST_UIDS_PER_KEY)]
    stage.write("AssociatedUidsByEvmAddress", netuid, KEY.address.lower(), value=full)
    no(stage, "EvmKeyAssociationLimitExceeded", netuid, OTHER)


def test_an_evm_account_that_is_a_hotkey_associates_itself(stage: Stage, netuid: int) -> None:
    wallet = Wallet(stage)
    wallet.call("neuron", "burnedRegister", netuid, wallet.key)
    block = stage.ledger.block_number
    signature = bytes.fromhex(signed(KEY, wallet.account, block)[2:])
    wallet.call("neuron", "associateEvmKey", netuid, KEY.address, block, signature)
    assert [uid for uid, _ in listed(stage, netuid)] == [uids.uid_of(stage.ledger, netuid, wallet.account)]
