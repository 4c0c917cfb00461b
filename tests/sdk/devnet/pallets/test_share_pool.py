"""Stake in storage: what share pools write, and that an empty pool leaves nothing behind."""

import pytest
from tests.sdk.devnet.pallets.stage import BOB, CHARLIE, OWNER_HOTKEY, PALLET, Stage, key

from subnetlab.devnet.pallets.subtensor import share_pool

NETUID, OTHER = 7, 8


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_stake_is_a_share_of_the_hotkeys_value(stage: Stage) -> None:
    ledger = stage.ledger
    share_pool.credit(ledger, OWNER_HOTKEY, BOB, NETUID, 1_000)
    share_pool.credit(ledger, OWNER_HOTKEY, CHARLIE, NETUID, 3_000)
    share_pool.credit_all(ledger, OWNER_HOTKEY, NETUID, 1_000)
    assert share_pool.stake_of(ledger, OWNER_HOTKEY, BOB, NETUID) == 1_250
    assert share_pool.stake_of(ledger, OWNER_HOTKEY, CHARLIE, NETUID) == 3_750
    assert share_pool.hotkey_stake(ledger, OWNER_HOTKEY, NETUID) == 5_000
    assert stage.number("TotalAlphaStaked", NETUID) == 5_000
    assert dict(share_pool.holders(ledger, OWNER_HOTKEY, NETUID)) == {BOB: 1_250, CHARLIE: 3_750}


def test_pools_of_other_subnets_are_apart(stage: Stage) -> None:
    ledger = stage.ledger
    share_pool.credit(ledger, OWNER_HOTKEY, BOB, NETUID, 1_000)
    share_pool.credit(ledger, OWNER_HOTKEY, BOB, OTHER, 5)
    assert share_pool.holders(ledger, OWNER_HOTKEY, OTHER) == [(BOB, 5)]
    assert share_pool.stake_of(ledger, OWNER_HOTKEY, BOB, NETUID) == 1_000


def test_nobody_takes_more_than_is_theirs(stage: Stage) -> None:
    ledger = stage.ledger
    share_pool.credit(ledger, OWNER_HOTKEY, BOB, NETUID, 1_000)
    share_pool.credit(ledger, OWNER_HOTKEY, CHARLIE, NETUID, 1_000)
    assert not share_pool.debit(ledger, OWNER_HOTKEY, BOB, NETUID, 1_001)
    assert share_pool.hotkey_stake(ledger, OWNER_HOTKEY, NETUID) == 2_000
    assert not share_pool.debit(ledger, OWNER_HOTKEY, key("//stranger"), NETUID, 1)
    assert share_pool.debit(ledger, OWNER_HOTKEY, BOB, NETUID, 400)
    assert share_pool.stake_of(ledger, OWNER_HOTKEY, BOB, NETUID) == 600
    assert share_pool.stake_of(ledger, OWNER_HOTKEY, CHARLIE, NETUID) == 1_000


def test_an_emptied_pool_leaves_no_entry(stage: Stage) -> None:
    ledger = stage.ledger
    share_pool.credit(ledger, OWNER_HOTKEY, BOB, NETUID, 1_000)
    assert share_pool.debit(ledger, OWNER_HOTKEY, BOB, NETUID, 1_000)
    for item in ("TotalHotkeyAlpha", "TotalHotkeySharesV2"):
        assert not ledger.has(PALLET, item, OWNER_HOTKEY, NETUID), item
    assert not ledger.has(PALLET, "AlphaV2", OWNER_HOTKEY, BOB, NETUID)
    assert stage.number("TotalAlphaStaked", NETUID) == 0


def test_a_coldkey_remembers_whom_it_stakes_with(stage: Stage) -> None:
    other = key("//other")
    for hotkey in (OWNER_HOTKEY, other, OWNER_HOTKEY):
        share_pool.credit(stage.ledger, hotkey, BOB, NETUID, 10)
    assert stage.read("StakingHotkeys", BOB) == [OWNER_HOTKEY, other]
    share_pool.credit(stage.ledger, other, CHARLIE, NETUID, 0)
    assert stage.read("StakingHotkeys", CHARLIE) == []


def test_a_pool_too_rich_for_an_amount_says_so(stage: Stage) -> None:
    ledger = stage.ledger
    assert share_pool.can_credit(ledger, OWNER_HOTKEY, NETUID, 1)
    share_pool.credit(ledger, OWNER_HOTKEY, BOB, NETUID, 1)
    share_pool.credit_all(ledger, OWNER_HOTKEY, NETUID, 10**18)
    assert share_pool.can_credit(ledger, OWNER_HOTKEY, NETUID, 1)
    assert not share_pool.can_credit(ledger, OWNER_HOTKEY, NETUID, 0)
