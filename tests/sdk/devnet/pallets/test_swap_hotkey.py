"""A hotkey replaced: everything it was goes with it, and nothing is lost on the way."""

from typing import Any

import pytest
from tests.sdk.devnet.pallets.refusals import refused
from tests.sdk.devnet.pallets.stage import ALICE, BOB, CHARLIE, OWNER_HOTKEY, TAO, Stage, key

from subnetlab.devnet.pallets import balances
from subnetlab.devnet.pallets.subtensor import share_pool

MINER, FRESH = key("//miner"), key("//fresh")


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def netuid(stage: Stage) -> int:
    netuid = stage.subnet()
    stage.register(netuid, (BOB, MINER))
    for coldkey in (BOB, CHARLIE):
        stage.stake(coldkey, MINER, netuid, 10 * TAO)
    stage.stake(BOB, MINER, 0, 5 * TAO)
    endpoint = {"version": 1, "ip": 9, "port": 7, "ip_type": 4}
    stage.call(MINER, "serve_prometheus", netuid=netuid, **endpoint)
    stage.call(BOB, "decrease_take", hotkey=MINER, take=100)
    stage.blocks(3)
    return netuid


def swap(netuid: int | None, *, keep: bool = False, new: str = FRESH) -> dict[str, Any]:
    return {"hotkey": MINER, "new_hotkey": new, "netuid": netuid, "keep_stake": keep}


def held(stage: Stage, hotkey: str, coldkey: str, netuid: int) -> int:
    return share_pool.stake_of(stage.ledger, hotkey, coldkey, netuid)


def test_everywhere(stage: Stage, netuid: int) -> None:
    before = {who: held(stage, MINER, who, netuid) for who in (BOB, CHARLIE)}
    money = balances.free(stage.ledger, BOB)
    stage.call(BOB, "swap_hotkey", hotkey=MINER, new_hotkey=FRESH, netuid=None)
    for who, stake in before.items():
        assert abs(held(stage, FRESH, who, netuid) - stake) <= 1
        assert held(stage, MINER, who, netuid) == 0
        assert FRESH in stage.read("StakingHotkeys", who)
        assert MINER not in stage.read("StakingHotkeys", who)
    assert held(stage, FRESH, BOB, 0) == 5 * TAO
    assert stage.read("Keys", netuid, 1) == FRESH
    assert stage.read("Uids", netuid, MINER) is None
    assert stage.read("Prometheus", netuid, FRESH)["port"] == 7
    assert stage.number("Delegates", FRESH) == 100
    assert stage.read("Owner", FRESH) == BOB
    assert not stage.ledger.has("SubtensorModule", "Owner", MINER)
    assert money - balances.free(stage.ledger, BOB) == 100_000_000


def test_what_root_stake_may_claim_follows_it(stage: Stage, netuid: int) -> None:
    claimable = {netuid: {"bits": 7 << 32}}
    stage.write("RootClaimable", MINER, value=claimable)
    stage.write("RootClaimed", netuid, MINER, BOB, value=11)
    stage.write("AutoParentDelegationEnabled", MINER, value=False)
    stage.call(BOB, "swap_hotkey_v2", **swap(netuid))
    assert stage.read("RootClaimable", MINER), "only root stake carries claims"
    stage.write("TxRateLimit", value=0)
    last = key("//last")
    stage.call(BOB, "swap_hotkey_v2", **swap(None, keep=True, new=key("//kept")))
    assert stage.read("RootClaimable", MINER), "stake that stays keeps its claims"
    stage.call(BOB, "try_associate_hotkey", hotkey=MINER)
    stage.blocks(3)
    stage.call(BOB, "swap_hotkey_v2", **swap(0, new=last))
    assert not stage.read("RootClaimable", MINER)
    assert stage.read("RootClaimable", last) == claimable
    assert stage.number("RootClaimed", netuid, last, BOB) == 11
    assert not stage.ledger.has("SubtensorModule", "RootClaimed", netuid, MINER, BOB)
    assert stage.read("AutoParentDelegationEnabled", last) is False
    unclean = key("//unclean")
    stage.write("RootClaimable", unclean, value=claimable)
    stage.blocks(3)
    taken = {**swap(0, new=unclean), "hotkey": last}
    refused(stage, "NewHotKeyNotCleanForRootSwap", BOB, "swap_hotkey_v2", **taken)


def test_on_one_subnet_the_old_key_lives_on(stage: Stage, netuid: int) -> None:
    stage.call(BOB, "swap_hotkey_v2", **swap(netuid))
    assert stage.read("Keys", netuid, 1) == FRESH
    assert held(stage, FRESH, CHARLIE, netuid) > 9 * TAO
    assert held(stage, MINER, BOB, 0) == 5 * TAO
    assert stage.read("Owner", MINER) == stage.read("Owner", FRESH) == BOB


def test_stake_may_stay(stage: Stage, netuid: int) -> None:
    before = held(stage, MINER, CHARLIE, netuid)
    stage.call(BOB, "swap_hotkey_v2", **swap(netuid, keep=True))
    assert held(stage, MINER, CHARLIE, netuid) == before
    assert stage.read("Keys", netuid, 1) == FRESH


def test_the_family_follows(stage: Stage, netuid: int) -> None:
    stage.write("ChildKeys", MINER, netuid, value=[(5, OWNER_HOTKEY)])
    stage.write("ParentKeys", OWNER_HOTKEY, netuid, value=[(5, MINER)])
    stage.write("ParentKeys", MINER, netuid, value=[(7, CHARLIE)])
    stage.write("ChildKeys", CHARLIE, netuid, value=[(7, MINER)])
    stage.write("PendingChildKeys", netuid, ALICE, value=([(3, MINER)], 9))
    stage.call(BOB, "swap_hotkey_v2", **swap(netuid))
    assert list(stage.read("ChildKeys", FRESH, netuid)) == [(5, OWNER_HOTKEY)]
    assert list(stage.read("ParentKeys", OWNER_HOTKEY, netuid)) == [(5, FRESH)]
    assert list(stage.read("ParentKeys", FRESH, netuid)) == [(7, CHARLIE)]
    assert list(stage.read("ChildKeys", CHARLIE, netuid)) == [(7, FRESH)]
    assert stage.read("PendingChildKeys", netuid, ALICE)[0] == [(3, FRESH)]
    assert list(stage.read("ChildKeys", MINER, netuid)) == []


def test_refusals(stage: Stage, netuid: int) -> None:
    call = "swap_hotkey_v2"
    refused(stage, "NonAssociatedColdKey", ALICE, call, **swap(netuid))
    refused(stage, "NonAssociatedColdKey", BOB, call, **swap(netuid, new=OWNER_HOTKEY))
    refused(stage, "NewHotKeyIsSameWithOld", BOB, call, **swap(netuid, new=MINER))
    other = key("//other")
    stage.register(netuid, (BOB, other))
    refused(stage, "HotKeyAlreadyRegisteredInSubNet", BOB, call, **swap(netuid, new=other))
    refused(stage, "HotKeyAlreadyRegisteredInSubNet", BOB, call, **swap(None, new=other))
    stage.call(BOB, "try_associate_hotkey", hotkey=FRESH)
    stage.stake(BOB, FRESH, 0, TAO)
    refused(stage, "NewHotKeyNotCleanForRootSwap", BOB, call, **swap(None))
    stage.call(BOB, call, **swap(netuid))
    again = {**swap(netuid, new=key("//again")), "hotkey": FRESH}
    refused(stage, "HotKeySetTxRateLimitExceeded", BOB, call, **again)
    stage.write("TxRateLimit", value=0)
    refused(stage, "HotKeySwapOnSubnetIntervalNotPassed", BOB, call, **again)
