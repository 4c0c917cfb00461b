"""Two epochs through the unmodified SDK: pay on the wire is what the pure mathematics predict from the wire.

Everything the prediction knows was read by the SDK one block before each epoch; bonds and permits it carries
over from its own first epoch, so the second would go wrong if the first had.
"""

from dataclasses import replace
from typing import Any

import bittensor
from bittensor.intents import AddStake, SetWeights
from tests.conformance.preset import BOB, CHARLIE, Person, joined, must, quick_preset, started_subnet
from tests.devnet_process import DevnetProcess

from subnetlab.units import U16_MAX
from subnetlab.yuma import stake, vectors
from subnetlab.yuma.bonds import BondRules
from subnetlab.yuma.emission import split_alpha
from subnetlab.yuma.epoch import Epoch, EpochInput, EpochRules, Neuron, run_epoch

STATE = bittensor.storage.SubtensorModule
TEMPO = 8
FULL_BLOCK = 10**9
DAVE, EVE, FERDIE = Person("Dave"), Person("Eve"), Person("Ferdie")
VALIDATORS, MINERS = (BOB, CHARLIE), (DAVE, EVE, FERDIE)


async def number(client: bittensor.Client, item: Any, *keys: Any) -> int:
    value = await client.query(item, list(keys))
    return int(getattr(value, "rao", value))


async def neurons(client: bittensor.Client, netuid: int, carried: list[Neuron] | None) -> tuple[Neuron, ...]:
    """Every uid as the SDK reads it, with permits and bonds of the prediction where it has made any."""
    hotkeys = dict(await client.query_map(STATE.Keys, [netuid]))
    weights = dict(await client.query_map(STATE.Weights, [netuid]))
    updates = await client.query(STATE.LastUpdate, [netuid])
    permits = await client.query(STATE.ValidatorPermit, [netuid])
    tao_weight = stake.tao_weight(await number(client, STATE.TaoWeight))
    made: list[Neuron] = []
    for uid in range(len(hotkeys)):
        alpha = await number(client, STATE.TotalHotkeyAlpha, hotkeys[uid], netuid)
        on_root = await number(client, STATE.TotalHotkeyAlpha, hotkeys[uid], 0)
        made.append(
            Neuron(
                stake=stake.stake_weight(alpha, on_root, tao_weight),
                last_update=int(updates[uid]),
                registered_at=await number(client, STATE.BlockAtRegistration, netuid, uid),
                permit=carried[uid].permit if carried else bool(permits[uid]),
                weights=tuple((int(j), int(weight)) for j, weight in weights.get(uid, ())),
                bonds=carried[uid].bonds if carried else (),
            )
        )
    return tuple(made)


async def alpha_to_share(client: bittensor.Client, netuid: int) -> int:
    """Alpha that waits, and what the epoch's own block adds; nobody has staked on root."""
    cut = await number(client, STATE.SubnetOwnerCut)
    block = split_alpha(FULL_BLOCK, owner_cut=cut, root_part=0)
    waiting = await number(client, STATE.PendingServerEmission, netuid)
    waiting += await number(client, STATE.PendingValidatorEmission, netuid)
    return waiting + block.miners + block.validators


async def prediction(client: bittensor.Client, netuid: int, carried: list[Neuron] | None) -> EpochInput:
    """The next block's epoch, as the wire describes the subnet now."""
    low, high = await client.query(STATE.AlphaValues, [netuid])
    factor = await number(client, STATE.ActivityCutoffFactorMilli, netuid)
    bonds = BondRules(
        yuma3=bool(await client.query(STATE.Yuma3On, [netuid])),
        moving_average=await number(client, STATE.BondsMovingAverage, netuid),
        penalty=await number(client, STATE.BondsPenalty, netuid),
        liquid_alpha=bool(await client.query(STATE.LiquidAlphaOn, [netuid])),
        alpha_low=int(low),
        alpha_high=int(high),
        steepness=await number(client, STATE.AlphaSigmoidSteepness, netuid),
    )
    rules = EpochRules(
        kappa=await number(client, STATE.Kappa, netuid),
        max_validators=await number(client, STATE.MaxAllowedValidators, netuid),
        activity_cutoff=max(1, factor * TEMPO // 1000),
        stake_threshold=await number(client, STATE.StakeThreshold),
        bonds=bonds,
    )
    return EpochInput(
        block=await client.block() + 1,
        fresh_since=await number(client, STATE.LastMechansimStepBlock, netuid) + 1,
        emission=await alpha_to_share(client, netuid),
        neurons=await neurons(client, netuid, carried),
        rules=rules,
        owner_uid=0,
    )


async def prepared(client: bittensor.Client, devnet: DevnetProcess) -> int:
    """A subnet whose two validators have stake, permits and different opinions of three miners."""
    netuid = await started_subnet(client)
    await quick_preset(client, netuid)
    for person in (*VALIDATORS, *MINERS):
        await joined(devnet.endpoint, netuid, person)
    for validator, tao in zip(VALIDATORS, (80, 30), strict=True):
        stake_in = AddStake(
            hotkey_ss58=validator.hot, netuid=netuid, amount_tao=tao, slippage_protection=False
        )
        await must(client, stake_in, validator)
    devnet.rpc("dev_setSealing", "manual")
    devnet.seal(TEMPO)
    assert (await client.query(STATE.ValidatorPermit, [netuid]))[1:3] == [True, True]
    devnet.rpc("dev_setSealing", "instant")
    for validator, weights in zip(VALIDATORS, ([50, 30, 20], [10, 30, 60]), strict=True):
        await must(client, SetWeights(netuid=netuid, uids=[3, 4, 5], weights=weights), validator)
    devnet.rpc("dev_setSealing", "manual")
    return netuid


async def seal_up_to_epoch(client: bittensor.Client, devnet: DevnetProcess, netuid: int) -> None:
    """Stop one block before the epoch."""
    due = await number(client, STATE.LastEpochBlock, netuid) + TEMPO
    devnet.seal(due - 1 - await client.block())


async def assert_stored(client: bittensor.Client, netuid: int, expected: Epoch) -> None:
    graph = await client.read("metagraph", netuid=netuid)
    shares = {
        "incentives": expected.incentive,
        "dividends": expected.dividends,
        "consensus": expected.consensus,
    }
    for name, vector in shares.items():
        assert [int(value) for value in graph[name]] == vectors.u16_shares(vector), name
    trust = await client.query(STATE.ValidatorTrust, [netuid])
    assert [int(value) for value in trust] == vectors.u16_shares(expected.validator_trust)
    emission = await client.query(STATE.Emission, [netuid])
    assert [int(getattr(value, "rao", value)) for value in emission] == expected.emission
    bonds = dict(await client.query_map(STATE.Bonds, [netuid]))
    for uid, row in enumerate(expected.stored_bonds):
        assert tuple((int(j), int(bond)) for j, bond in bonds[uid]) == row


async def test_two_epochs_pay_what_yuma_predicts(client: bittensor.Client, devnet: DevnetProcess) -> None:
    netuid = await prepared(client, devnet)
    carried: list[Neuron] | None = None
    for _ in range(2):
        await seal_up_to_epoch(client, devnet, netuid)
        given = await prediction(client, netuid, carried)
        expected = run_epoch(given)
        held = [await number(client, STATE.TotalHotkeyAlpha, miner.hot, netuid) for miner in MINERS]
        devnet.seal(1)
        assert await number(client, STATE.LastEpochBlock, netuid) == given.block == await client.block()
        await assert_stored(client, netuid, expected)
        for uid, miner in enumerate(MINERS, start=3):
            now = await number(client, STATE.TotalHotkeyAlpha, miner.hot, netuid)
            assert now - held[uid - 3] == expected.server_emission[uid] > 0
        carried = [
            replace(neuron, permit=permit, bonds=bonds)
            for neuron, permit, bonds in zip(
                given.neurons, expected.new_permits, expected.stored_bonds, strict=True
            )
        ]
    assert sum(vectors.u16_shares(expected.incentive)) > U16_MAX - len(given.neurons)
    # Bob, with more than half of the stake, decides; Charlie's opinion of uid 5 was cut.
    assert expected.incentive[3] > expected.incentive[4] > expected.incentive[5]
    assert expected.validator_trust[1] > expected.validator_trust[2]


async def test_sdk_knows_when_the_next_epoch_comes(client: bittensor.Client, devnet: DevnetProcess) -> None:
    netuid = await started_subnet(client)
    await quick_preset(client, netuid)
    devnet.rpc("dev_setSealing", "manual")
    devnet.seal(TEMPO)
    due = await client.read("next_epoch_start_block", netuid=netuid)
    devnet.seal(due - await client.block())
    assert await number(client, STATE.LastEpochBlock, netuid) == due
