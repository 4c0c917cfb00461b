"""NeuronInfoRuntimeApi: one record per uid.

Rank, trust and pruning score are no longer computed by the runtime and hold its placeholders. Source:
`rpc_info/neuron_info.rs`.
"""

from typing import Any

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import runtime_api
from subnetlab.devnet.pallets.subtensor import share_pool
from subnetlab.devnet.pallets.subtensor.entries import exists, is_subnet, number, read
from subnetlab.units import U16_MAX

_NO_PROMETHEUS = dict.fromkeys(("block", "version", "ip", "port", "ip_type"), 0)
_NO_AXON = {**_NO_PROMETHEUS, "protocol": 0, "placeholder1": 0, "placeholder2": 0}
_VECTORS = {
    "active": "Active",
    "emission": "Emission",
    "incentive": "Incentive",
    "consensus": "Consensus",
    "validator_trust": "ValidatorTrust",
    "dividends": "Dividends",
    "last_update": "LastUpdate",
    "validator_permit": "ValidatorPermit",
}
_FLAGS = ("active", "validator_permit")


def axon_of(ledger: Ledger, netuid: int, hotkey: str) -> dict[str, int]:
    """Where a neuron serves; zeros where it does not."""
    return read(ledger, "Axons", netuid, hotkey) or _NO_AXON


Columns = dict[str, list[Any]]
"""A subnet's per-neuron vectors, in the words of the API."""


def _columns(ledger: Ledger, netuid: int) -> Columns:
    return {name: read(ledger, item, netuid) for name, item in _VECTORS.items()}


def _place(columns: Columns, name: str, uid: int) -> Any:
    column = columns[name]
    if uid < len(column):
        return column[uid]
    return False if name in _FLAGS else 0


def _lite(ledger: Ledger, netuid: int, uid: int, columns: Columns) -> dict[str, Any] | None:
    if not exists(ledger, "Keys", netuid, uid):
        return None
    hotkey = read(ledger, "Keys", netuid, uid)
    coldkey = read(ledger, "Owner", hotkey)
    return {
        "hotkey": hotkey,
        "coldkey": coldkey,
        "uid": uid,
        "netuid": netuid,
        "axon_info": axon_of(ledger, netuid, hotkey),
        "prometheus_info": read(ledger, "Prometheus", netuid, hotkey) or _NO_PROMETHEUS,
        "stake": [(coldkey, share_pool.hotkey_stake(ledger, hotkey, netuid))],
        "rank": 0,
        "trust": 0,
        "pruning_score": U16_MAX,
        **{name: _place(columns, name, uid) for name in _VECTORS},
    }


def _full(ledger: Ledger, netuid: int, uid: int, columns: Columns) -> dict[str, Any] | None:
    lite = _lite(ledger, netuid, uid, columns)
    if lite is None:
        return None
    weights = [(to, value) for to, value in read(ledger, "Weights", netuid, uid) if value]
    bonds = [(to, value) for to, value in read(ledger, "Bonds", netuid, uid) if value]
    return {**lite, "weights": weights, "bonds": bonds}


def _uids(ledger: Ledger, netuid: int) -> range:
    return range(number(ledger, "SubnetworkN", netuid) if is_subnet(ledger, netuid) else 0)


@runtime_api("NeuronInfoRuntimeApi", "get_neurons")
def get_neurons(ledger: Ledger, netuid: int) -> list[dict[str, Any] | None]:
    """Every neuron of a subnet with its weights and bonds."""
    columns = _columns(ledger, netuid)
    return [_full(ledger, netuid, uid, columns) for uid in _uids(ledger, netuid)]


@runtime_api("NeuronInfoRuntimeApi", "get_neuron")
def get_neuron(ledger: Ledger, netuid: int, uid: int) -> dict[str, Any] | None:
    """One neuron with its weights and bonds."""
    return _full(ledger, netuid, uid, _columns(ledger, netuid)) if is_subnet(ledger, netuid) else None


@runtime_api("NeuronInfoRuntimeApi", "get_neurons_lite")
def get_neurons_lite(ledger: Ledger, netuid: int) -> list[dict[str, Any] | None]:
    """Every neuron of a subnet, without weights and bonds."""
    columns = _columns(ledger, netuid)
    return [_lite(ledger, netuid, uid, columns) for uid in _uids(ledger, netuid)]


@runtime_api("NeuronInfoRuntimeApi", "get_neuron_lite")
def get_neuron_lite(ledger: Ledger, netuid: int, uid: int) -> dict[str, Any] | None:
    """One neuron, without weights and bonds."""
    return _lite(ledger, netuid, uid, _columns(ledger, netuid)) if is_subnet(ledger, netuid) else None
