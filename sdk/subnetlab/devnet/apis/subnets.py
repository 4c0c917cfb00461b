"""SubnetInfoRuntimeApi, the part on subnets as a whole, and SubnetRegistrationRuntimeApi.

Source: `rpc_info/{subnet_info,dynamic_info,show_subnet}.rs`.
"""

from typing import Any

from subnetlab.devnet.chain.codec import bytes_of
from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import runtime_api
from subnetlab.devnet.pallets.subtensor import money, schedule, subnet
from subnetlab.devnet.pallets.subtensor.entries import is_subnet, netuids, number, read
from subnetlab.units import ROOT_NETUID

_NAMES = {0: "root", 1: "apex"}
_SUMMARY = {
    "rho": "Rho",
    "kappa": "Kappa",
    "difficulty": "Difficulty",
    "immunity_period": "ImmunityPeriod",
    "max_allowed_validators": "MaxAllowedValidators",
    "min_allowed_weights": "MinAllowedWeights",
    "max_weights_limit": "MaxWeightsLimit",
    "scaling_law_power": "ScalingLawPower",
    "subnetwork_n": "SubnetworkN",
    "max_allowed_uids": "MaxAllowedUids",
    "blocks_since_last_step": "BlocksSinceLastStep",
    "tempo": "Tempo",
    "burn": "Burn",
    "owner": "SubnetOwner",
}
_DYNAMIC = {
    "owner_hotkey": "SubnetOwnerHotkey",
    "owner_coldkey": "SubnetOwner",
    "tempo": "Tempo",
    "last_step": "LastMechansimStepBlock",
    "alpha_in": "SubnetAlphaIn",
    "alpha_out": "SubnetAlphaOut",
    "tao_in": "SubnetTAO",
    "alpha_out_emission": "SubnetAlphaOutEmission",
    "alpha_in_emission": "SubnetAlphaInEmission",
    "tao_in_emission": "SubnetTaoInEmission",
    "subnet_volume": "SubnetVolume",
    "network_registered_at": "NetworkRegisteredAt",
    "moving_price": "SubnetMovingPrice",
}


def name_of(ledger: Ledger, netuid: int) -> list[int]:
    """A subnet's name as bytes: what it calls itself, or what the chain calls it."""
    identity = read(ledger, "SubnetIdentitiesV3", netuid)
    own = list(bytes_of(identity["subnet_name"])) if identity else []
    return own or list(_NAMES.get(netuid, "unknown").encode())


def identity_of(ledger: Ledger, netuid: int) -> dict[str, list[int]] | None:
    """A subnet's identity, its texts as bytes."""
    identity = read(ledger, "SubnetIdentitiesV3", netuid)
    return identity and {field: list(bytes_of(text)) for field, text in identity.items()}


def dynamic(ledger: Ledger, netuid: int) -> dict[str, Any]:
    """What changes with every block of a subnet, in the words both it and the metagraph use."""
    pending = number(ledger, "PendingValidatorEmission", netuid) + number(
        ledger, "PendingServerEmission", netuid
    )
    values = {name: read(ledger, item, netuid) for name, item in _DYNAMIC.items()}
    return {
        **values,
        "netuid": netuid,
        "blocks_since_last_step": ledger.block_number - int(values["last_step"]),
        "pending_alpha_emission": pending,
        "pending_root_emission": 0,
    }


@runtime_api("SubnetInfoRuntimeApi", "get_dynamic_info")
def get_dynamic_info(ledger: Ledger, netuid: int) -> dict[str, Any] | None:
    """A subnet's pool, emission and identity."""
    if not is_subnet(ledger, netuid):
        return None
    return {
        **dynamic(ledger, netuid),
        "subnet_name": name_of(ledger, netuid),
        "token_symbol": list(bytes_of(read(ledger, "TokenSymbol", netuid))),
        "emission": 0,
        "subnet_identity": identity_of(ledger, netuid),
    }


@runtime_api("SubnetInfoRuntimeApi", "get_all_dynamic_info")
def get_all_dynamic_info(ledger: Ledger) -> list[dict[str, Any] | None]:
    """Every subnet's pool, emission and identity."""
    return [get_dynamic_info(ledger, netuid) for netuid in netuids(ledger)]


@runtime_api("SubnetInfoRuntimeApi", "get_subnet_info")
def get_subnet_info(ledger: Ledger, netuid: int) -> dict[str, Any] | None:
    """A subnet's summary."""
    if not is_subnet(ledger, netuid):
        return None
    values = {name: read(ledger, item, netuid) for name, item in _SUMMARY.items()}
    fixed: dict[str, Any] = {"network_modality": 0, "network_connect": [], "emission_values": 0}
    return {"netuid": netuid, **values, **fixed}


@runtime_api("SubnetInfoRuntimeApi", "get_subnets_info")
def get_subnets_info(ledger: Ledger) -> list[dict[str, Any] | None]:
    """Every subnet's summary, by netuid."""
    return [get_subnet_info(ledger, netuid) for netuid in sorted(netuids(ledger))]


@runtime_api("SubnetInfoRuntimeApi", "get_subnet_info_v2")
def get_subnet_info_v2(ledger: Ledger, netuid: int) -> dict[str, Any] | None:
    """A subnet's summary with its identity."""
    summary = get_subnet_info(ledger, netuid)
    if summary is None:
        return None
    del summary["emission_values"]
    return {**summary, "emission_value": 0, "identity": identity_of(ledger, netuid)}


@runtime_api("SubnetInfoRuntimeApi", "get_subnets_info_v2")
def get_subnets_info_v2(ledger: Ledger) -> list[dict[str, Any] | None]:
    """Every subnet's summary with its identity, by netuid."""
    return [get_subnet_info_v2(ledger, netuid) for netuid in sorted(netuids(ledger))]


@runtime_api("SubnetInfoRuntimeApi", "get_next_epoch_start_block")
def get_next_epoch_start_block(ledger: Ledger, netuid: int) -> int | None:
    """The block of a subnet's next epoch."""
    return schedule.next_epoch_block(ledger, netuid)


@runtime_api("SubnetInfoRuntimeApi", "get_subnet_account_id")
def get_subnet_account_id(ledger: Ledger, netuid: int) -> str | None:
    """The account that holds a subnet's TAO."""
    known = netuid == ROOT_NETUID or ledger.has("SubtensorModule", "NetworksAdded", netuid)
    return money.subnet_account(netuid) if known else None


@runtime_api("SubnetInfoRuntimeApi", "get_coldkey_auto_stake_hotkey")
def get_coldkey_auto_stake_hotkey(ledger: Ledger, coldkey: str, netuid: int) -> str | None:
    """Where a coldkey's miner incentive is staked by itself."""
    return read(ledger, "AutoStakeDestination", coldkey, netuid)


@runtime_api("SubnetInfoRuntimeApi", "get_block_emission")
def get_block_emission(ledger: Ledger) -> int:
    """Rao minted per block."""
    return number(ledger, "BlockEmission")


@runtime_api("SubnetRegistrationRuntimeApi", "get_network_registration_cost")
def get_network_registration_cost(ledger: Ledger) -> int:
    """Rao that a new subnet costs now."""
    return subnet.lock_cost(ledger)
