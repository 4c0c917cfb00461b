"""When epochs run and what a block emits, before and after a subnet starts."""

from itertools import pairwise

import pytest
from tests.sdk.devnet.pallets.stage import BOB, CHARLIE, OWNER_HOTKEY, TAO, Stage, key

from subnetlab.devnet.pallets.subtensor import coinbase, emission, schedule


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_an_epoch_comes_every_tempo_blocks(stage: Stage) -> None:
    netuid = stage.subnet()
    stage.until_epoch(netuid)
    ran = []
    for _ in range(24):
        stage.blocks()
        if stage.number("LastEpochBlock", netuid) == stage.ledger.block_number:
            ran.append(stage.ledger.block_number)
            assert stage.number("BlocksSinceLastStep", netuid) == 0
            assert stage.number("LastMechansimStepBlock", netuid) == stage.ledger.block_number
        else:
            assert stage.number("BlocksSinceLastStep", netuid) > 0
    assert len(ran) == 3
    assert {later - earlier for earlier, later in pairwise(ran)} == {8}


def test_tempo_zero_means_never(stage: Stage) -> None:
    netuid = stage.subnet()
    stage.write("Tempo", netuid, value=0)
    index = stage.number("SubnetEpochIndex", netuid)
    stage.blocks(30)
    assert stage.number("SubnetEpochIndex", netuid) == index


def test_an_owner_may_bring_an_epoch_forward(stage: Stage) -> None:
    netuid = stage.subnet()
    stage.write("Tempo", netuid, value=360)
    stage.write("PendingEpochAt", netuid, value=stage.ledger.block_number + 3)
    stage.until_epoch(netuid)
    assert stage.number("PendingEpochAt", netuid) == 0
    assert stage.number("LastEpochBlock", netuid) == stage.ledger.block_number


def test_a_subnet_that_was_never_stepped_for_too_long_runs(stage: Stage) -> None:
    netuid = stage.subnet()
    stage.write("Tempo", netuid, value=65_535)
    stage.write("BlocksSinceLastStep", netuid, value=schedule.MAX_TEMPO)
    stage.blocks()
    assert stage.number("LastEpochBlock", netuid) == stage.ledger.block_number


def test_epochs_beyond_the_limit_wait_a_block(stage: Stage) -> None:
    """As in test_epochs_deferred_this_block_respects_cap of the chain's coinbase tests."""
    one, two = stage.subnet(), stage.subnet(BOB, key("//Bob//hotkey"))
    stage.write("MaxEpochsPerBlock", value=1)
    stage.blocks(8)
    now = stage.ledger.block_number
    for netuid in (one, two):
        stage.write("LastEpochBlock", netuid, value=now - 7)
    stage.blocks()
    assert stage.number("LastEpochBlock", one) == now + 1
    assert stage.number("LastEpochBlock", two) == now - 7
    assert stage.events("EpochDeferred") == [{"netuid": two, "from_block": now + 1, "to_block": now + 2}]
    stage.blocks()
    assert stage.number("LastEpochBlock", two) == now + 2


def test_an_inconsistent_subnet_is_skipped_and_keeps_what_waits(stage: Stage) -> None:
    netuid = stage.subnet()
    stage.register(netuid, (CHARLIE, key("//v")))
    stage.write("Keys", netuid, 1, value=OWNER_HOTKEY)
    waiting = stage.number("PendingServerEmission", netuid)
    while not stage.events("EpochSkipped"):
        stage.blocks()
    assert stage.events("EpochSkipped") == [{"netuid": netuid, "block": stage.ledger.block_number}]
    assert stage.number("PendingServerEmission", netuid) > waiting
    assert stage.number("LastMechansimStepBlock", netuid) == 0


def test_nothing_is_emitted_before_the_start(stage: Stage) -> None:
    """As in test_run_coinbase_not_started of the chain's coinbase tests."""
    netuid = stage.subnet(start=False)
    issued = stage.number("TotalIssuance")
    stage.blocks(3)
    assert stage.number("TotalIssuance") == issued
    assert stage.number("SubnetAlphaOut", netuid) == 0
    stage.call(key("//Alice"), "start_call", netuid=netuid)
    stage.blocks(2)
    assert stage.number("SubnetAlphaOut", netuid) > 0


def test_a_subnet_without_tao_still_mints_its_alpha(stage: Stage) -> None:
    netuid = stage.subnet()
    stage.write("SubnetMovingPrice", netuid, value={"bits": 1 << 30})
    stage.write("SubnetEmissionEnabled", netuid, value=False)
    stage.blocks()
    before, issued = stage.number("SubnetTAO", netuid), stage.number("TotalIssuance")
    stage.blocks()
    assert stage.number("SubnetTAO", netuid) == before
    assert stage.number("TotalIssuance") == issued
    assert stage.number("SubnetAlphaOutEmission", netuid) == TAO
    assert stage.number("SubnetTaoInEmission", netuid) == stage.number("SubnetExcessTao", netuid) == 0


def test_without_root_stake_tao_buys_alpha_nobody_holds(stage: Stage) -> None:
    netuid = stage.subnet()
    stage.write("SubnetMovingPrice", netuid, value={"bits": 1 << 30})
    before = stage.number("SubnetTAO", netuid)
    protocol = stage.number("SubnetProtocolAlpha", netuid)
    stage.blocks()
    assert stage.number("SubnetTAO", netuid) - before == stage.number("SubnetExcessTao", netuid)
    assert stage.number("SubnetExcessTao", netuid) == pytest.approx(TAO, abs=2)
    assert stage.number("SubnetProtocolAlpha", netuid) > protocol


def test_with_root_stake_tao_and_alpha_enter_side_by_side(stage: Stage) -> None:
    netuid = stage.subnet()
    stage.stake(CHARLIE, OWNER_HOTKEY, 0, 500_000 * TAO)
    stage.write("SubnetMovingPrice", netuid, value={"bits": 1 << 30})
    price = emission.swap.price(stage.ledger, netuid)
    stage.blocks()
    tao, alpha = stage.number("SubnetTaoInEmission", netuid), stage.number("SubnetAlphaInEmission", netuid)
    assert tao > 0
    assert alpha > 0
    assert tao / alpha == pytest.approx(price / 2**64, rel=1e-6)
    assert tao + stage.number("SubnetExcessTao", netuid) == pytest.approx(TAO, abs=2)


def test_tao_begins_to_flow_when_the_moving_price_leaves_zero(stage: Stage) -> None:
    """Smoothed prices keep 32 fractional bits, so the first blocks after a start round to nothing."""
    netuid = stage.subnet()
    stage.blocks(3)
    assert stage.number("SubnetExcessTao", netuid) == 0
    stage.blocks(40)
    assert stage.number("SubnetExcessTao", netuid) == pytest.approx(TAO, abs=2)


def test_the_gate_stands_at_the_smallest_of_few_subnets(stage: Stage) -> None:
    """Fewer subnets than the bar's rank: the smaller of two passes half of its share, and gets less TAO."""
    one, two = stage.subnet(), stage.subnet(BOB, key("//Bob//hotkey"))
    for netuid, whole in ((one, 1), (two, 3)):
        stage.write("SubnetMovingPrice", netuid, value={"bits": whole << 30})
    stage.blocks(360 - stage.ledger.block_number % 360 - 1)
    stage.write("SubnetMovingPrice", one, value={"bits": 1 << 30})
    stage.write("SubnetMovingPrice", two, value={"bits": 3 << 30})
    stage.blocks()
    assert stage.read("EmissionGateBar")["bits"] == pytest.approx(2**64 / 4, rel=1e-9)
    small, large = stage.number("SubnetExcessTao", one), stage.number("SubnetExcessTao", two)
    assert large / small == pytest.approx((0.75 * 27 / 28) / (0.25 / 2), rel=1e-6)
    assert small + large == pytest.approx(TAO, abs=4)


def test_emission_stops_at_the_supply(stage: Stage) -> None:
    netuid = stage.subnet()
    stage.write("SubnetMovingPrice", netuid, value={"bits": 1 << 30})
    stage.write("TotalIssuance", value=21_000_000 * TAO)
    before = stage.number("SubnetTAO", netuid)
    stage.blocks()
    assert stage.number("BlockEmission") == 0
    assert stage.number("SubnetTAO", netuid) == before


def test_owner_cut_can_be_switched_off(stage: Stage) -> None:
    """As in test_disabling_owner_cut_sends_subnet_emission_to_miners_and_validators."""
    netuid = stage.subnet()
    stage.until_epoch(netuid)
    stage.write("OwnerCutEnabled", netuid, value=False)
    stage.blocks()
    assert stage.number("PendingOwnerCut", netuid) == 0
    assert stage.number("PendingServerEmission", netuid) == TAO // 2
    assert stage.number("PendingValidatorEmission", netuid) == TAO // 2


def test_pending_children_take_effect_with_the_epoch(stage: Stage) -> None:
    netuid = stage.subnet()
    parent, child = key("//parent"), key("//child")
    stage.register(netuid, (CHARLIE, parent), (CHARLIE, child))
    pending = ([(2**63, child)], stage.ledger.block_number)
    stage.write("PendingChildKeys", netuid, parent, value=pending)
    stage.until_epoch(netuid)
    assert [tuple(entry) for entry in stage.read("ChildKeys", parent, netuid)] == [(2**63, child)]


def test_hooks_are_entered_once() -> None:
    from subnetlab.devnet.chain.registry import HOOKS

    orders = [order for order, hook in HOOKS if hook in (coinbase.run_coinbase, coinbase.follow_up)]
    assert orders == [300, 400]
