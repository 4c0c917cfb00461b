"""Stake in and out of pools: amounts, fees, limits, and every refusal without a trace."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.sdk.devnet.pallets.refusals import refused
from tests.sdk.devnet.pallets.stage import ALICE, BOB, CHARLIE, DAVE, OWNER_HOTKEY, TAO, Stage, key

from subnetlab.devnet.pallets import balances, swap
from subnetlab.devnet.pallets.subtensor import money, share_pool
from subnetlab.yuma import pool as pools

AUTHOR = key("//author")
ROOT = 0


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def netuid(stage: Stage) -> int:
    return stage.subnet()


def held(stage: Stage, coldkey: str, netuid: int, hotkey: str = OWNER_HOTKEY) -> int:
    return share_pool.stake_of(stage.ledger, hotkey, coldkey, netuid)


def test_a_purchase_pays_what_the_pool_says(stage: Stage, netuid: int) -> None:
    before = swap.pool_of(stage.ledger, netuid)
    expected = pools.buy(before, 10 * TAO)
    assert isinstance(expected, pools.Swap)
    money_before = balances.free(stage.ledger, BOB)
    out, total = stage.number("SubnetAlphaOut", netuid), stage.number("TotalStake")
    stage.stake(BOB, OWNER_HOTKEY, netuid, 10 * TAO)
    assert held(stage, BOB, netuid) == expected.paid
    assert swap.pool_of(stage.ledger, netuid) == expected.after
    assert money_before - balances.free(stage.ledger, BOB) == 10 * TAO
    assert stage.number("SubnetAlphaOut", netuid) == out + expected.paid
    assert stage.number("TotalStake") == total + 10 * TAO
    assert OWNER_HOTKEY in stage.read("StakingHotkeys", BOB)
    assert stage.events("StakeAdded") == [[BOB, OWNER_HOTKEY, 10 * TAO, expected.paid, netuid, expected.fee]]


def test_the_subnets_account_holds_its_reserve(stage: Stage, netuid: int) -> None:
    stage.stake(BOB, OWNER_HOTKEY, netuid, 10 * TAO)
    stage.call(BOB, "remove_stake", hotkey=OWNER_HOTKEY, netuid=netuid, amount_unstaked=3 * TAO)
    account = balances.free(stage.ledger, money.subnet_account(netuid))
    assert account == stage.number("SubnetTAO", netuid)


def test_fees_go_to_the_author_or_are_burnt(stage: Stage, netuid: int) -> None:
    stage.stake(BOB, OWNER_HOTKEY, netuid, 10 * TAO)
    burnt = balances.free(stage.ledger, money.BURN_ACCOUNT)
    assert burnt == pools.fee_of(10 * TAO)
    stage.ledger.author = AUTHOR
    stage.stake(BOB, OWNER_HOTKEY, netuid, 10 * TAO)
    assert balances.free(stage.ledger, AUTHOR) == pools.fee_of(10 * TAO)
    stage.call(BOB, "remove_stake", hotkey=OWNER_HOTKEY, netuid=netuid, amount_unstaked=5 * TAO)
    assert balances.free(stage.ledger, AUTHOR) > pools.fee_of(10 * TAO)
    assert balances.free(stage.ledger, money.BURN_ACCOUNT) == burnt


def test_an_alpha_fee_without_an_author_is_counted_as_burnt(stage: Stage, netuid: int) -> None:
    stage.stake(BOB, OWNER_HOTKEY, netuid, 10 * TAO)
    stage.call(BOB, "remove_stake", hotkey=OWNER_HOTKEY, netuid=netuid, amount_unstaked=TAO)
    assert int(stage.ledger.get("AlphaAssets", "AlphaBurned", netuid)) == pools.fee_of(TAO)


def test_root_is_one_to_one_and_free(stage: Stage) -> None:
    stage.call(BOB, "try_associate_hotkey", hotkey=OWNER_HOTKEY)
    stage.stake(BOB, OWNER_HOTKEY, ROOT, 7 * TAO)
    assert held(stage, BOB, ROOT) == 7 * TAO
    before = balances.free(stage.ledger, BOB)
    stage.call(BOB, "remove_stake", hotkey=OWNER_HOTKEY, netuid=ROOT, amount_unstaked=2 * TAO)
    assert balances.free(stage.ledger, BOB) == before + 2 * TAO
    assert stage.number("SubnetTAO", ROOT) == 5 * TAO


def test_unstaking_more_than_is_held_unstakes_all(stage: Stage, netuid: int) -> None:
    stage.stake(BOB, OWNER_HOTKEY, netuid, 10 * TAO)
    stage.call(BOB, "remove_stake", hotkey=OWNER_HOTKEY, netuid=netuid, amount_unstaked=2**63)
    assert held(stage, BOB, netuid) == 0


def unstarted(stage: Stage, netuid: int) -> None:
    stage.write("SubtokenEnabled", netuid, value=False)


def nothing(_stage: Stage, _netuid: int) -> None:
    return


@pytest.mark.parametrize(
    ("prepare", "who", "terms", "error"),
    [
        (nothing, BOB, {"netuid": 9}, "SubnetNotExists"),
        (unstarted, BOB, {}, "SubtokenDisabled"),
        (nothing, BOB, {"amount_staked": 2_000_000}, "AmountTooLow"),
        (nothing, DAVE, {"amount_staked": 3_000 * TAO}, "NotEnoughBalanceToStake"),
        (nothing, BOB, {"hotkey": key("//unknown")}, "HotKeyAccountNotExists"),
        (nothing, BOB, {"amount_staked": 2_000_000 * TAO}, "InsufficientLiquidity"),
        (nothing, None, {}, "BadOrigin"),
    ],
)
def test_a_purchase_is_refused(
    *,
    stage: Stage,
    netuid: int,
    prepare: Callable[[Stage, int], None],
    who: str | None,
    terms: dict[str, Any],
    error: str,
) -> None:
    prepare(stage, netuid)
    arguments = {"hotkey": OWNER_HOTKEY, "netuid": netuid, "amount_staked": 10 * TAO, **terms}
    refused(stage, error, who, "add_stake", **arguments)


@pytest.mark.parametrize(
    ("terms", "error"),
    [
        ({"netuid": 9}, "SubtokenDisabled"),
        ({"amount_unstaked": 0}, "AmountTooLow"),
        ({"amount_unstaked": 1_000_000}, "AmountTooLow"),
        ({"hotkey": key("//unknown")}, "AmountTooLow"),
    ],
)
def test_a_sale_is_refused(stage: Stage, netuid: int, terms: dict[str, Any], error: str) -> None:
    stage.stake(BOB, OWNER_HOTKEY, netuid, 10 * TAO)
    arguments = {"hotkey": OWNER_HOTKEY, "netuid": netuid, "amount_unstaked": TAO, **terms}
    refused(stage, error, BOB, "remove_stake", **arguments)


def limited(netuid: int, amount: int, limit: int, *, partial: bool, sell: bool = False) -> dict[str, Any]:
    name = "amount_unstaked" if sell else "amount_staked"
    terms = {"hotkey": OWNER_HOTKEY, "netuid": netuid, name: amount}
    return {**terms, "limit_price": limit, "allow_partial": partial}


def test_a_limit_fills_whole_in_part_or_not_at_all(stage: Stage, netuid: int) -> None:
    limit = TAO * 11 // 10
    refused(
        stage, "SlippageTooHigh", BOB, "add_stake_limit", **limited(netuid, 200 * TAO, limit, partial=False)
    )
    before = balances.free(stage.ledger, BOB)
    stage.call(BOB, "add_stake_limit", **limited(netuid, 200 * TAO, limit, partial=True))
    spent = before - balances.free(stage.ledger, BOB)
    assert 0 < spent < 60 * TAO
    assert abs(swap.price_rao(stage.ledger, netuid) - limit) <= 1
    assert stage.number("SubnetTAO", netuid) == balances.free(stage.ledger, money.subnet_account(netuid))
    refused(stage, "PriceLimitExceeded", BOB, "add_stake_limit", **limited(netuid, TAO, TAO, partial=True))


def test_a_sale_stops_at_its_limit_and_keeps_the_rest(stage: Stage, netuid: int) -> None:
    stage.stake(BOB, OWNER_HOTKEY, netuid, 300 * TAO)
    alpha, price = held(stage, BOB, netuid), swap.price_rao(stage.ledger, netuid)
    limit = price * 95 // 100
    terms = limited(netuid, alpha, limit, partial=False, sell=True)
    refused(stage, "SlippageTooHigh", BOB, "remove_stake_limit", **terms)
    stage.call(BOB, "remove_stake_limit", **limited(netuid, alpha, limit, partial=True, sell=True))
    assert 0 < held(stage, BOB, netuid) < alpha
    assert abs(swap.price_rao(stage.ledger, netuid) - limit) <= 1


def test_a_nominator_makes_the_hotkey_a_delegate(stage: Stage, netuid: int) -> None:
    stage.call(BOB, "add_stake_limit", **limited(netuid, 10 * TAO, 2 * TAO, partial=False))
    assert stage.ledger.has("SubtensorModule", "Delegates", OWNER_HOTKEY)


def test_the_whole_position_can_go_at_once(stage: Stage, netuid: int) -> None:
    stage.stake(BOB, OWNER_HOTKEY, netuid, 10 * TAO)
    call = "remove_stake_full_limit"
    refused(stage, "SubnetNotExists", BOB, call, hotkey=OWNER_HOTKEY, netuid=9, limit_price=None)
    stage.call(BOB, call, hotkey=OWNER_HOTKEY, netuid=netuid, limit_price=TAO // 2)
    assert held(stage, BOB, netuid) == 0
    stage.stake(BOB, OWNER_HOTKEY, netuid, 10 * TAO)
    stage.call(BOB, call, hotkey=OWNER_HOTKEY, netuid=netuid, limit_price=None)
    assert held(stage, BOB, netuid) == 0


def test_unstaking_everywhere(stage: Stage, netuid: int) -> None:
    second = stage.subnet(CHARLIE, key("//second"))
    for place in (netuid, second, ROOT):
        stage.stake(BOB, OWNER_HOTKEY, place, 10 * TAO)
    stage.call(BOB, "unstake_all_alpha", hotkey=OWNER_HOTKEY)
    assert held(stage, BOB, netuid) == held(stage, BOB, second) == 0
    assert held(stage, BOB, ROOT) > 29 * TAO
    stage.call(BOB, "unstake_all", hotkey=OWNER_HOTKEY)
    assert held(stage, BOB, ROOT) == 0
    refused(stage, "HotKeyAccountNotExists", BOB, "unstake_all", hotkey=key("//unknown"))


def test_a_nomination_below_the_minimum_is_cleared(stage: Stage, netuid: int) -> None:
    stage.stake(BOB, OWNER_HOTKEY, netuid, 10 * TAO)
    stage.call(None, "sudo_set_nominator_min_required_stake", "AdminUtils", min_stake=5 * TAO)
    assert held(stage, BOB, netuid) > 0
    stage.call(BOB, "remove_stake", hotkey=OWNER_HOTKEY, netuid=netuid, amount_unstaked=6 * TAO)
    assert held(stage, BOB, netuid) == 0
    stage.stake(BOB, OWNER_HOTKEY, netuid, 10 * TAO)
    stage.call(None, "sudo_set_nominator_min_required_stake", "AdminUtils", min_stake=50 * TAO)
    assert held(stage, BOB, netuid) == 0


def test_the_trading_fee_is_the_owners_and_roots_to_set(stage: Stage, netuid: int) -> None:
    refused(stage, "BadOrigin", BOB, "set_fee_rate", module="Swap", netuid=netuid, rate=1)
    refused(stage, "FeeRateTooHigh", ALICE, "set_fee_rate", module="Swap", netuid=netuid, rate=1001)
    refused(stage, "MechanismDoesNotExist", None, "set_fee_rate", module="Swap", netuid=9, rate=1)
    stage.call(ALICE, "set_fee_rate", "Swap", netuid=netuid, rate=0)
    assert swap.fee(stage.ledger, netuid, TAO) == 0
    refused(stage, "Deprecated", ALICE, "disable_lp", module="Swap")


def test_stake_can_be_recycled_or_burnt(stage: Stage, netuid: int) -> None:
    stage.stake(BOB, OWNER_HOTKEY, netuid, 10 * TAO)
    out, terms = stage.number("SubnetAlphaOut", netuid), {"hotkey": OWNER_HOTKEY, "netuid": netuid}
    stage.call(BOB, "recycle_alpha", amount=2 * TAO, **terms)
    assert stage.number("SubnetAlphaOut", netuid) == out - 2 * TAO
    stage.call(BOB, "burn_alpha", amount=3 * TAO, **terms)
    assert stage.number("SubnetAlphaOut", netuid) == out - 2 * TAO
    assert int(stage.ledger.get("AlphaAssets", "AlphaBurned", netuid)) == 3 * TAO
    before = held(stage, BOB, netuid)
    stage.call(BOB, "add_stake_burn", amount=TAO, limit=None, **terms)
    assert abs(held(stage, BOB, netuid) - before) <= 1
    root = {"hotkey": OWNER_HOTKEY, "netuid": ROOT, "amount": TAO}
    refused(stage, "CannotBurnOrRecycleOnRootSubnet", BOB, "burn_alpha", **root)
    refused(stage, "SubnetNotExists", BOB, "burn_alpha", **{**root, "netuid": 9})


def test_miner_pay_can_be_sent_to_another_hotkey(stage: Stage, netuid: int) -> None:
    other, call = key("//other"), "set_coldkey_auto_stake_hotkey"
    refused(stage, "HotKeyNotRegisteredInSubNet", BOB, call, netuid=netuid, hotkey=other)
    stage.register(netuid, (CHARLIE, other))
    stage.call(BOB, call, netuid=netuid, hotkey=OWNER_HOTKEY)
    stage.call(BOB, call, netuid=netuid, hotkey=other)
    refused(stage, "SameAutoStakeHotkeyAlreadySet", BOB, call, netuid=netuid, hotkey=other)
    assert stage.read("AutoStakeDestination", BOB, netuid) == other
    assert list(stage.read("AutoStakeDestinationColdkeys", OWNER_HOTKEY, netuid)) == []
    assert list(stage.read("AutoStakeDestinationColdkeys", other, netuid)) == [BOB]


def test_a_subnets_account_keeps_its_last_dust_and_pays_it_out(stage: Stage) -> None:
    """Reserve and account move together, so the last stake can be taken out."""
    account, before = money.subnet_account(ROOT), stage.number("SubnetTAO", ROOT)
    issued = int(stage.ledger.get("Balances", "TotalIssuance"))
    stage.ledger.state.put(stage.ledger.codec.key("System", "Account", account), None)
    balances.deposit(stage.ledger, account, 10 * TAO)
    money.pay_from_subnet(stage.ledger, ROOT, BOB, 10 * TAO - 499)
    assert balances.free(stage.ledger, account) == 499
    assert int(stage.ledger.get("Balances", "TotalIssuance")) == issued
    money.pay_from_subnet(stage.ledger, ROOT, BOB, 499)
    assert balances.free(stage.ledger, account) == 0
    assert stage.number("SubnetTAO", ROOT) == before
