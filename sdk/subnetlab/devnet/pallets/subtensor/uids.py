"""The slots of a subnet: who holds which uid, and who makes room when all are taken.

Source: `subnets/uids.rs` and the pruning part of `subnets/registration.rs`.
"""

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.pallets.subtensor import evm_key
from subnetlab.devnet.pallets.subtensor.entries import (
    at,
    entries,
    erase,
    error,
    exists,
    mechanisms,
    number,
    put_at,
    read,
    storage_index,
    write,
)

_FRESH: dict[str, int | bool] = {
    "Active": True,
    "Emission": 0,
    "Consensus": 0,
    "Dividends": 0,
    "ValidatorTrust": 0,
    "ValidatorPermit": False,
}
"""What a new neuron holds in each per-neuron vector of its subnet."""
_CLEARED = ("Emission", "Consensus", "Dividends", "StakeWeight", "ValidatorTrust", "ValidatorPermit")


def uid_of(ledger: Ledger, netuid: int, hotkey: str) -> int | None:
    """The uid a hotkey holds, or None."""
    return read(ledger, "Uids", netuid, hotkey)


def owner_uid(ledger: Ledger, netuid: int) -> int | None:
    """The uid of the subnet owner's hotkey, or None."""
    return uid_of(ledger, netuid, read(ledger, "SubnetOwnerHotkey", netuid))


def append(ledger: Ledger, netuid: int, hotkey: str) -> int:
    """Give a hotkey the next free uid and return it."""
    uid = number(ledger, "SubnetworkN", netuid)
    write(ledger, "SubnetworkN", netuid, value=uid + 1)
    for item, value in _FRESH.items():
        write(ledger, item, netuid, value=[*read(ledger, item, netuid), value])
    for mechanism in mechanisms(ledger, netuid):
        index = storage_index(netuid, mechanism)
        write(ledger, "Incentive", index, value=[*read(ledger, "Incentive", index), 0])
        set_last_update(ledger, netuid, mechanism, uid)
    _seat(ledger, netuid, uid, hotkey)
    return uid


def replace(ledger: Ledger, netuid: int, uid: int, hotkey: str) -> None:
    """Put a hotkey in the place of another; the subnet owner's own hotkey stays."""
    former = read(ledger, "Keys", netuid, uid)
    if exists(ledger, "SubnetOwnerHotkey", netuid) and read(ledger, "SubnetOwnerHotkey", netuid) == former:
        return
    erase(ledger, "Uids", netuid, former)
    evm_key.forget(ledger, netuid, uid)
    erase(ledger, "IsNetworkMember", former, netuid)
    put_at(ledger, "Active", netuid, uid=uid, value=True)
    _seat(ledger, netuid, uid, hotkey)
    for item in ("Axons", "NeuronCertificates", "Prometheus"):
        erase(ledger, item, netuid, former)
    _clear(ledger, netuid, uid)
    for mechanism in mechanisms(ledger, netuid):
        set_last_update(ledger, netuid, mechanism, uid)


def set_last_update(ledger: Ledger, netuid: int, mechanism: int, uid: int) -> None:
    """Write down that a neuron set weights (or was born) in this block."""
    index, size = storage_index(netuid, mechanism), number(ledger, "SubnetworkN", netuid)
    vector: list[int] = list(read(ledger, "LastUpdate", index))
    vector += [0] * (size - len(vector))
    vector[uid] = ledger.block_number
    write(ledger, "LastUpdate", index, value=vector)


def _seat(ledger: Ledger, netuid: int, uid: int, hotkey: str) -> None:
    write(ledger, "Keys", netuid, uid, value=hotkey)
    write(ledger, "Uids", netuid, hotkey, value=uid)
    write(ledger, "BlockAtRegistration", netuid, uid, value=ledger.block_number)
    write(ledger, "IsNetworkMember", hotkey, netuid, value=True)


def _clear(ledger: Ledger, netuid: int, uid: int) -> None:
    """Forget what the former holder earned, set and was given."""
    for item in _CLEARED:
        put_at(ledger, item, netuid, uid=uid, value=False if item == "ValidatorPermit" else 0)
    for mechanism in mechanisms(ledger, netuid):
        index = storage_index(netuid, mechanism)
        put_at(ledger, "Incentive", index, uid=uid, value=0)
        erase(ledger, "Bonds", index, uid)
        erase(ledger, "Weights", index, uid)
        for setter, row in entries(ledger, "Weights", index):
            if any(target == uid for target, _ in row):
                zeroed = [(target, 0 if target == uid else weight) for target, weight in row]
                write(ledger, "Weights", index, setter, value=zeroed)


def register(ledger: Ledger, netuid: int, hotkey: str) -> int:
    """Give a hotkey a uid: a free one, or that of the neuron that has to go.

    Raises:
        DispatchError: NoNeuronIdAvailable where no neuron may be pruned.
    """
    if number(ledger, "SubnetworkN", netuid) < number(ledger, "MaxAllowedUids", netuid):
        return append(ledger, netuid, hotkey)
    uid = prunable(ledger, netuid)
    if uid is None:
        raise error("NoNeuronIdAvailable")
    replace(ledger, netuid, uid, hotkey)
    return uid


def is_immune(ledger: Ledger, netuid: int, uid: int) -> bool:
    """Whether a neuron registered so recently that it is protected."""
    age = ledger.block_number - number(ledger, "BlockAtRegistration", netuid, uid)
    return age < number(ledger, "ImmunityPeriod", netuid)


def immune_owner_uids(ledger: Ledger, netuid: int) -> list[int]:
    """The uids of the subnet's owner that are never pruned: its oldest few, its owner hotkey first."""
    limit = number(ledger, "ImmuneOwnerUidsLimit", netuid)
    aged: list[tuple[int, int]] = []
    for hotkey in read(ledger, "OwnedHotkeys", read(ledger, "SubnetOwner", netuid)):
        uid = uid_of(ledger, netuid, hotkey)
        if uid is not None:
            aged.append((number(ledger, "BlockAtRegistration", netuid, uid), uid))
    kept = [uid for _, uid in sorted(aged)[:limit]]
    own = owner_uid(ledger, netuid) if exists(ledger, "SubnetOwnerHotkey", netuid) else None
    if own is not None and own not in kept:
        kept = [own, *kept][:limit]
    return kept


def prunable(ledger: Ledger, netuid: int) -> int | None:
    """The uid that makes room: least emission, then oldest, then lowest.

    Neurons past their immunity go first as long as more of them remain than the subnet must keep; the
    owner's protected uids never go.
    """
    safe = set(immune_owner_uids(ledger, netuid))
    ranked: dict[bool, list[tuple[int, int, int]]] = {True: [], False: []}
    for uid in range(number(ledger, "SubnetworkN", netuid)):
        if uid not in safe:
            emission = int(at(ledger, "Emission", netuid, uid=uid))
            born = number(ledger, "BlockAtRegistration", netuid, uid)
            ranked[is_immune(ledger, netuid, uid)].append((emission, born, uid))
    if len(ranked[False]) > number(ledger, "MinNonImmuneUids", netuid):
        return min(ranked[False])[2]
    return min(ranked[True])[2] if ranked[True] else None
