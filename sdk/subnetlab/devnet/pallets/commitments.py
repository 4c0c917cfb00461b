"""Commitments: small public notes of a subnet's neurons, limited in bytes per epoch.

Deposits are zero in this runtime. Timelocked fields stay sealed, because their key comes from the drand
network (fidelity table). Source: `pallets/commitments` at spec 425.
"""

from typing import Any

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import DispatchError, Origin, call, ensure_root, ensure_signed
from subnetlab.devnet.pallets.subtensor import uids
from subnetlab.devnet.pallets.subtensor.entries import entries, mechanisms, read, storage_index, write

PALLET = "Commitments"
MAX_FIELDS = 3
LEAST_SPACE = 100
"""Bytes a commitment counts for at least."""
_HASH_BYTES = 32


def _hex_bytes(value: Any) -> int:
    """How many bytes a decoded byte string has."""
    if isinstance(value, str):
        return (len(value) - 2) // 2 if value.startswith("0x") else len(value.encode())
    return len(value)


def space_of(field: Any) -> int:
    """How many bytes a field counts for."""
    if isinstance(field, str):
        return 0
    kind, content = next(iter(field.items()))
    if kind.startswith("Raw"):
        return int(kind.removeprefix("Raw"))
    if kind.startswith("BigRaw"):
        return _hex_bytes(content)
    return _hex_bytes(content["encrypted"]) if kind == "TimelockEncrypted" else _HASH_BYTES


def _is_timelocked(field: Any) -> bool:
    return isinstance(field, dict) and "TimelockEncrypted" in field


def _use_space(ledger: Ledger, netuid: int, who: str, needed: int) -> None:
    """Count bytes against the hotkey's space of this epoch.

    Raises:
        DispatchError: SpaceLimitExceeded.
    """
    epoch = int(read(ledger, "SubnetEpochIndex", netuid))
    usage = ledger.get(PALLET, "UsedSpaceOf", netuid, who)
    used = int(usage["used_space"]) if usage and int(usage["last_epoch"]) == epoch else 0
    if used + needed > int(ledger.get(PALLET, "MaxSpace")):
        raise DispatchError(PALLET, "SpaceLimitExceeded")
    value = {"last_epoch": epoch, "used_space": used + needed}
    ledger.put(PALLET, "UsedSpaceOf", netuid, who, value=value)


def _reset_bonds(ledger: Ledger, netuid: int, who: str) -> None:
    """Write down the wish to start bonds anew; where the subnet allows it, forget bonds in the neuron."""
    ledger.put(PALLET, "LastBondsReset", netuid, who, value=ledger.block_number)
    uid = uids.uid_of(ledger, netuid, who)
    if uid is None or not read(ledger, "BondsResetOn", netuid):
        return
    for mechanism in mechanisms(ledger, netuid):
        index = storage_index(netuid, mechanism)
        for holder, row in entries(ledger, "Bonds", index):
            write(ledger, "Bonds", index, holder, value=[entry for entry in row if entry[0] != uid])


@call(PALLET, "set_commitment")
def set_commitment(ledger: Ledger, origin: Origin, netuid: int, info: dict[str, Any]) -> None:
    """Replace the signing hotkey's commitment on a subnet.

    Raises:
        DispatchError: in order AccountNotAllowedCommit, TooManyFieldsInCommitmentInfo, SpaceLimitExceeded.
    """
    who = ensure_signed(origin)
    if uids.uid_of(ledger, netuid, who) is None:
        raise DispatchError(PALLET, "AccountNotAllowedCommit")
    fields: list[Any] = info["fields"]
    if len(fields) > MAX_FIELDS:
        raise DispatchError(PALLET, "TooManyFieldsInCommitmentInfo")
    if "ResetBondsFlag" in fields:
        _reset_bonds(ledger, netuid, who)
    _use_space(ledger, netuid, who, max(sum(space_of(field) for field in fields), LEAST_SPACE))
    registration = {"deposit": 0, "block": ledger.block_number, "info": info}
    ledger.put(PALLET, "CommitmentOf", netuid, who, value=registration)
    ledger.put(PALLET, "LastCommitment", netuid, who, value=ledger.block_number)
    _announce(ledger, netuid, who, fields)


def _announce(ledger: Ledger, netuid: int, who: str, fields: list[Any]) -> None:
    sealed = next((field for field in fields if _is_timelocked(field)), None)
    index = {(int(n), hotkey) for n, hotkey in ledger.get(PALLET, "TimelockedIndex")}
    if sealed is None:
        ledger.deposit_event(PALLET, "Commitment", {"netuid": netuid, "who": who})
        wanted = index - {(netuid, who)}
    else:
        reveal_round = sealed["TimelockEncrypted"]["reveal_round"]
        event = {"netuid": netuid, "who": who, "reveal_round": reveal_round}
        ledger.deposit_event(PALLET, "TimelockCommitment", event)
        wanted = index | {(netuid, who)}
    if wanted != index:
        ledger.put(PALLET, "TimelockedIndex", value=sorted(wanted))


@call(PALLET, "set_max_space")
def set_max_space(ledger: Ledger, origin: Origin, new_limit: int) -> None:
    """Set how many bytes a hotkey may commit per epoch and subnet; for root."""
    ensure_root(origin)
    ledger.put(PALLET, "MaxSpace", value=new_limit)
