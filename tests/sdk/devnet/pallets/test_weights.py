"""Setting weights: the checks in the chain's order, what is stored, and commit-reveal by hash."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sdk.devnet.pallets.refusals import refused
from tests.sdk.devnet.pallets.stage import BOB, OWNER_HOTKEY, TAO, Stage, key

from subnetlab.devnet.pallets.subtensor import commit_reveal, weights
from subnetlab.devnet.pallets.subtensor.weights import Ballot

MINER = key("//miner")
COMMIT_REVEAL = {"Tempo": 8, "CommitRevealWeightsEnabled": True}


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def netuid(stage: Stage) -> int:
    netuid = stage.subnet()
    stage.register(netuid, (BOB, MINER))
    return netuid


def vote(place: int, **terms: Any) -> dict[str, Any]:
    return {"netuid": place, "dests": [0, 1], "weights": [1, 3], "version_key": 0, **terms}


def test_weights_are_scaled_to_their_largest(stage: Stage, netuid: int) -> None:
    stage.call(OWNER_HOTKEY, "set_weights", **vote(netuid))
    assert list(stage.read("Weights", netuid, 0)) == [(0, 21_845), (1, 65_535)]
    assert stage.read("LastUpdate", netuid)[0] == stage.ledger.block_number
    assert stage.events("WeightsSet") == [[netuid, 0]]


@given(st.lists(st.integers(0, 65_535), min_size=1, max_size=8))
def test_scaling_keeps_proportions(values: list[int]) -> None:
    scaled = weights.upscaled(values)
    largest = max(values)
    if largest == 0:
        assert scaled == values
        return
    assert max(scaled) == 65_535
    assert all(abs(got - value * 65_535 / largest) <= 1 for got, value in zip(scaled, values, strict=True))


def stale_version(stage: Stage, netuid: int) -> None:
    stage.write("WeightsVersionKey", netuid, value=5)


def hurried(stage: Stage, netuid: int) -> None:
    stage.write("WeightsSetRateLimit", netuid, value=100)
    stage.write("LastUpdate", netuid, value=[1, 1])


def hidden(stage: Stage, netuid: int) -> None:
    stage.write("CommitRevealWeightsEnabled", netuid, value=True)


def many_needed(stage: Stage, netuid: int) -> None:
    stage.write("MinAllowedWeights", netuid, value=2)


def capped(stage: Stage, netuid: int) -> None:
    stage.write("MaxWeightsLimit", netuid, value=40_000)


def threshold(stage: Stage, _netuid: int) -> None:
    stage.write("StakeThreshold", value=TAO)


def nothing(_stage: Stage, _netuid: int) -> None:
    return


def open_elsewhere(stage: Stage, _netuid: int) -> None:
    for netuid in (0, 9):
        stage.write("CommitRevealWeightsEnabled", netuid, value=False)


@pytest.mark.parametrize(
    ("prepare", "who", "terms", "error"),
    [
        (open_elsewhere, OWNER_HOTKEY, {"netuid": 0}, "CanNotSetRootNetworkWeights"),
        (nothing, OWNER_HOTKEY, {"weights": [1]}, "WeightVecNotEqualSize"),
        (open_elsewhere, OWNER_HOTKEY, {"netuid": 9}, "SubnetNotExists"),
        (nothing, OWNER_HOTKEY, {"dests": [0, 1, 2], "weights": [1] * 3}, "UidsLengthExceedUidsInSubNet"),
        (nothing, BOB, {}, "HotKeyNotRegisteredInSubNet"),
        (threshold, MINER, {}, "NotEnoughStakeToSetWeights"),
        (stale_version, OWNER_HOTKEY, {}, "IncorrectWeightVersionKey"),
        (hurried, OWNER_HOTKEY, {}, "SettingWeightsTooFast"),
        (nothing, MINER, {}, "NeuronNoValidatorPermit"),
        (nothing, OWNER_HOTKEY, {"dests": [1, 1]}, "DuplicateUids"),
        (nothing, OWNER_HOTKEY, {"dests": [0, 7]}, "UidVecContainInvalidOne"),
        (many_needed, OWNER_HOTKEY, {"dests": [1], "weights": [1]}, "WeightVecLengthIsLow"),
        (capped, OWNER_HOTKEY, {}, "MaxWeightExceeded"),
        (hidden, OWNER_HOTKEY, {}, "CommitRevealEnabled"),
    ],
)
def test_a_vote_is_refused(
    *,
    stage: Stage,
    netuid: int,
    prepare: Callable[[Stage, int], None],
    who: str,
    terms: dict[str, Any],
    error: str,
) -> None:
    prepare(stage, netuid)
    refused(stage, error, who, "set_weights", **vote(netuid, **terms))


def test_a_neuron_may_always_weigh_itself(stage: Stage, netuid: int) -> None:
    many_needed(stage, netuid)
    capped(stage, netuid)
    stage.call(MINER, "set_weights", **vote(netuid, dests=[1], weights=[1]))
    assert list(stage.read("Weights", netuid, 1)) == [(1, 65_535)]


def test_mechanisms_are_voted_on_apart(stage: Stage, netuid: int) -> None:
    stage.write("MechanismCountCurrent", netuid, value=2)
    stage.call(OWNER_HOTKEY, "set_mechanism_weights", mecid=1, **vote(netuid))
    assert list(stage.read("Weights", netuid, 0)) == []
    assert list(stage.read("Weights", netuid + 4096, 0)) == [(0, 21_845), (1, 65_535)]
    refused(stage, "MechanismDoesNotExist", OWNER_HOTKEY, "set_mechanism_weights", mecid=2, **vote(netuid))


def test_a_batch_goes_on_past_failures(stage: Stage, netuid: int) -> None:
    batch = {"netuids": [netuid, 9], "weights": [[(0, 1), (1, 1)], [(0, 1)]], "version_keys": [0, 0]}
    stage.call(OWNER_HOTKEY, "batch_set_weights", **batch)
    assert len(stage.read("Weights", netuid, 0)) == 2
    ((failed, error),) = stage.events("BatchWeightItemFailed")
    assert failed == 9
    assert "Module" in error
    assert len(stage.events("BatchWeightsCompleted")) == 1
    refused(stage, "InputLengthsUnequal", OWNER_HOTKEY, "batch_set_weights", **{**batch, "version_keys": [0]})


# -- commit-reveal

OPENED = {"uids": [0, 1], "values": [1, 3], "salt": [7, 8], "version_key": 0}


def commitment(netuid: int, **changed: Any) -> str:
    opened = {**OPENED, **changed}
    ballot = Ballot(
        netuid=netuid,
        mechanism=0,
        uids=opened["uids"],
        values=opened["values"],
        version_key=opened["version_key"],
    )
    return commit_reveal.commit_hash(OWNER_HOTKEY, netuid, ballot, opened["salt"])


@pytest.fixture
def hiding(stage: Stage, netuid: int) -> Stage:
    for item, value in COMMIT_REVEAL.items():
        stage.write(item, netuid, value=value)
    stage.until_epoch(netuid)
    return stage


def test_a_commit_is_revealed_in_the_next_epoch(hiding: Stage, netuid: int) -> None:
    hiding.call(OWNER_HOTKEY, "commit_weights", netuid=netuid, commit_hash=commitment(netuid))
    assert hiding.read("LastUpdate", netuid)[0] == hiding.ledger.block_number
    refused(hiding, "RevealTooEarly", OWNER_HOTKEY, "reveal_weights", netuid=netuid, **OPENED)
    hiding.until_epoch(netuid)
    wrong = {**OPENED, "salt": [1]}
    refused(hiding, "InvalidRevealCommitHashNotMatch", OWNER_HOTKEY, "reveal_weights", netuid=netuid, **wrong)
    hiding.call(OWNER_HOTKEY, "reveal_weights", netuid=netuid, **OPENED)
    assert list(hiding.read("Weights", netuid, 0)) == [(0, 21_845), (1, 65_535)]
    refused(hiding, "NoWeightsCommitFound", OWNER_HOTKEY, "reveal_weights", netuid=netuid, **OPENED)


def test_a_commit_that_nobody_reveals_expires(hiding: Stage, netuid: int) -> None:
    hiding.call(OWNER_HOTKEY, "commit_weights", netuid=netuid, commit_hash=commitment(netuid))
    for _ in range(2):
        hiding.until_epoch(netuid)
    refused(hiding, "ExpiredWeightCommit", OWNER_HOTKEY, "reveal_weights", netuid=netuid, **OPENED)


def test_ten_commits_may_wait(hiding: Stage, netuid: int) -> None:
    for salt in range(10):
        hashed = commitment(netuid, salt=[salt])
        hiding.call(OWNER_HOTKEY, "commit_weights", netuid=netuid, commit_hash=hashed)
    call = {"netuid": netuid, "commit_hash": commitment(netuid)}
    refused(hiding, "TooManyUnrevealedCommits", OWNER_HOTKEY, "commit_weights", **call)


def test_several_are_revealed_at_once_or_none(hiding: Stage, netuid: int) -> None:
    for salt in (1, 2):
        hashed = commitment(netuid, salt=[salt])
        hiding.call(OWNER_HOTKEY, "commit_weights", netuid=netuid, commit_hash=hashed)
    hiding.until_epoch(netuid)
    opened = {
        "uids_list": [[0, 1], [0, 1]],
        "values_list": [[1, 3], [1, 3]],
        "salts_list": [[1], [9]],
        "version_keys": [0, 0],
    }
    call = "batch_reveal_weights"
    refused(hiding, "InvalidRevealCommitHashNotMatch", OWNER_HOTKEY, call, netuid=netuid, **opened)
    hiding.call(OWNER_HOTKEY, call, netuid=netuid, **{**opened, "salts_list": [[1], [2]]})
    ((_, _, hashes),) = hiding.events("WeightsBatchRevealed")
    assert len(hashes) == 2


def test_sealed_weights_are_kept(hiding: Stage, netuid: int) -> None:
    sealed = {"commit": "0x" + "ff" * 40, "reveal_round": 9, "commit_reveal_version": 4}
    call = "commit_timelocked_weights"
    wrong = {**sealed, "commit_reveal_version": 3}
    refused(hiding, "IncorrectCommitRevealVersion", OWNER_HOTKEY, call, netuid=netuid, **wrong)
    hiding.call(OWNER_HOTKEY, call, netuid=netuid, **sealed)
    hiding.call(OWNER_HOTKEY, call, netuid=netuid, **sealed)
    epoch = hiding.number("SubnetEpochIndex", netuid)
    (first, second) = hiding.read("TimelockedWeightCommits", netuid, epoch)
    assert first == second
    assert first[0] == OWNER_HOTKEY
    assert first[2] == "0x" + "ff" * 40
    hiding.write("CommitRevealWeightsEnabled", netuid, value=False)
    refused(hiding, "CommitRevealDisabled", OWNER_HOTKEY, call, netuid=netuid, **sealed)
