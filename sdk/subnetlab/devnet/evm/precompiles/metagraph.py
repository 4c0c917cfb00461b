"""0x802: a subnet's neurons, read by netuid and uid.

Stake is the hotkey's on all subnets in rao; rank and trust are no longer computed and always 0. A uid that is
not taken fails for its keys, stake and axon, and reads 0 otherwise. Source: `metagraph.rs`.
"""

from typing import Any

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.evm.precompiles.frame import Failed
from subnetlab.devnet.evm.precompiles.staked import total_of_hotkey
from subnetlab.devnet.evm.precompiles.words import Body, Constants, Precompile, Read, Stored
from subnetlab.devnet.pallets.subtensor.entries import at, exists, read

_AXON = ("block", "version", "ip", "port", "ip_type", "protocol")


def hotkey_of(ledger: Ledger, netuid: int, uid: int, refusal: str = "InvalidRange") -> str:
    """Who has a uid.

    Raises:
        Failed: nobody has.
    """
    if not exists(ledger, "Keys", netuid, uid):
        raise Failed(refusal)
    return read(ledger, "Keys", netuid, uid)


def _coldkey(ledger: Ledger, netuid: int, uid: int) -> str:
    return read(ledger, "Owner", hotkey_of(ledger, netuid, uid))


def _stake(ledger: Ledger, netuid: int, uid: int) -> int:
    return total_of_hotkey(ledger, hotkey_of(ledger, netuid, uid))


def _axon(ledger: Ledger, netuid: int, uid: int) -> list[Any]:
    axon = read(ledger, "Axons", netuid, hotkey_of(ledger, netuid, uid, "hotkey not found")) or {}
    return [axon.get(name, 0) for name in _AXON]


def _per_uid(item: str) -> Read:
    def value(ledger: Ledger, netuid: int, uid: int) -> Any:
        return at(ledger, item, netuid, uid=uid)

    return Read(1, value)


_NO_LONGER_COMPUTED = Constants(0)
_BODIES: dict[str, Body] = {
    "getUidCount": Stored("SubtensorModule.SubnetworkN"),
    "getStake": Read(2, _stake),
    "getRank": _NO_LONGER_COMPUTED,
    "getTrust": _NO_LONGER_COMPUTED,
    "getConsensus": _per_uid("Consensus"),
    "getIncentive": _per_uid("Incentive"),
    "getDividends": _per_uid("Dividends"),
    "getEmission": _per_uid("Emission"),
    "getVtrust": _per_uid("ValidatorTrust"),
    "getValidatorStatus": _per_uid("ValidatorPermit"),
    "getLastUpdate": _per_uid("LastUpdate"),
    "getIsActive": _per_uid("Active"),
    "getAxon": Read(2, _axon),
    "getHotkey": Read(1, hotkey_of),
    "getColdkey": Read(2, _coldkey),
}

METAGRAPH = Precompile(name="metagraph", switch="Metagraph", bodies=_BODIES, borrowed=True)
