"""Stake that changes its hotkey, its subnet or its owner."""

from typing import Any

import pytest
from tests.sdk.devnet.pallets.refusals import refused
from tests.sdk.devnet.pallets.stage import BOB, CHARLIE, OWNER_HOTKEY, TAO, Stage, key

from subnetlab.devnet.pallets import balances, swap
from subnetlab.devnet.pallets.subtensor import money, share_pool

OTHER_HOTKEY = key("//other")
ROOT = 0


class Place:
    """Two started subnets and twenty TAO of Bob's on the first."""

    def __init__(self) -> None:
        self.stage = Stage()
        self.first = self.stage.subnet()
        self.second = self.stage.subnet(CHARLIE, OTHER_HOTKEY)
        self.stage.stake(BOB, OWNER_HOTKEY, self.first, 20 * TAO)

    def held(self, netuid: int, coldkey: str = BOB, hotkey: str = OWNER_HOTKEY) -> int:
        return share_pool.stake_of(self.stage.ledger, hotkey, coldkey, netuid)

    def move(self, **terms: Any) -> dict[str, Any]:
        return {
            "origin_hotkey": OWNER_HOTKEY,
            "destination_hotkey": OTHER_HOTKEY,
            "origin_netuid": self.first,
            "destination_netuid": self.first,
            "alpha_amount": 5 * TAO,
            **terms,
        }


@pytest.fixture
def place() -> Place:
    return Place()


def test_within_a_subnet_nothing_is_traded_or_charged(place: Place) -> None:
    pool, before = swap.pool_of(place.stage.ledger, place.first), place.held(place.first)
    place.stage.call(BOB, "move_stake", **place.move())
    assert place.held(place.first) == before - 5 * TAO
    assert place.held(place.first, hotkey=OTHER_HOTKEY) == 5 * TAO
    assert swap.pool_of(place.stage.ledger, place.first) == pool
    assert len(place.stage.events("StakeMoved")) == 1
    assert place.stage.ledger.has("SubtensorModule", "Delegates", OTHER_HOTKEY)


def test_across_subnets_one_fee_is_paid(place: Place) -> None:
    before = balances.free(place.stage.ledger, BOB)
    sale = swap.sell(place.stage.ledger, place.first, 5 * TAO)
    terms = {"hotkey": OWNER_HOTKEY, "origin_netuid": place.first, "destination_netuid": place.second}
    place.stage.call(BOB, "swap_stake", alpha_amount=5 * TAO, **terms)
    bought = swap.buy(place.stage.ledger, place.second, sale.paid, fees=False)
    assert place.held(place.second) > bought.paid
    assert balances.free(place.stage.ledger, BOB) == before
    (fields,) = place.stage.events("StakeSwapped")
    assert fields == [BOB, OWNER_HOTKEY, place.first, place.second, sale.paid]


def test_from_root_the_purchase_pays_the_fee(place: Place) -> None:
    place.stage.stake(BOB, OWNER_HOTKEY, ROOT, 10 * TAO)
    bought = swap.buy(place.stage.ledger, place.second, 10 * TAO)
    terms = {"hotkey": OWNER_HOTKEY, "origin_netuid": ROOT, "destination_netuid": place.second}
    place.stage.call(BOB, "swap_stake", alpha_amount=10 * TAO, **terms)
    assert place.held(place.second) == bought.paid


def test_stake_changes_hands_only_where_the_subnet_allows_it(place: Place) -> None:
    terms = {
        "destination_coldkey": CHARLIE,
        "hotkey": OWNER_HOTKEY,
        "origin_netuid": place.first,
        "destination_netuid": place.first,
        "alpha_amount": 5 * TAO,
    }
    place.stage.write("TransferToggle", place.first, value=False)
    refused(place.stage, "TransferDisallowed", BOB, "transfer_stake", **terms)
    place.stage.write("TransferToggle", place.first, value=True)
    place.stage.call(BOB, "transfer_stake", **terms)
    assert place.held(place.first, CHARLIE) == 5 * TAO


def test_stake_changes_hands_across_subnets_and_hotkeys(place: Place) -> None:
    terms = place.move(destination_coldkey=CHARLIE, destination_netuid=place.second)
    place.stage.call(BOB, "transfer_stake_and_hotkey", **terms)
    assert place.held(place.second, CHARLIE, OTHER_HOTKEY) > 4 * TAO
    (fields,) = place.stage.events("StakeAndHotkeyTransferred")
    assert fields["destination_coldkey"] == CHARLIE


@pytest.mark.parametrize(
    ("terms", "error"),
    [
        ({"destination_hotkey": OWNER_HOTKEY}, "SameNetuid"),
        ({"destination_netuid": 9}, "SubnetNotExists"),
        ({"destination_netuid": 1}, "SubtokenDisabled"),
        ({"destination_hotkey": key("//unknown")}, "HotKeyAccountNotExists"),
        ({"destination_netuid": 3, "alpha_amount": 1_500_000}, "AmountTooLow"),
        ({"alpha_amount": 1_000}, "AmountTooLow"),
        ({"alpha_amount": 30 * TAO}, "NotEnoughStakeToWithdraw"),
    ],
)
def test_a_move_is_refused(place: Place, terms: dict[str, Any], error: str) -> None:
    refused(place.stage, error, BOB, "move_stake", **place.move(**terms))


def test_a_move_keeps_to_its_limit(place: Place) -> None:
    relative = swap.price_rao(place.stage.ledger, place.first)
    to = {"destination_netuid": place.second, "alpha_amount": 15 * TAO}
    strict = place.move(**to, limit_price=relative * 999 // 1000, allow_partial=False)
    refused(place.stage, "SlippageTooHigh", BOB, "move_stake_limit", **strict)
    place.stage.call(BOB, "move_stake_limit", **{**strict, "allow_partial": True})
    moved = 20 * TAO - place.held(place.first)
    assert 0 < moved < 15 * TAO
    terms = {"hotkey": OWNER_HOTKEY, "origin_netuid": place.first, "destination_netuid": ROOT}
    refused(
        place.stage,
        "SlippageTooHigh",
        BOB,
        "swap_stake_limit",
        alpha_amount=5 * TAO,
        limit_price=relative * 999 // 1000,
        allow_partial=False,
        **terms,
    )


def test_every_subnets_account_still_holds_its_reserve(place: Place) -> None:
    place.stage.call(BOB, "move_stake", **place.move(destination_netuid=place.second))
    place.stage.call(BOB, "move_stake", **place.move(destination_netuid=ROOT))
    for netuid in (place.first, place.second, ROOT):
        account = balances.free(place.stage.ledger, money.subnet_account(netuid))
        assert account == place.stage.number("SubnetTAO", netuid)
