"""Making subnets: who may, what it costs, what a new one is, and when it starts."""

from collections.abc import Callable

import pytest
from tests.sdk.devnet.pallets.refusals import refused
from tests.sdk.devnet.pallets.stage import ALICE, BOB, DAVE, OWNER_HOTKEY, TAO, Stage, key

from subnetlab.devnet.pallets import balances
from subnetlab.devnet.pallets.subtensor import money, subnet, symbols

HOTKEY = key("//newcomer")


def test_genesis_has_root_and_a_first_subnet_that_has_not_started() -> None:
    stage = Stage()
    assert stage.number("TotalNetworks") == 2
    assert stage.read("TokenSymbol", 0) == "\N{GREEK CAPITAL LETTER TAU}"
    assert stage.read("SubtokenEnabled", 0)
    assert not stage.read("SubtokenEnabled", 1)
    assert stage.number("SubnetworkN", 1) == 1
    assert balances.free(stage.ledger, money.subnet_account(1)) == stage.number("SubnetTAO", 1) == 10 * TAO


def test_a_new_subnet_is_what_the_runtime_makes() -> None:
    stage = Stage()
    stage.blocks(30)
    stage.call(ALICE, "register_network", hotkey=OWNER_HOTKEY)
    expected = {
        "MaxAllowedUids": 256,
        "MaxAllowedValidators": 64,
        "MinAllowedWeights": 1,
        "ImmunityPeriod": 5000,
        "Yuma3On": True,
        "SubnetEmissionEnabled": False,
        "SubtokenEnabled": False,
        "SubnetOwner": ALICE,
        "SubnetOwnerHotkey": OWNER_HOTKEY,
        "SubnetTAO": 1000 * TAO,
        "SubnetAlphaIn": 1000 * TAO,
        "SubnetLocked": 1000 * TAO,
        "NetworkRegisteredAt": 30,
        "LastEpochBlock": 28,
        "TokenSymbol": "β",
    }
    assert {item: stage.read(item, 2) for item in expected} == expected
    assert stage.read("Keys", 2, 0) == OWNER_HOTKEY
    assert stage.events("NetworkAdded") == [[2, 1]]
    assert balances.free(stage.ledger, money.subnet_account(2)) == 1000 * TAO


def test_the_price_doubles_and_falls_to_the_minimum_over_the_interval() -> None:
    stage = Stage()
    stage.blocks(10)
    assert subnet.lock_cost(stage.ledger) == 1000 * TAO
    stage.call(ALICE, "register_network", hotkey=OWNER_HOTKEY)
    assert subnet.lock_cost(stage.ledger) == 2000 * TAO
    stage.ledger.block_number += 50_400
    assert subnet.lock_cost(stage.ledger) == 2000 * TAO - 1000 * TAO // 100_800 * 50_400
    stage.ledger.block_number += 200_000
    assert subnet.lock_cost(stage.ledger) == 1000 * TAO


def test_a_new_pool_starts_at_the_median_price() -> None:
    stage = Stage()
    stage.write("SubnetTAO", 1, value=20 * TAO)
    stage.call(ALICE, "register_network", hotkey=OWNER_HOTKEY)
    assert stage.number("SubnetAlphaIn", 2) == 500 * TAO


def foreign_hotkey(stage: Stage) -> None:
    stage.call(BOB, "try_associate_hotkey", hotkey=HOTKEY)


def recent_registration(stage: Stage) -> None:
    stage.blocks()
    stage.write("NetworkRateLimit", value=7200)
    stage.call(BOB, "register_network", hotkey=key("//recent"))


def no_room(stage: Stage) -> None:
    stage.write("SubnetLimit", value=1)


def not_yet(stage: Stage) -> None:
    stage.write("NetworkRegistrationStartBlock", value=99)


def too_dear(stage: Stage) -> None:
    stage.write("NetworkMinLockCost", value=2_000_000 * TAO)


@pytest.mark.parametrize(
    ("prepare", "error"),
    [
        (foreign_hotkey, "NonAssociatedColdKey"),
        (not_yet, "SubNetRegistrationDisabled"),
        (recent_registration, "NetworkTxRateLimitExceeded"),
        (no_room, "SubnetLimitReached"),
        (too_dear, "CannotAffordLockCost"),
    ],
)
def test_a_registration_is_refused(prepare: Callable[[Stage], None], error: str) -> None:
    stage = Stage()
    prepare(stage)
    refused(stage, error, ALICE, "register_network", hotkey=HOTKEY)


def test_a_subnets_own_account_is_no_hotkey() -> None:
    stage = Stage()
    refused(stage, "CannotUseSystemAccount", ALICE, "register_network", hotkey=money.subnet_account(1))


def test_an_identity_comes_with_the_subnet_or_stops_it() -> None:
    stage = Stage()
    empty = dict.fromkeys(
        (
            "github_repo",
            "subnet_contact",
            "subnet_url",
            "discord",
            "description",
            "logo_url",
            "additional",
        ),
        "",
    )
    too_long = {"subnet_name": "x" * 257, **empty}
    call = "register_network_with_identity"
    refused(stage, "InvalidIdentity", ALICE, call, hotkey=HOTKEY, identity=too_long)
    stage.call(ALICE, call, hotkey=HOTKEY, identity={"subnet_name": "0xabc", **empty})
    assert stage.read("SubnetIdentitiesV3", 2)["subnet_name"] == "0xabc"


def test_starting_is_the_owners_once_and_after_the_delay() -> None:
    stage = Stage()
    netuid = stage.subnet(start=False)
    refused(stage, "SubnetNotExists", ALICE, "start_call", netuid=9)
    refused(stage, "BadOrigin", BOB, "start_call", netuid=netuid)
    refused(stage, "BadOrigin", None, "start_call", netuid=netuid)
    stage.write("StartCallDelay", value=1000)
    refused(stage, "StartCallNotReady", ALICE, "start_call", netuid=netuid)
    stage.write("StartCallDelay", value=0)
    stage.call(ALICE, "start_call", netuid=netuid)
    assert stage.number("FirstEmissionBlockNumber", netuid) == stage.ledger.block_number + 1
    refused(stage, "FirstEmissionBlockNumberAlreadySet", ALICE, "start_call", netuid=netuid)


def test_every_subnet_has_a_letter_of_its_own() -> None:
    assert len(set(symbols.SYMBOLS)) == len(symbols.SYMBOLS) == 439
    stage = Stage()
    first, second = stage.subnet(), stage.subnet(BOB, HOTKEY)
    assert [stage.read("TokenSymbol", netuid) for netuid in (first, second)] == ["β", "γ"]
    refused(stage, "SymbolAlreadyInUse", ALICE, "update_symbol", netuid=first, symbol="γ")
    refused(stage, "SymbolDoesNotExist", ALICE, "update_symbol", netuid=first, symbol="$")
    refused(stage, "BadOrigin", DAVE, "update_symbol", netuid=first, symbol="ω")
    stage.call(ALICE, "update_symbol", netuid=first, symbol="ω")
    assert stage.read("TokenSymbol", first) == "ω"
