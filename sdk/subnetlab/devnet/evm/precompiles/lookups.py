"""0x806, 0x807, 0x80c and 0x80d: uids of an EVM key, raw storage, mirror accounts, voting power.

Raw storage takes a storage key as its call data, without a selector, and answers the SCALE bytes; ten pallets
are open to it. Voting power is tracked nowhere on the devnet: it reads 0, and switching it on is refused.
Source: `uid_lookup.rs`, `storage_query.rs`, `address_mapping.rs`, `voting_power.rs`.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from subnetlab.devnet.chain.codec import Codec
from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.evm.addresses import mirror
from subnetlab.devnet.evm.precompiles.frame import READ_GAS, Failed, Frame
from subnetlab.devnet.evm.precompiles.words import Arguments, Call, Maybe, Precompile, Read, Stored
from subnetlab.devnet.pallets.subtensor.entries import entries, read
from subnetlab.units import U64_MAX

STORAGE_QUERY_INDEX = 2055
_OPEN = {
    "SubtensorModule": "NetworksAdded",
    "Swap": "FeeRate",
    "Balances": "TotalIssuance",
    "Proxy": "Proxies",
    "Scheduler": "Agenda",
    "Drand": "Pulses",
    "Crowdloan": "Crowdloans",
    "Sudo": "Key",
    "Multisig": "Multisigs",
    "Timestamp": "Now",
}
"""The pallets that raw storage may be read of, each with an item whose key begins as the pallet's keys do."""
_PALLET_BYTES = 16


@lru_cache(maxsize=4)
def _open_prefixes(codec: Codec) -> frozenset[bytes]:
    return frozenset(codec.key(pallet, item)[:_PALLET_BYTES] for pallet, item in _OPEN.items())


def storage_query(frame: Frame) -> bytes:
    """The bytes stored under the call data's key, none where nothing is.

    Raises:
        Failed: the key is of a pallet that is not open to contracts.
    """
    if frame.data[:_PALLET_BYTES] not in _open_prefixes(frame.ledger.codec):
        raise Failed("Invalid key")
    frame.consume(READ_GAS)
    return frame.ledger.raw(frame.data) or b""


def _uids_of(ledger: Ledger, netuid: int, evm_key: str, limit: int) -> list[tuple[int, int]]:
    """The uids that an EVM key is associated with, the oldest association first."""
    found: list[tuple[int, int]] = list(read(ledger, "AssociatedUidsByEvmAddress", netuid, evm_key))
    return sorted(found, key=lambda pair: pair[1])[:limit]


def _mirror(_frame: Frame, arguments: Arguments) -> Sequence[Any]:
    return [mirror(arguments["target_address"])]


def _total_voting_power(frame: Frame, arguments: Arguments) -> Sequence[Any]:
    powers = [int(power) for _, power in entries(frame.ledger, "VotingPower", arguments["netuid"])]
    frame.charge_reads(len(powers))
    return [min(sum(powers), U64_MAX)]


UID_LOOKUP = Precompile(
    name="uid-lookup",
    switch="UidLookup",
    bodies={
        "uidLookup": Read(1, _uids_of),
        "getAssociatedEvmAddress": Maybe(Stored("SubtensorModule.AssociatedEvmAddress")),
    },
    borrowed=True,
)

ADDRESS_MAPPING = Precompile(
    name="address-mapping",
    switch="AddressMapping",
    bodies={"addressMapping": _mirror},
    borrowed=True,
)

VOTING_POWER = Precompile(
    name="voting-power",
    switch="VotingPower",
    bodies={
        "getVotingPower": Stored("SubtensorModule.VotingPower"),
        "isVotingPowerTrackingEnabled": Stored("SubtensorModule.VotingPowerTrackingEnabled"),
        "getVotingPowerDisableAtBlock": Stored("SubtensorModule.VotingPowerDisableAtBlock"),
        "getVotingPowerEmaAlpha": Stored("SubtensorModule.VotingPowerEmaAlpha"),
        "getTotalVotingPower": _total_voting_power,
        "enableVotingPowerTracking": Call("SubtensorModule.enable_voting_power_tracking"),
        "disableVotingPowerTracking": Call("SubtensorModule.disable_voting_power_tracking"),
    },
)
