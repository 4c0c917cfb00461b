"""Registering neurons: the price, the slots, who makes room and who never does."""

import pytest
from tests.sdk.devnet.pallets.refusals import refused
from tests.sdk.devnet.pallets.stage import ALICE, BOB, CHARLIE, DAVE, OWNER_HOTKEY, TAO, Stage, key

from subnetlab.devnet.pallets import balances
from subnetlab.devnet.pallets.subtensor import burn_price, money, uids

HOTKEYS = [key(f"//seat{number}") for number in range(12)]


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def netuid(stage: Stage) -> int:
    return stage.subnet()


def test_a_registration_pays_the_price_and_destroys_the_alpha_it_buys(stage: Stage, netuid: int) -> None:
    price, alpha = stage.number("Burn", netuid), stage.number("SubnetAlphaIn", netuid)
    out, tao = stage.number("SubnetAlphaOut", netuid), stage.number("SubnetTAO", netuid)
    before = balances.free(stage.ledger, BOB)
    stage.register(netuid, (BOB, HOTKEYS[0]))
    assert before - balances.free(stage.ledger, BOB) == price
    assert stage.number("SubnetAlphaOut", netuid) == out
    assert stage.number("SubnetAlphaIn", netuid) < alpha
    fee = price * 33 // 65535
    assert stage.number("SubnetTAO", netuid) == tao + price - fee
    assert balances.free(stage.ledger, money.BURN_ACCOUNT) == fee
    assert stage.number("RAORecycledForRegistration", netuid) == price
    assert stage.events("NeuronRegistered") == [[netuid, 1, HOTKEYS[0]]]


def test_a_new_neuron_starts_from_nothing(stage: Stage, netuid: int) -> None:
    stage.register(netuid, (BOB, HOTKEYS[0]))
    for item in ("Emission", "Consensus", "Dividends", "ValidatorTrust", "Incentive"):
        assert list(stage.read(item, netuid)) == [0, 0]
    assert list(stage.read("Active", netuid)) == [True, True]
    assert list(stage.read("ValidatorPermit", netuid)) == [False, False]
    assert stage.read("LastUpdate", netuid)[1] == stage.ledger.block_number
    assert stage.number("BlockAtRegistration", netuid, 1) == stage.ledger.block_number
    assert stage.read("Owner", HOTKEYS[0]) == BOB
    assert HOTKEYS[0] in stage.read("OwnedHotkeys", BOB)
    assert stage.read("IsNetworkMember", HOTKEYS[0], netuid)


def test_the_price_rises_with_each_and_halves_over_its_half_life(stage: Stage, netuid: int) -> None:
    price = stage.number("Burn", netuid)
    stage.register(netuid, (BOB, HOTKEYS[0]))
    risen = stage.number("Burn", netuid)
    assert risen == price * 23_242_897_532_874_035_200 >> 64
    stage.blocks(360)
    assert abs(stage.number("Burn", netuid) - risen // 2) <= risen // 1000


@pytest.mark.parametrize("half_life", [1, 2, 7, 360, 36_100])
def test_the_decay_is_the_largest_factor_that_halves_in_time(half_life: int) -> None:
    factor = burn_price.decay_per_block(half_life)
    assert burn_price._power_q32(factor, half_life) <= 1 << 31
    assert burn_price._power_q32(factor + 1, half_life) > 1 << 31 or half_life > 1000


def test_the_price_never_leaves_its_bounds(stage: Stage, netuid: int) -> None:
    stage.write("MaxBurn", netuid, value=stage.number("Burn", netuid) + 5)
    stage.register(netuid, (BOB, HOTKEYS[0]))
    assert stage.number("Burn", netuid) == stage.number("MaxBurn", netuid)
    stage.write("MinBurn", netuid, value=90_000_000)
    stage.write("BurnHalfLife", netuid, value=1)
    stage.blocks(3)
    assert stage.number("Burn", netuid) == 90_000_000


def test_refusals_in_the_chains_order(stage: Stage, netuid: int) -> None:
    call = "burned_register"
    refused(stage, "RegistrationNotPermittedOnRootSubnet", BOB, call, netuid=0, hotkey=HOTKEYS[0])
    refused(stage, "SubnetNotExists", BOB, call, netuid=9, hotkey=HOTKEYS[0])
    stage.write("NetworkRegistrationAllowed", netuid, value=False)
    refused(stage, "SubNetRegistrationDisabled", BOB, call, netuid=netuid, hotkey=OWNER_HOTKEY)
    stage.write("NetworkRegistrationAllowed", netuid, value=True)
    refused(stage, "HotKeyAlreadyRegisteredInSubNet", BOB, call, netuid=netuid, hotkey=OWNER_HOTKEY)
    poor = key("//poor")
    balances.set_free(stage.ledger, poor, stage.number("Burn", netuid) + 499)
    refused(stage, "NotEnoughBalanceToStake", poor, call, netuid=netuid, hotkey=HOTKEYS[0])
    stage.call(ALICE, "try_associate_hotkey", hotkey=HOTKEYS[1])
    refused(stage, "NonAssociatedColdKey", BOB, call, netuid=netuid, hotkey=HOTKEYS[1])
    stage.write("MaxAllowedUids", netuid, value=0)
    refused(stage, "NoNeuronIdAvailable", BOB, call, netuid=netuid, hotkey=HOTKEYS[0])
    refused(stage, "BadOrigin", None, call, netuid=netuid, hotkey=HOTKEYS[0])


def test_a_limit_on_the_price_is_kept(stage: Stage, netuid: int) -> None:
    price = stage.number("Burn", netuid)
    terms = {"netuid": netuid, "hotkey": HOTKEYS[0]}
    call = "register_limit"
    refused(stage, "RegistrationPriceLimitExceeded", BOB, call, limit_price=price - 1, **terms)
    stage.call(BOB, call, limit_price=price, **terms)
    assert stage.read("Uids", netuid, HOTKEYS[0]) == 1


def full_subnet(stage: Stage, netuid: int, emissions: list[int]) -> None:
    """Fill a subnet: the owner's uid 0, then one neuron per emission, all past immunity."""
    for hotkey in HOTKEYS[: len(emissions)]:
        stage.register(netuid, (BOB, hotkey))
        stage.blocks()
    stage.write("Emission", netuid, value=[0, *emissions])
    stage.write("MaxAllowedUids", netuid, value=len(emissions) + 1)
    stage.write("MinNonImmuneUids", netuid, value=0)
    stage.write("ImmunityPeriod", netuid, value=0)


def test_the_least_emission_makes_room_and_the_oldest_of_equals(stage: Stage, netuid: int) -> None:
    full_subnet(stage, netuid, [9, 4, 4, 7])
    assert uids.prunable(stage.ledger, netuid) == 2
    stage.call(CHARLIE, "burned_register", netuid=netuid, hotkey=HOTKEYS[9])
    assert stage.read("Keys", netuid, 2) == HOTKEYS[9]
    assert stage.read("Uids", netuid, HOTKEYS[1]) is None
    assert not stage.read("IsNetworkMember", HOTKEYS[1], netuid)


def test_immune_neurons_go_last_and_the_owner_never(stage: Stage, netuid: int) -> None:
    full_subnet(stage, netuid, [1, 8])
    stage.write("ImmunityPeriod", netuid, value=1)
    stage.write("BlockAtRegistration", netuid, 1, value=stage.ledger.block_number)
    assert uids.prunable(stage.ledger, netuid) == 2
    stage.write("ImmunityPeriod", netuid, value=5000)
    assert uids.prunable(stage.ledger, netuid) == 1
    stage.write("MaxAllowedUids", netuid, value=1)
    stage.write("SubnetworkN", netuid, value=1)
    refused(stage, "NoNeuronIdAvailable", DAVE, "burned_register", netuid=netuid, hotkey=HOTKEYS[9])


def test_a_subnet_keeps_its_least_number_of_prunable_neurons(stage: Stage, netuid: int) -> None:
    full_subnet(stage, netuid, [1, 8, 3])
    stage.write("MinNonImmuneUids", netuid, value=3)
    assert uids.prunable(stage.ledger, netuid) is None
    stage.write("MinNonImmuneUids", netuid, value=2)
    assert uids.prunable(stage.ledger, netuid) == 1


def test_a_replaced_neurons_traces_are_gone(stage: Stage, netuid: int) -> None:
    full_subnet(stage, netuid, [0, 5])
    served = {"version": 1, "ip": 1, "port": 2, "ip_type": 4}
    stage.call(HOTKEYS[0], "serve_prometheus", netuid=netuid, **served)
    stage.write("Weights", netuid, 2, value=[(1, 700), (2, 65_535)])
    stage.write("Weights", netuid, 1, value=[(2, 1)])
    stage.write("Bonds", netuid, 1, value=[(2, 1)])
    stage.call(CHARLIE, "burned_register", netuid=netuid, hotkey=HOTKEYS[9])
    assert stage.read("Prometheus", netuid, HOTKEYS[0]) is None
    assert list(stage.read("Weights", netuid, 2)) == [(1, 0), (2, 65_535)]
    assert list(stage.read("Weights", netuid, 1)) == []
    assert list(stage.read("Bonds", netuid, 1)) == []


def test_root_seats_go_to_the_larger_stake(stage: Stage) -> None:
    stage.write("MaxRegistrationsPerBlock", 0, value=9)
    stage.write("TargetRegistrationsPerInterval", 0, value=9)
    stage.write("MaxAllowedUids", 0, value=2)
    for hotkey in HOTKEYS[:2]:
        stage.call(BOB, "root_register", hotkey=hotkey)
        assert stage.ledger.has("SubtensorModule", "Delegates", hotkey)
    stage.stake(BOB, HOTKEYS[0], 0, 5 * TAO)
    refused(stage, "HotKeyAlreadyRegisteredInSubNet", BOB, "root_register", hotkey=HOTKEYS[0])
    refused(stage, "StakeTooLowForRoot", CHARLIE, "root_register", hotkey=HOTKEYS[2])
    stage.call(CHARLIE, "try_associate_hotkey", hotkey=HOTKEYS[2])
    stage.stake(CHARLIE, HOTKEYS[2], 0, 3 * TAO)
    stage.call(CHARLIE, "root_register", hotkey=HOTKEYS[2])
    assert stage.read("Keys", 0, 1) == HOTKEYS[2]


def test_root_admits_one_per_block(stage: Stage) -> None:
    stage.call(BOB, "root_register", hotkey=HOTKEYS[0])
    refused(stage, "TooManyRegistrationsThisBlock", BOB, "root_register", hotkey=HOTKEYS[1])
    stage.blocks()
    stage.call(BOB, "root_register", hotkey=HOTKEYS[1])


def test_root_admits_three_before_its_first_tempo_has_passed(stage: Stage) -> None:
    for hotkey in HOTKEYS[:3]:
        stage.call(BOB, "root_register", hotkey=hotkey)
        stage.blocks()
    refused(stage, "TooManyRegistrationsThisInterval", BOB, "root_register", hotkey=HOTKEYS[3])
    stage.blocks(100)
    stage.call(BOB, "root_register", hotkey=HOTKEYS[3])
