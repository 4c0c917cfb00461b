"""Setting weights: what a validator thinks of every neuron.

Checks run in the chain's order. Values are scaled so that the largest becomes 65535. Where commit-reveal is
on, only a reveal may set weights (`commit_reveal`). Root weights are gone from the runtime. Source:
`subnets/weights.rs`, `guards/check_weights.rs`.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import DispatchError, Origin, call, ensure_signed
from subnetlab.devnet.pallets.subtensor import stake_weight, uids
from subnetlab.devnet.pallets.subtensor.entries import (
    at,
    event,
    is_subnet,
    mechanisms,
    number,
    read,
    require,
    storage_index,
    write,
)
from subnetlab.units import ROOT_NETUID, U16_MAX
from subnetlab.yuma.fixed import I32F32

_DIVIDE_FIRST_ABOVE = 32_768


class Ballot(NamedTuple):
    """One validator's weights for one mechanism of a subnet."""

    netuid: int
    mechanism: int
    uids: Sequence[int]
    values: Sequence[int]
    version_key: int

    def is_self_weight(self, uid: int) -> bool:
        """Whether a neuron's only weight is on itself, which anyone may set."""
        return len(self.values) == 1 and list(self.uids[:1]) == [uid]


def upscaled(values: Sequence[int]) -> list[int]:
    """Scale u16 values so that the largest becomes 65535, rounding; all-zero stays as it is.

    Above 32768 the runtime divides before it multiplies, which costs a little precision. Source:
    `vec_max_upscale_to_u16`.
    """
    largest = max(values, default=0)
    if largest == 0:
        return list(values)
    if largest > _DIVIDE_FIRST_ABOVE:
        factor = I32F32.ratio(U16_MAX, largest)
        scaled = [I32F32.mul(I32F32.of(value), factor) for value in values]
    else:
        scaled = [I32F32.ratio(value * U16_MAX, largest) for value in values]
    return [I32F32.rounded(value, 16) for value in scaled]


def ensure_mechanism(ledger: Ledger, netuid: int, mechanism: int) -> None:
    """Refuse a subnet or mechanism that does not exist.

    Raises:
        DispatchError: SubnetNotExists, MechanismDoesNotExist.
    """
    require(is_subnet(ledger, netuid), "SubnetNotExists")
    require(mechanism in mechanisms(ledger, netuid), "MechanismDoesNotExist")


def has_min_stake(ledger: Ledger, netuid: int, hotkey: str) -> bool:
    """Whether a hotkey's stake weight reaches what setting weights takes; the subnet owner's always does."""
    own = uids.owner_uid(ledger, netuid)
    if own is not None and own == uids.uid_of(ledger, netuid, hotkey):
        return True
    return stake_weight.of(ledger, hotkey, netuid).total >= number(ledger, "StakeThreshold")


def may_set_now(ledger: Ledger, netuid: int, mechanism: int, uid: int) -> bool:
    """Whether enough blocks have passed since a neuron's last update."""
    last = int(at(ledger, "LastUpdate", storage_index(netuid, mechanism), uid=uid))
    passed = ledger.block_number - last
    return last == 0 or passed >= number(ledger, "WeightsSetRateLimit", netuid)


def check(ledger: Ledger, hotkey: str, ballot: Ballot) -> int:
    """Check a ballot and return the uid that casts it.

    Raises:
        DispatchError: in order CanNotSetRootNetworkWeights, WeightVecNotEqualSize, SubnetNotExists,
            MechanismDoesNotExist, UidsLengthExceedUidsInSubNet, HotKeyNotRegisteredInSubNet,
            NotEnoughStakeToSetWeights, IncorrectWeightVersionKey, SettingWeightsTooFast,
            NeuronNoValidatorPermit, DuplicateUids, UidVecContainInvalidOne, WeightVecLengthIsLow,
            MaxWeightExceeded.
    """
    netuid = ballot.netuid
    require(netuid != ROOT_NETUID, "CanNotSetRootNetworkWeights")
    require(len(ballot.uids) == len(ballot.values), "WeightVecNotEqualSize")
    ensure_mechanism(ledger, netuid, ballot.mechanism)
    size = number(ledger, "SubnetworkN", netuid)
    require(len(ballot.uids) <= size, "UidsLengthExceedUidsInSubNet")
    uid = uids.uid_of(ledger, netuid, hotkey)
    if uid is None:
        raise DispatchError("SubtensorModule", "HotKeyNotRegisteredInSubNet")
    require(has_min_stake(ledger, netuid, hotkey), "NotEnoughStakeToSetWeights")
    require(ballot.version_key >= number(ledger, "WeightsVersionKey", netuid), "IncorrectWeightVersionKey")
    if not read(ledger, "CommitRevealWeightsEnabled", netuid):
        require(may_set_now(ledger, netuid, ballot.mechanism, uid), "SettingWeightsTooFast")
    _check_content(ledger, uid, ballot, size)
    return uid


def _check_content(ledger: Ledger, uid: int, ballot: Ballot, size: int) -> None:
    netuid, alone = ballot.netuid, ballot.is_self_weight(uid)
    permitted = alone or uids.owner_uid(ledger, netuid) == uid
    permitted = permitted or at(ledger, "ValidatorPermit", netuid, uid=uid, default=False)
    require(permitted, "NeuronNoValidatorPermit")
    require(len(set(ballot.uids)) == len(ballot.uids), "DuplicateUids")
    require(all(target < size for target in ballot.uids), "UidVecContainInvalidOne")
    least = min(size, number(ledger, "MinAllowedWeights", netuid))
    require(alone or len(ballot.values) >= least, "WeightVecLengthIsLow")
    limit = number(ledger, "MaxWeightsLimit", netuid)
    require(alone or limit == U16_MAX or _within(upscaled(ballot.values), limit), "MaxWeightExceeded")


def _within(values: Sequence[int], limit: int) -> bool:
    """Whether no value is more than its allowed share (parts of 65535) of the sum."""
    total = sum(values)
    return total == 0 or max(values) * U16_MAX <= limit * total


def cast(ledger: Ledger, hotkey: str, ballot: Ballot) -> None:
    """Check a ballot and store it, with its event."""
    uid = check(ledger, hotkey, ballot)
    index = storage_index(ballot.netuid, ballot.mechanism)
    row = list(zip(ballot.uids, upscaled(ballot.values), strict=True))
    write(ledger, "Weights", index, uid, value=row)
    if not read(ledger, "CommitRevealWeightsEnabled", ballot.netuid):
        uids.set_last_update(ledger, ballot.netuid, ballot.mechanism, uid)
    event(ledger, "WeightsSet", [index, uid])


@contextmanager
def batch(ledger: Ledger, netuids: list[int], hotkey: str) -> Generator[Callable[..., None]]:
    """Let each attempt at a subnet fail alone; failures and completion become events at the end."""
    failed: list[tuple[int, DispatchError]] = []

    def attempt(netuid: int, function: Callable[..., None], /, *arguments: Any, **named: Any) -> None:
        try:
            with ledger.transaction():
                function(*arguments, **named)
        except DispatchError as error:
            failed.append((netuid, error))

    yield attempt
    if failed:
        event(ledger, "BatchCompletedWithErrors", [])
    for netuid, error in failed:
        event(ledger, "BatchWeightItemFailed", [netuid, ledger.error_value(error)])
    event(ledger, "BatchWeightsCompleted", [netuids, hotkey])


@call("SubtensorModule", "set_weights")
def set_weights(
    ledger: Ledger,
    origin: Origin,
    *,
    netuid: int,
    dests: list[int],
    weights: list[int],
    version_key: int,
) -> None:
    """Set the signing hotkey's weights on a subnet's main mechanism."""
    set_mechanism_weights(
        ledger, origin, netuid=netuid, mecid=0, dests=dests, weights=weights, version_key=version_key
    )


@call("SubtensorModule", "set_mechanism_weights")
def set_mechanism_weights(
    ledger: Ledger,
    origin: Origin,
    *,
    netuid: int,
    mecid: int,
    dests: list[int],
    weights: list[int],
    version_key: int,
) -> None:
    """Set the signing hotkey's weights on one mechanism of a subnet."""
    hotkey = ensure_signed(origin)
    require(not read(ledger, "CommitRevealWeightsEnabled", netuid), "CommitRevealEnabled")
    ballot = Ballot(netuid=netuid, mechanism=mecid, uids=dests, values=weights, version_key=version_key)
    cast(ledger, hotkey, ballot)


@call("SubtensorModule", "batch_set_weights")
def batch_set_weights(
    ledger: Ledger,
    origin: Origin,
    *,
    netuids: list[int],
    weights: list[list[tuple[int, int]]],
    version_keys: list[int],
) -> None:
    """Set weights on several subnets; one failure is an event and does not stop the others."""
    hotkey = ensure_signed(origin)
    require(len(netuids) == len(weights) == len(version_keys), "InputLengthsUnequal")
    with batch(ledger, netuids, hotkey) as attempt:
        for netuid, row, version_key in zip(netuids, weights, version_keys, strict=True):
            terms = {"dests": [uid for uid, _ in row], "weights": [value for _, value in row]}
            attempt(netuid, set_weights, ledger, origin, netuid=netuid, version_key=version_key, **terms)
