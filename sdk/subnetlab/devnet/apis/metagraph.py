"""SubnetInfoRuntimeApi, the part on metagraphs: a whole subnet in one answer.

Selected fields go by their number, which is their place in the runtime's type; the metadata says which.
Source: `rpc_info/{metagraph,show_subnet}.rs`.
"""

from typing import Any

from subnetlab.devnet.apis import hyperparameters, neurons, subnets
from subnetlab.devnet.chain.codec import bytes_of
from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import runtime_api
from subnetlab.devnet.pallets.subtensor import stake_weight
from subnetlab.devnet.pallets.subtensor.entries import (
    is_subnet,
    mechanisms,
    netuids,
    number,
    read,
    storage_index,
)

_VALIDATORS, _COMMITMENTS = "validators", "commitments"
_NOT_KEPT = ("trust", "rank", "pruning_score")
"""Vectors the runtime no longer computes."""
_COLUMNS = {
    "active": "Active",
    "validator_permit": "ValidatorPermit",
    "emission": "Emission",
    "dividends": "Dividends",
    "consensus": "Consensus",
}
_SCALARS = {
    "num_uids": "SubnetworkN",
    "max_uids": "MaxAllowedUids",
    "burn": "Burn",
    "pow_registration_allowed": "NetworkPowRegistrationAllowed",
}


def _person(ledger: Ledger, coldkey: str) -> dict[str, list[int]] | None:
    identity = read(ledger, "IdentitiesV2", coldkey)
    return identity and {field: list(bytes_of(text)) for field, text in identity.items()}


def _columns(ledger: Ledger, netuid: int) -> dict[str, list[Any]]:
    """Everything that has one entry per uid, mechanism 0."""
    hotkeys = [read(ledger, "Keys", netuid, uid) for uid in range(number(ledger, "SubnetworkN", netuid))]
    coldkeys = [read(ledger, "Owner", hotkey) for hotkey in hotkeys]
    weights = [stake_weight.of(ledger, hotkey, netuid) for hotkey in hotkeys]
    born = [number(ledger, "BlockAtRegistration", netuid, uid) for uid in range(len(hotkeys))]
    dividends = [(key, number(ledger, "AlphaDividendsPerSubnet", netuid, key)) for key in hotkeys]
    nothing = [0] * len(hotkeys)
    return {
        **{name: read(ledger, item, netuid) for name, item in _COLUMNS.items()},
        **{name: [] for name in _NOT_KEPT},
        "hotkeys": hotkeys,
        "coldkeys": coldkeys,
        "identities": [_person(ledger, coldkey) for coldkey in coldkeys],
        "axons": [neurons.axon_of(ledger, netuid, hotkey) for hotkey in hotkeys],
        "block_at_registration": born,
        "alpha_stake": [weight.alpha for weight in weights],
        "tao_stake": [weight.tao for weight in weights],
        "total_stake": [weight.total for weight in weights],
        "tao_dividends_per_hotkey": [(hotkey, 0) for hotkey in hotkeys],
        "alpha_dividends_per_hotkey": dividends,
        "collateral_locked": nothing,
        "collateral_min": nothing,
        "collateral_earned": nothing,
    }


def _metagraph(ledger: Ledger, netuid: int, mechanism: int = 0) -> dict[str, Any]:
    index = storage_index(netuid, mechanism)
    return {
        **hyperparameters.first_generation(ledger, netuid),
        **subnets.dynamic(ledger, netuid),
        **{name: read(ledger, item, netuid) for name, item in _SCALARS.items()},
        **_columns(ledger, netuid),
        "netuid": index,
        "name": subnets.name_of(ledger, netuid),
        "symbol": list(bytes_of(read(ledger, "TokenSymbol", netuid))),
        "identity": subnets.identity_of(ledger, netuid),
        "block": ledger.block_number,
        "subnet_emission": 0,
        "incentives": read(ledger, "Incentive", index),
        "last_update": read(ledger, "LastUpdate", index),
    }


@runtime_api("SubnetInfoRuntimeApi", "get_metagraph")
def get_metagraph(ledger: Ledger, netuid: int) -> dict[str, Any] | None:
    """A subnet as a whole."""
    return _metagraph(ledger, netuid) if is_subnet(ledger, netuid) else None


@runtime_api("SubnetInfoRuntimeApi", "get_mechagraph")
def get_mechagraph(ledger: Ledger, netuid: int, mechanism: int) -> dict[str, Any] | None:
    """A subnet as one of its mechanisms sees it."""
    known = is_subnet(ledger, netuid) and mechanism in mechanisms(ledger, netuid)
    return _metagraph(ledger, netuid, mechanism) if known else None


@runtime_api("SubnetInfoRuntimeApi", "get_all_metagraphs")
def get_all_metagraphs(ledger: Ledger) -> list[dict[str, Any]]:
    """Every subnet as a whole."""
    return [_metagraph(ledger, netuid) for netuid in netuids(ledger)]


@runtime_api("SubnetInfoRuntimeApi", "get_all_mechagraphs")
def get_all_mechagraphs(ledger: Ledger) -> list[dict[str, Any]]:
    """Every mechanism of every subnet."""
    return [
        _metagraph(ledger, netuid, mechanism)
        for netuid in netuids(ledger)
        for mechanism in mechanisms(ledger, netuid)
    ]


def _field_names(ledger: Ledger) -> list[str]:
    """The fields of a selective metagraph in the order of their numbers."""
    codec = ledger.codec
    option = codec.type_def(codec.apis["SubnetInfoRuntimeApi"]["get_selective_metagraph"]["output"])
    some = option["def"]["variant"]["variants"][1]["fields"][0]["type"]
    return [field["name"] for field in codec.type_def(some)["def"]["composite"]["fields"]]


def _selected(ledger: Ledger, netuid: int, mechanism: int, wanted: list[int]) -> dict[str, Any]:
    values = _metagraph(ledger, netuid, mechanism)
    permits: list[bool] = values["validator_permit"]
    values[_VALIDATORS] = [uid for uid, permit in enumerate(permits) if permit]
    values[_COMMITMENTS] = _commitments(ledger, netuid, values["hotkeys"])
    names = _field_names(ledger)
    chosen = {names[number] for number in wanted if number < len(names)} | {"netuid"}
    return {name: values[name] if name in chosen else None for name in names}


def _commitments(ledger: Ledger, netuid: int, hotkeys: list[str]) -> list[tuple[str, list[int]]]:
    found: list[tuple[str, list[int]]] = []
    item = ledger.codec.item("Commitments", "CommitmentOf")
    for hotkey in hotkeys:
        registration = ledger.get("Commitments", "CommitmentOf", netuid, hotkey)
        if registration is not None:
            found.append((hotkey, list(ledger.codec.encode(item.value_type, registration))))
    return found


@runtime_api("SubnetInfoRuntimeApi", "get_selective_metagraph")
def get_selective_metagraph(ledger: Ledger, netuid: int, wanted: list[int]) -> dict[str, Any] | None:
    """Chosen fields of a subnet, by their numbers."""
    return _selected(ledger, netuid, 0, wanted) if is_subnet(ledger, netuid) else None


@runtime_api("SubnetInfoRuntimeApi", "get_selective_mechagraph")
def get_selective_mechagraph(
    ledger: Ledger, netuid: int, mechanism: int, wanted: list[int]
) -> dict[str, Any] | None:
    """Chosen fields of a subnet as one of its mechanisms sees it."""
    known = is_subnet(ledger, netuid) and mechanism in mechanisms(ledger, netuid)
    return _selected(ledger, netuid, mechanism, wanted) if known else None


@runtime_api("SubnetInfoRuntimeApi", "get_subnet_state")
def get_subnet_state(ledger: Ledger, netuid: int) -> dict[str, Any] | None:
    """The per-uid part of a metagraph."""
    if not is_subnet(ledger, netuid):
        return None
    history = [
        [number(ledger, "LastHotkeyEmissionOnNetuid", key, n) for n in netuids(ledger)]
        for key in _hotkeys(ledger, netuid)
    ]
    return {**_metagraph(ledger, netuid), "emission_history": history}


def _hotkeys(ledger: Ledger, netuid: int) -> list[str]:
    return [read(ledger, "Keys", netuid, uid) for uid in range(number(ledger, "SubnetworkN", netuid))]
