"""Epochs over storage: what is read, what is written, who is paid how much, and when."""

import pytest
from tests.sdk.devnet.pallets.stage import ALICE, BOB, CHARLIE, DAVE, OWNER_HOTKEY, TAO, Stage, key

from subnetlab.devnet.pallets.subtensor import emission, epoch, payout, share_pool
from subnetlab.devnet.pallets.subtensor.payout import Pending
from subnetlab.units import U16_MAX
from subnetlab.yuma import vectors
from subnetlab.yuma.emission import split_alpha
from subnetlab.yuma.epoch import Epoch, run_epoch
from subnetlab.yuma.fixed import U64F64, U96F32

BIG, SMALL = key("//big"), key("//small")
MINERS = [key(f"//miner{number}") for number in range(3)]
TAKE = 11_796 / U16_MAX


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def netuid(stage: Stage) -> int:
    """Owner at uid 0, validators at 1 and 2, miners of Bob at 3 to 5; permits given, weights set."""
    made = stage.subnet()
    stage.register(made, (CHARLIE, BIG), (DAVE, SMALL), *((BOB, miner) for miner in MINERS))
    stage.stake(CHARLIE, BIG, made, 300 * TAO)
    stage.stake(DAVE, SMALL, made, 100 * TAO)
    stage.until_epoch(made)
    stage.weights(BIG, made, {3: 50, 4: 30, 5: 20})
    stage.weights(SMALL, made, {3: 10, 4: 30, 5: 60})
    return made


def predicted(stage: Stage, netuid: int) -> tuple[Epoch, Pending]:
    """What the pure mathematics say about an epoch that runs in the next block."""
    ledger = stage.ledger
    split = split_alpha(TAO, owner_cut=stage.number("SubnetOwnerCut"), root_part=0)
    pending = Pending(
        miners=stage.number("PendingServerEmission", netuid) + split.miners,
        validators=stage.number("PendingValidatorEmission", netuid) + split.validators,
        root=0,
        owner=stage.number("PendingOwnerCut", netuid) + split.owner,
    )
    ledger.block_number += 1
    given = epoch.epoch_input(ledger, netuid, pending.miners + pending.validators)
    ledger.block_number -= 1
    return run_epoch(given), pending


def run_up_to_epoch(stage: Stage, netuid: int) -> None:
    """Stop one block before the next epoch."""
    while stage.ledger.block_number - stage.number("LastEpochBlock", netuid) < 7:
        stage.blocks()


def test_two_epochs_write_what_the_mathematics_say(stage: Stage, netuid: int) -> None:
    for _ in range(2):
        run_up_to_epoch(stage, netuid)
        expected, _ = predicted(stage, netuid)
        stage.blocks()
        assert stage.number("LastEpochBlock", netuid) == stage.ledger.block_number
        assert sum(expected.incentive) > 0.99 * 2**32
        for item, vector in {
            "Incentive": expected.incentive,
            "Dividends": expected.dividends,
            "Consensus": expected.consensus,
            "ValidatorTrust": expected.validator_trust,
            "StakeWeight": expected.stake,
            "ConsensusByMechanism": expected.consensus,
        }.items():
            assert stage.read(item, netuid) == vectors.u16_shares(vector), item
        assert stage.read("ValidatorPermit", netuid) == list(expected.new_permits)
        assert stage.read("Active", netuid) == list(expected.active)
        assert stage.read("Emission", netuid) == expected.emission
        for uid, row in enumerate(expected.stored_bonds):
            assert [tuple(pair) for pair in stage.read("Bonds", netuid, uid)] == list(row)
        (event,) = stage.events("IncentiveAlphaEmittedToMiners")
        assert event == {"netuid": netuid, "emissions": expected.server_emission}


def test_everybody_is_paid(stage: Stage, netuid: int) -> None:
    run_up_to_epoch(stage, netuid)
    expected, pending = predicted(stage, netuid)
    before = {
        hotkey: share_pool.hotkey_stake(stage.ledger, hotkey, netuid) for hotkey in [BIG, SMALL, *MINERS]
    }
    owner_before = share_pool.hotkey_stake(stage.ledger, OWNER_HOTKEY, netuid)
    stage.blocks()
    for uid, miner in enumerate(MINERS, start=3):
        assert share_pool.stake_of(stage.ledger, miner, BOB, netuid) == expected.server_emission[uid] > 0
    assert share_pool.hotkey_stake(stage.ledger, OWNER_HOTKEY, netuid) - owner_before == pending.owner
    earned = {h: share_pool.hotkey_stake(stage.ledger, h, netuid) - before[h] for h in (BIG, SMALL)}
    assert sum(earned.values()) == pytest.approx(pending.validators, abs=5)
    share = expected.validator_emission[1] / (expected.validator_emission[1] + expected.validator_emission[2])
    assert earned[BIG] / pending.validators == pytest.approx(share, rel=1e-6)


def test_take_goes_to_the_owner_of_the_hotkey_and_the_rest_to_all_by_stake(stage: Stage, netuid: int) -> None:
    stage.stake(BOB, BIG, netuid, 100 * TAO)
    run_up_to_epoch(stage, netuid)
    held = {who: share_pool.stake_of(stage.ledger, BIG, who, netuid) for who in (CHARLIE, BOB)}
    total = share_pool.hotkey_stake(stage.ledger, BIG, netuid)
    stage.blocks()
    gained = share_pool.hotkey_stake(stage.ledger, BIG, netuid) - total
    shared = stage.number("AlphaDividendsPerSubnet", netuid, BIG)
    assert gained - shared == pytest.approx(gained * TAKE, rel=1e-6)
    by_bob = share_pool.stake_of(stage.ledger, BIG, BOB, netuid) - held[BOB]
    by_charlie = share_pool.stake_of(stage.ledger, BIG, CHARLIE, netuid) - held[CHARLIE]
    # The take is staked before the dividends are shared, so Charlie's part grew a little first.
    part = held[BOB] / (total + gained - shared)
    assert by_bob == pytest.approx(shared * part, rel=1e-6)
    assert by_bob + by_charlie == pytest.approx(gained, abs=3)


def test_without_weights_validators_take_everything(stage: Stage) -> None:
    made = stage.subnet()
    stage.register(made, (CHARLIE, BIG), (BOB, MINERS[0]))
    stage.stake(CHARLIE, BIG, made, 300 * TAO)
    run_up_to_epoch(stage, made)
    before = share_pool.hotkey_stake(stage.ledger, BIG, made)
    _, pending = predicted(stage, made)
    stage.blocks()
    gained = share_pool.hotkey_stake(stage.ledger, BIG, made) - before
    assert gained == pytest.approx(pending.miners + pending.validators, abs=5)
    assert share_pool.hotkey_stake(stage.ledger, MINERS[0], made) == 0


@pytest.mark.parametrize(("mode", "counter"), [("Burn", "AlphaBurned"), ("Recycle", "AlphaRecycled")])
def test_pay_of_the_owners_own_miner_is_withheld(stage: Stage, netuid: int, mode: str, counter: str) -> None:
    """As in test_incentive_to_subnet_owner_is_burned of the chain's coinbase tests."""
    stage.write("RecycleOrBurn", netuid, value=mode)
    for hotkey in (BIG, SMALL):
        stage.weights(hotkey, netuid, {0: 1, 3: 1})
    run_up_to_epoch(stage, netuid)
    expected, pending = predicted(stage, netuid)
    owner_before = share_pool.hotkey_stake(stage.ledger, OWNER_HOTKEY, netuid)
    counted_before = int(stage.ledger.get("AlphaAssets", counter, netuid))
    stage.blocks()
    withheld = expected.server_emission[0]
    assert withheld > 0
    assert share_pool.hotkey_stake(stage.ledger, OWNER_HOTKEY, netuid) - owner_before == pending.owner
    assert int(stage.ledger.get("AlphaAssets", counter, netuid)) - counted_before == withheld
    assert stage.read("MinerBurned", netuid)["bits"] == pytest.approx(U96F32.one / 2, rel=1e-6)


def test_incentive_follows_the_owners_wish(stage: Stage, netuid: int) -> None:
    """As in test_incentive_is_autostaked_to_owner_destination of the chain's coinbase tests."""
    stage.write("AutoStakeDestination", BOB, netuid, value=BIG)
    run_up_to_epoch(stage, netuid)
    expected, _ = predicted(stage, netuid)
    stage.blocks()
    assert share_pool.hotkey_stake(stage.ledger, MINERS[0], netuid) == 0
    assert share_pool.stake_of(stage.ledger, BIG, BOB, netuid) >= sum(expected.server_emission[3:])
    staked = stage.events("AutoStakeAdded")
    assert [event["incentive"] for event in staked] == expected.server_emission[3:]
    assert {event["destination"] for event in staked} == {BIG}


def test_parents_are_paid_through_their_child(stage: Stage, netuid: int) -> None:
    parent = key("//parent")
    stage.call(BOB, "try_associate_hotkey", hotkey=parent)
    stage.stake(BOB, parent, netuid, 200 * TAO)
    stage.write("ChildKeys", parent, netuid, value=[(2**64 - 1, BIG)])
    stage.write("ParentKeys", BIG, netuid, value=[(2**64 - 1, parent)])
    run_up_to_epoch(stage, netuid)
    expected, _ = predicted(stage, netuid)
    assert expected.stake[1] > expected.stake[2] * 4
    before = {hotkey: share_pool.hotkey_stake(stage.ledger, hotkey, netuid) for hotkey in (BIG, parent)}
    stage.blocks()
    gained = {h: share_pool.hotkey_stake(stage.ledger, h, netuid) - before[h] for h in (BIG, parent)}
    assert gained[parent] / gained[BIG] == pytest.approx(before[parent] / before[BIG], rel=1e-6)


def test_two_mechanisms_share_an_epoch(stage: Stage, netuid: int) -> None:
    stage.write("MechanismCountCurrent", netuid, value=2)
    stage.write("MechanismEmissionSplit", netuid, value=[U16_MAX // 4, U16_MAX - U16_MAX // 4])
    index = netuid + 4096
    stage.write("LastUpdate", index, value=[stage.ledger.block_number] * 6)
    stage.write("Weights", index, 1, value=[(5, U16_MAX)])
    run_up_to_epoch(stage, netuid)
    ledger = stage.ledger
    ledger.block_number += 1
    first = run_epoch(epoch.epoch_input(ledger, netuid, 0))
    second = run_epoch(epoch.epoch_input(ledger, netuid, 0, mechanism=1))
    ledger.block_number -= 1
    stage.blocks()
    assert stage.read("Incentive", netuid) == vectors.u16_shares(first.incentive)
    assert stage.read("Incentive", index) == vectors.u16_shares(second.incentive)
    assert stage.read("Incentive", index)[5] == U16_MAX
    assert len(stage.events("IncentiveAlphaEmittedToMiners")) == 2
    mean = (vectors.u16_share(first.consensus[3]) + 3 * vectors.u16_share(second.consensus[3])) / 4
    assert stage.read("Consensus", netuid)[3] == pytest.approx(mean, abs=3)
    paid = [share_pool.stake_of(ledger, miner, BOB, netuid) for miner in MINERS]
    assert paid[2] > paid[0] > paid[1] > 0


def test_root_stakers_may_claim_their_part(stage: Stage, netuid: int) -> None:
    stage.call(CHARLIE, "root_register", hotkey=BIG)
    stage.stake(CHARLIE, BIG, 0, 50_000 * TAO)
    stage.write("SubnetMovingPrice", netuid, value={"bits": 3 << 32})
    run_up_to_epoch(stage, netuid)
    waiting = stage.number("PendingRootAlphaDivs", netuid)
    assert waiting > 0
    stage.blocks()
    shared = stage.number("RootAlphaDividendsPerSubnet", netuid, BIG)
    assert shared > waiting * (1 - TAKE)
    rate = stage.read("RootClaimable", BIG)[netuid]["bits"] / 2**32
    assert rate == pytest.approx(shared / (50_000 * TAO), rel=1e-3)


def test_root_part_is_recycled_while_prices_are_low(stage: Stage, netuid: int) -> None:
    stage.call(CHARLIE, "root_register", hotkey=BIG)
    stage.stake(CHARLIE, BIG, 0, 50_000 * TAO)
    recycled = int(stage.ledger.get("AlphaAssets", "AlphaRecycled", netuid))
    stage.blocks()
    part = emission.root_share(stage.ledger, netuid)
    grown = int(stage.ledger.get("AlphaAssets", "AlphaRecycled", netuid)) - recycled
    assert grown == pytest.approx(part / U96F32.one * TAO * (1 - TAKE) / 2, rel=1e-3)
    assert stage.number("PendingRootAlphaDivs", netuid) == 0


def test_too_much_for_the_root_stake_goes_to_the_validators_owner(stage: Stage, netuid: int) -> None:
    stage.stake(CHARLIE, BIG, 0, 3 * TAO)
    before = share_pool.stake_of(stage.ledger, BIG, CHARLIE, netuid)
    payout.distribute(stage.ledger, netuid, Pending(miners=0, validators=0, root=100 * TAO, owner=0))
    assert netuid not in stage.read("RootClaimable", BIG)
    assert share_pool.stake_of(stage.ledger, BIG, CHARLIE, netuid) - before > 90 * TAO


def test_prices_follow_the_pool(stage: Stage, netuid: int) -> None:
    stage.write("SubnetMovingAlpha", value={"bits": 1 << 32})
    stage.write("EMAPriceHalvingBlocks", netuid, value=0)
    stage.blocks()
    spot = emission.swap.price(stage.ledger, netuid)
    smoothed = emission.moving_price(stage.ledger, netuid)
    assert smoothed / U64F64.one == pytest.approx(min(1.0, spot / U64F64.one), rel=1e-6)
    assert stage.read("RootProp", netuid)["bits"] == emission.root_share(stage.ledger, netuid)


def test_alice_owns_what_she_made(stage: Stage, netuid: int) -> None:
    assert stage.read("SubnetOwner", netuid) == ALICE
    assert stage.read("ValidatorPermit", netuid)[0] is True
