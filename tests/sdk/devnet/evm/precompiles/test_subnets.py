"""Owning a subnet and working in it from the EVM, and reading the same storage that the pallet writes."""

import hashlib

import pytest
from tests.sdk.devnet.evm.precompiles.wallet import Refused, Wallet, public_key
from tests.sdk.devnet.pallets.stage import BOB, OWNER_HOTKEY, TAO, Stage, key

from subnetlab.devnet.evm.precompiles.frame import WEI_PER_RAO
from subnetlab.devnet.pallets import balances, swap
from subnetlab.devnet.pallets.subtensor import share_pool

HOTKEY = public_key(OWNER_HOTKEY)
MINER = key("//miner")


@pytest.fixture
def stage() -> Stage:
    stage = Stage()
    stage.write("AdminFreezeWindow", value=0)
    stage.write("OwnerHyperparamRateLimit", value=0)
    return stage


@pytest.fixture
def wallet(stage: Stage) -> Wallet:
    return Wallet(stage)


@pytest.fixture
def netuid(stage: Stage, wallet: Wallet) -> int:
    """A subnet that the wallet owns, with a miner."""
    netuid = stage.subnet(wallet.account)
    stage.register(netuid, (BOB, MINER))
    return netuid


def test_a_subnet_is_registered_for_the_callers_account(stage: Stage, wallet: Wallet) -> None:
    parts = ["Name", "repo", "contact", "url", "discord", "about"]
    wallet.call("subnet", "registerNetwork", HOTKEY, *parts, "more", "https://logo.example/x.png")
    netuid = max(number for number, _ in stage.ledger.items("SubtensorModule", "NetworksAdded"))
    assert stage.read("SubnetOwner", netuid) == wallet.account
    identity = stage.read("SubnetIdentitiesV3", netuid)
    assert (identity["subnet_name"], identity["additional"]) == ("Name", "more")
    assert identity["logo_url"] == "https://logo.example/x.png"
    exists, *read = wallet.call("neuron", "getSubnetIdentity", netuid)
    assert exists
    assert read == [text.encode() for text in [*parts, "https://logo.example/x.png", "more"]]
    symbol, owner, hotkey, tempo, mode = wallet.call("subnet", "getSubnetMetadata", netuid)
    assert (owner, hotkey, tempo, mode) == (wallet.key, HOTKEY, stage.number("Tempo", netuid), 0)
    assert symbol.decode() == stage.read("TokenSymbol", netuid)


@pytest.mark.parametrize(
    ("name", "item", "value"),
    [
        ("ImmunityPeriod", "ImmunityPeriod", 77),
        ("ServingRateLimit", "ServingRateLimit", 9),
        ("Yuma3Enabled", "Yuma3On", True),
        ("BondsMovingAverage", "BondsMovingAverage", 500_000),
        ("CommitRevealWeightsEnabled", "CommitRevealWeightsEnabled", True),
        ("MinAllowedWeights", "MinAllowedWeights", 3),
        ("WeightsVersionKey", "WeightsVersionKey", 5),
    ],
)
def test_what_an_owner_sets_is_read(wallet: Wallet, netuid: int, name: str, item: str, value: int) -> None:
    wallet.call("subnet", f"set{name}", netuid, value)
    assert wallet.stage.read(item, netuid) == value
    assert wallet.call("subnet", f"get{name}", netuid) == value


def test_a_stranger_sets_nothing(stage: Stage, netuid: int) -> None:
    before = stage.read("ImmunityPeriod", netuid)
    with pytest.raises(Refused, match=r"^dispatch execution failed: Bad origin$"):
        Wallet(stage, b"\x33" * 20).call("subnet", "setImmunityPeriod", netuid, 1)
    assert stage.read("ImmunityPeriod", netuid) == before


def test_setters_that_owners_lost_succeed_and_do_nothing(stage: Stage, wallet: Wallet, netuid: int) -> None:
    before = stage.number("MinBurn", netuid)
    wallet.call("subnet", "setMinBurn", netuid, before + 1)
    assert stage.number("MinBurn", netuid) == before


def test_a_negative_steepness_is_stored_signed_and_read_unsigned(
    stage: Stage, wallet: Wallet, netuid: int
) -> None:
    stage.write("AlphaSigmoidSteepness", netuid, value=-5)
    assert wallet.call("subnet", "getAlphaSigmoidSteepness", netuid) == 65_531


def test_neurons_register_set_weights_and_serve(stage: Stage, wallet: Wallet, netuid: int) -> None:
    before = balances.free(stage.ledger, wallet.account)
    wallet.call("neuron", "burnedRegister", netuid, wallet.key)
    assert balances.free(stage.ledger, wallet.account) < before
    exists, uid = wallet.call("neuron", "getUid", netuid, wallet.key)
    assert exists
    assert stage.read("Keys", netuid, uid) == wallet.account
    stage.write("StakeThreshold", value=0)
    wallet.call("neuron", "setWeights", netuid, [uid], [65_535], 0)
    assert wallet.call("neuron", "getWeights", netuid, uid) == ((uid, 65_535),)
    wallet.call("neuron", "serveAxon", netuid, 1, 0x01020304, 8091, 4, 0, 0, 0)
    axon = wallet.call("metagraph", "getAxon", netuid, uid)
    assert axon == (stage.ledger.block_number, 1, 0x01020304, 8091, 4, 0)
    assert wallet.call("neuron", "isNetworkMember", wallet.key, netuid)


def test_a_commit_is_found_by_its_place(stage: Stage, wallet: Wallet, netuid: int) -> None:
    wallet.call("neuron", "burnedRegister", netuid, wallet.key)
    wallet.call("subnet", "setCommitRevealWeightsEnabled", netuid, True)  # noqa: FBT003 - an ABI argument
    commit = hashlib.sha256(b"weights").digest()
    wallet.call("neuron", "commitWeights", netuid, commit)
    assert wallet.call("neuron", "getWeightCommitCount", netuid, wallet.key) == 1
    exists, found, _, block = wallet.call("neuron", "getWeightCommit", netuid, wallet.key, 0)
    assert (exists, found, block) == (True, commit, stage.ledger.block_number)
    assert wallet.call("neuron", "getWeightCommit", netuid, wallet.key, 1)[0] is False


def test_children_come_as_two_lists_of_one_length(stage: Stage, wallet: Wallet, netuid: int) -> None:
    with pytest.raises(Refused, match="child proportions and hotkeys must have equal length"):
        wallet.call("neuron", "setChildren", HOTKEY, netuid, [1], [])
    wallet.stage.stake(wallet.account, OWNER_HOTKEY, netuid, 50 * TAO)
    wallet.call("neuron", "setChildren", HOTKEY, netuid, [2**63], [public_key(MINER)])
    children, cooldown = wallet.call("staking-v2", "getPendingChildKeys", HOTKEY, netuid)
    assert children == ((2**63, public_key(MINER)),)
    assert cooldown > stage.ledger.block_number


def test_batches_have_one_length(wallet: Wallet, netuid: int) -> None:
    with pytest.raises(Refused, match="batch weight arrays must have equal outer lengths"):
        wallet.call("neuron", "batchSetWeights", [netuid], [], [], [0])
    with pytest.raises(Refused, match="batch destination and value arrays must have equal lengths"):
        wallet.call("neuron", "batchSetWeights", [netuid], [[0]], [[]], [0])


def test_the_metagraph_is_the_pallets(stage: Stage, wallet: Wallet, netuid: int) -> None:
    stage.stake(wallet.account, OWNER_HOTKEY, netuid, 50 * TAO)
    stage.stake(wallet.account, MINER, netuid, 5 * TAO)
    stage.until_epoch(netuid)
    stage.weights(OWNER_HOTKEY, netuid, {1: 65_535})
    stage.until_epoch(netuid)
    count = wallet.call("metagraph", "getUidCount", netuid)
    assert count == stage.number("SubnetworkN", netuid) == 2
    for uid in range(count):
        hotkey = stage.read("Keys", netuid, uid)
        assert wallet.call("metagraph", "getHotkey", netuid, uid) == public_key(hotkey)
        assert wallet.call("metagraph", "getColdkey", netuid, uid) == public_key(stage.read("Owner", hotkey))
        for name, item in (
            ("getIncentive", "Incentive"),
            ("getConsensus", "Consensus"),
            ("getDividends", "Dividends"),
            ("getEmission", "Emission"),
            ("getVtrust", "ValidatorTrust"),
            ("getValidatorStatus", "ValidatorPermit"),
            ("getLastUpdate", "LastUpdate"),
            ("getIsActive", "Active"),
        ):
            assert wallet.call("metagraph", name, netuid, uid) == stage.read(item, netuid)[uid]
        alpha = share_pool.hotkey_stake(stage.ledger, hotkey, netuid)
        assert wallet.call("metagraph", "getStake", netuid, uid) == pytest.approx(
            swap.value_rao(stage.ledger, netuid, alpha), abs=1
        )
        assert wallet.call("metagraph", "getRank", netuid, uid) == 0
    assert wallet.call("metagraph", "getIncentive", netuid, 1) > 0


def test_a_uid_that_is_free_has_no_keys_and_reads_zero(wallet: Wallet, netuid: int) -> None:
    assert wallet.call("metagraph", "getIncentive", netuid, 99) == 0
    for name in ("getHotkey", "getColdkey", "getStake"):
        with pytest.raises(Refused, match="InvalidRange"):
            wallet.call("metagraph", name, netuid, 99)
    with pytest.raises(Refused, match="hotkey not found"):
        wallet.call("metagraph", "getAxon", netuid, 99)


def test_the_pool_is_quoted_as_it_trades(stage: Stage, wallet: Wallet, netuid: int) -> None:
    ledger = stage.ledger
    assert wallet.call("alpha", "getAlphaPrice", netuid) == swap.price_rao(ledger, netuid) * WEI_PER_RAO
    assert wallet.call("alpha", "getTaoInPool", netuid) == stage.number("SubnetTAO", netuid)
    assert wallet.call("alpha", "getAlphaInPool", netuid) == stage.number("SubnetAlphaIn", netuid)
    assert wallet.call("alpha", "getRootNetuid") == 0
    quoted = wallet.call("alpha", "simSwapTaoForAlpha", netuid, 3 * TAO)
    wallet.call("staking-v2", "addStake", HOTKEY, 3 * TAO, netuid)
    assert share_pool.stake_of(ledger, OWNER_HOTKEY, wallet.account, netuid) == quoted
    fee, started, weight, *_ = wallet.call("alpha", "getSwapState", netuid)
    assert (fee, started) == (ledger.get("Swap", "FeeRate", netuid), True)
    assert weight == ledger.get("Swap", "SwapBalancer", netuid)["quote"]


def test_how_a_registrations_price_is_treated_has_two_modes(
    stage: Stage, wallet: Wallet, netuid: int
) -> None:
    wallet.call("alpha", "setRecycleOrBurn", netuid, 1)
    assert stage.read("RecycleOrBurn", netuid) == "Recycle"
    with pytest.raises(Refused, match="invalid recycle-or-burn mode"):
        wallet.call("alpha", "setRecycleOrBurn", netuid, 2)
