"""Weights that stay hidden until an epoch has passed: first a hash (or a sealed box), then what it hides.

Hash commits are complete. Timelocked commits are taken and kept, but nothing opens them, because their keys
come from the drand network (fidelity table). Source: `subnets/weights.rs`, `guards/check_weights.rs`.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import bittensor_core as core

from subnetlab.devnet.chain.codec import bytes_of
from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import Origin, call, ensure_signed
from subnetlab.devnet.chain.scale import compact
from subnetlab.devnet.pallets.subtensor import schedule, uids, weights
from subnetlab.devnet.pallets.subtensor.entries import (
    erase,
    error,
    event,
    number,
    read,
    require,
    storage_index,
    write,
)
from subnetlab.devnet.pallets.subtensor.weights import Ballot

MOST_UNREVEALED = 10
Commit = tuple[str, int, int, int]
"""Hash, epoch and block of a commit, and a bound that the runtime no longer uses."""


def _numbers(values: Sequence[int]) -> bytes:
    return compact(len(values)) + b"".join(value.to_bytes(2, "little") for value in values)


def commit_hash(hotkey: str, index: int, ballot: Ballot, salt: Sequence[int]) -> str:
    """The hash that commits a hotkey to a ballot: blake2b-256 of what the runtime encodes."""
    encoded = (
        bytes(core.ss58_decode(hotkey))
        + index.to_bytes(2, "little")
        + _numbers(ballot.uids)
        + _numbers(ballot.values)
        + _numbers(salt)
        + ballot.version_key.to_bytes(8, "little")
    )
    return "0x" + blake2b(encoded, digest_size=32).hexdigest()


def _committer(ledger: Ledger, origin: Origin, netuid: int, mechanism: int) -> tuple[str, int]:
    """The signing hotkey and its uid, which may commit now."""
    weights.ensure_mechanism(ledger, netuid, mechanism)
    hotkey = ensure_signed(origin)
    require(read(ledger, "CommitRevealWeightsEnabled", netuid), "CommitRevealDisabled")
    uid = uids.uid_of(ledger, netuid, hotkey)
    if uid is None:
        raise error("HotKeyNotRegisteredInSubNet")
    require(weights.has_min_stake(ledger, netuid, hotkey), "NotEnoughStakeToSetWeights")
    require(weights.may_set_now(ledger, netuid, mechanism, uid), "CommittingWeightsTooFast")
    return hotkey, uid


def _without_expired(ledger: Ledger, netuid: int, commits: Sequence[Commit]) -> tuple[list[Commit], set[str]]:
    """What may still be revealed, and the hashes of what came too late."""
    oldest = schedule.epoch_index(ledger, netuid) - number(ledger, "RevealPeriodEpochs", netuid)
    alive = list(commits)
    expired: set[str] = set()
    while alive and alive[0][1] < oldest:
        expired.add(alive.pop(0)[0])
    return alive, expired


@call("SubtensorModule", "commit_weights")
def commit_weights(ledger: Ledger, origin: Origin, netuid: int, commit_hash: str) -> None:
    """Commit to weights on a subnet's main mechanism."""
    commit_mechanism_weights(ledger, origin, netuid, 0, commit_hash)


@call("SubtensorModule", "commit_mechanism_weights")
def commit_mechanism_weights(
    ledger: Ledger, origin: Origin, netuid: int, mecid: int, commit_hash: str
) -> None:
    """Commit to weights by their hash.

    Raises:
        DispatchError: in order SubnetNotExists, MechanismDoesNotExist, CommitRevealDisabled,
            HotKeyNotRegisteredInSubNet, NotEnoughStakeToSetWeights, CommittingWeightsTooFast,
            TooManyUnrevealedCommits.
    """
    hotkey, uid = _committer(ledger, origin, netuid, mecid)
    index = storage_index(netuid, mecid)
    alive, _ = _without_expired(ledger, netuid, read(ledger, "WeightCommits", index, hotkey) or [])
    require(len(alive) < MOST_UNREVEALED, "TooManyUnrevealedCommits")
    epoch = schedule.epoch_index(ledger, netuid)
    alive.append((commit_hash, epoch, ledger.block_number, 0))
    write(ledger, "WeightCommits", index, hotkey, value=alive)
    event(ledger, "WeightsCommitted", [hotkey, index, commit_hash])
    uids.set_last_update(ledger, netuid, mecid, uid)


@call("SubtensorModule", "batch_commit_weights")
def batch_commit_weights(
    ledger: Ledger, origin: Origin, netuids: list[int], commit_hashes: list[str]
) -> None:
    """Commit on several subnets; one failure is an event and does not stop the others."""
    hotkey = ensure_signed(origin)
    require(len(netuids) == len(commit_hashes), "InputLengthsUnequal")
    with weights.batch(ledger, netuids, hotkey) as attempt:
        for netuid, hashed in zip(netuids, commit_hashes, strict=True):
            attempt(netuid, commit_weights, ledger, origin, netuid, hashed)


def _reveal(ledger: Ledger, hotkey: str, ballot: Ballot, salt: Sequence[int]) -> str:
    """Match a ballot against the open commits, count it, and drop it with all older ones."""
    index = storage_index(ballot.netuid, ballot.mechanism)
    commits: list[Commit] | None = read(ledger, "WeightCommits", index, hotkey)
    if commits is None:
        raise error("NoWeightsCommitFound")
    alive, expired = _without_expired(ledger, ballot.netuid, commits)
    hashed = commit_hash(hotkey, index, ballot, salt)
    place = next((at for at, commit in enumerate(alive) if commit[0] == hashed), None)
    if place is None:
        require(hashed not in expired, "ExpiredWeightCommit")
        raise error("InvalidRevealCommitHashNotMatch" if alive else "NoWeightsCommitFound")
    due = alive[place][1] + number(ledger, "RevealPeriodEpochs", ballot.netuid)
    require(schedule.epoch_index(ledger, ballot.netuid) == due, "RevealTooEarly")
    rest = alive[place + 1 :]
    if rest:
        write(ledger, "WeightCommits", index, hotkey, value=rest)
    else:
        erase(ledger, "WeightCommits", index, hotkey)
    weights.cast(ledger, hotkey, ballot)
    return hashed


@call("SubtensorModule", "reveal_weights")
def reveal_weights(ledger: Ledger, origin: Origin, netuid: int, **opened: Any) -> None:
    """Open a commit on a subnet's main mechanism."""
    reveal_mechanism_weights(ledger, origin, netuid, 0, **opened)


@call("SubtensorModule", "reveal_mechanism_weights")
def reveal_mechanism_weights(ledger: Ledger, origin: Origin, netuid: int, mecid: int, **opened: Any) -> None:
    """Open a commit in the epoch after the reveal period (`uids`, `values`, `salt`, `version_key`).

    Raises:
        DispatchError: in order CommitRevealDisabled, NoWeightsCommitFound, ExpiredWeightCommit,
            InvalidRevealCommitHashNotMatch, RevealTooEarly, then as `weights.check`.
    """
    hotkey = ensure_signed(origin)
    require(read(ledger, "CommitRevealWeightsEnabled", netuid), "CommitRevealDisabled")
    ballot = Ballot(
        netuid=netuid,
        mechanism=mecid,
        uids=opened["uids"],
        values=opened["values"],
        version_key=opened["version_key"],
    )
    hashed = _reveal(ledger, hotkey, ballot, opened["salt"])
    event(ledger, "WeightsRevealed", [hotkey, storage_index(netuid, mecid), hashed])


@call("SubtensorModule", "batch_reveal_weights")
def batch_reveal_weights(ledger: Ledger, origin: Origin, netuid: int, **opened: Any) -> None:
    """Open several commits on a subnet, all or none."""
    lists = [opened[name] for name in ("uids_list", "values_list", "salts_list", "version_keys")]
    require(len({len(entries) for entries in lists}) == 1, "InputLengthsUnequal")
    hotkey = ensure_signed(origin)
    require(read(ledger, "CommitRevealWeightsEnabled", netuid), "CommitRevealDisabled")
    hashes: list[str] = []
    for chosen, values, salt, version_key in zip(*lists, strict=True):
        ballot = Ballot(netuid=netuid, mechanism=0, uids=chosen, values=values, version_key=version_key)
        hashes.append(_reveal(ledger, hotkey, ballot, salt))
    event(ledger, "WeightsBatchRevealed", [hotkey, netuid, hashes])


@call("SubtensorModule", "commit_timelocked_weights")
def commit_timelocked_weights(ledger: Ledger, origin: Origin, netuid: int, **sealed: Any) -> None:
    """Hand in sealed weights for a subnet's main mechanism."""
    commit_timelocked_mechanism_weights(ledger, origin, netuid, 0, **sealed)


@call("SubtensorModule", "commit_timelocked_mechanism_weights")
def commit_timelocked_mechanism_weights(
    ledger: Ledger, origin: Origin, netuid: int, mecid: int, **sealed: Any
) -> None:
    """Hand in weights sealed until a drand round (`commit`, `reveal_round`, `commit_reveal_version`).

    Raises:
        DispatchError: in order SubnetNotExists, MechanismDoesNotExist, CommitRevealDisabled,
            HotKeyNotRegisteredInSubNet, NotEnoughStakeToSetWeights, CommittingWeightsTooFast,
            IncorrectCommitRevealVersion, TooManyUnrevealedCommits.
    """
    hotkey, uid = _committer(ledger, origin, netuid, mecid)
    expected = number(ledger, "CommitRevealWeightsVersion")
    require(sealed["commit_reveal_version"] == expected, "IncorrectCommitRevealVersion")
    index, epoch = storage_index(netuid, mecid), schedule.epoch_index(ledger, netuid)
    kept = [
        (who, block, list(bytes_of(box)), at) for who, block, box, at in _timelocked(ledger, index, epoch)
    ]
    require(sum(who == hotkey for who, *_ in kept) < MOST_UNREVEALED, "TooManyUnrevealedCommits")
    box = list(bytes_of(sealed["commit"]))
    kept.append((hotkey, ledger.block_number, box, sealed["reveal_round"]))
    write(ledger, "TimelockedWeightCommits", index, epoch, value=kept)
    hashed = "0x" + blake2b(bytes(box), digest_size=32).hexdigest()
    event(ledger, "TimelockedWeightsCommitted", [hotkey, index, hashed, sealed["reveal_round"]])
    uids.set_last_update(ledger, netuid, mecid, uid)


def _timelocked(ledger: Ledger, index: int, epoch: int) -> list[tuple[str, int, Any, int]]:
    return read(ledger, "TimelockedWeightCommits", index, epoch)
