"""Commitments: who may, how much, what is kept."""

from typing import Any

import pytest
from tests.sdk.devnet.pallets.refusals import refused
from tests.sdk.devnet.pallets.stage import BOB, OWNER_HOTKEY, Stage, key

from subnetlab.devnet.pallets import commitments

PALLET = "Commitments"
HASH = {"BlakeTwo256": "0x" + "11" * 32}
BIG = {"BigRaw": "0x" + "ff" * 512}
SEALED = {"TimelockEncrypted": {"encrypted": "0x" + "ff" * 200, "reveal_round": 7}}


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def netuid(stage: Stage) -> int:
    return stage.subnet()


def commit(netuid: int, *fields: Any) -> dict[str, Any]:
    return {"module": PALLET, "netuid": netuid, "info": {"fields": list(fields)}}


@pytest.mark.parametrize(
    ("field", "space"),
    [
        ("None", 0),
        ("ResetBondsFlag", 0),
        ({"Raw0": "0x"}, 0),
        ({"Raw5": "hello"}, 5),
        ({"Raw128": "0x" + "00" * 128}, 128),
        (HASH, 32),
        (BIG, 512),
        (SEALED, 200),
    ],
)
def test_what_a_field_counts_for(field: Any, space: int) -> None:
    assert commitments.space_of(field) == space


def test_the_last_commitment_is_kept(stage: Stage, netuid: int) -> None:
    stage.call(OWNER_HOTKEY, "set_commitment", **commit(netuid, {"Raw5": "hello"}))
    stage.blocks()
    stage.call(OWNER_HOTKEY, "set_commitment", **commit(netuid, HASH, {"Raw3": "abc"}))
    kept = stage.ledger.get(PALLET, "CommitmentOf", netuid, OWNER_HOTKEY)
    assert kept["block"] == stage.ledger.block_number
    assert len(kept["info"]["fields"]) == 2
    assert stage.ledger.get(PALLET, "LastCommitment", netuid, OWNER_HOTKEY) == stage.ledger.block_number
    assert stage.events("Commitment") == [{"netuid": netuid, "who": OWNER_HOTKEY}]


def test_refusals(stage: Stage, netuid: int) -> None:
    refused(stage, "AccountNotAllowedCommit", BOB, "set_commitment", **commit(netuid, HASH))
    refused(stage, "AccountNotAllowedCommit", OWNER_HOTKEY, "set_commitment", **commit(1, HASH))
    many = commit(netuid, HASH, HASH, HASH, HASH)
    refused(stage, "TooManyFieldsInCommitmentInfo", OWNER_HOTKEY, "set_commitment", **many)
    refused(stage, "BadOrigin", BOB, "set_max_space", module=PALLET, new_limit=1)


def test_space_is_counted_per_epoch_and_a_note_counts_a_hundred(stage: Stage, netuid: int) -> None:
    for _ in range(31):
        stage.call(OWNER_HOTKEY, "set_commitment", **commit(netuid, HASH))
    refused(stage, "SpaceLimitExceeded", OWNER_HOTKEY, "set_commitment", **commit(netuid, HASH))
    stage.until_epoch(netuid)
    stage.call(OWNER_HOTKEY, "set_commitment", **commit(netuid, HASH))
    stage.call(None, "set_max_space", PALLET, new_limit=50)
    refused(stage, "SpaceLimitExceeded", OWNER_HOTKEY, "set_commitment", **commit(netuid, HASH))


def test_sealed_notes_are_indexed_until_replaced(stage: Stage, netuid: int) -> None:
    other = key("//other")
    stage.register(netuid, (BOB, other))
    for hotkey in (OWNER_HOTKEY, other):
        stage.call(hotkey, "set_commitment", **commit(netuid, SEALED))
    assert {who for _, who in stage.ledger.get(PALLET, "TimelockedIndex")} == {OWNER_HOTKEY, other}
    assert stage.events("TimelockCommitment")[0]["reveal_round"] == 7
    stage.call(other, "set_commitment", **commit(netuid, HASH))
    assert [who for _, who in stage.ledger.get(PALLET, "TimelockedIndex")] == [OWNER_HOTKEY]


def test_a_reset_flag_clears_bonds_where_allowed(stage: Stage, netuid: int) -> None:
    stage.write("Bonds", netuid, 0, value=[(0, 5), (1, 6)])
    flag = commit(netuid, "ResetBondsFlag")
    stage.call(OWNER_HOTKEY, "set_commitment", **flag)
    assert list(stage.read("Bonds", netuid, 0)) == [(0, 5), (1, 6)]
    stage.write("BondsResetOn", netuid, value=True)
    stage.call(OWNER_HOTKEY, "set_commitment", **flag)
    assert list(stage.read("Bonds", netuid, 0)) == [(1, 6)]
