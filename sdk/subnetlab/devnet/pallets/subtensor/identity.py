"""What people and subnets say about themselves.

Source: `utils/identity.rs`.
"""

from typing import Any

from subnetlab.devnet.chain.codec import bytes_of
from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import Origin, call, ensure_signed
from subnetlab.devnet.pallets.subtensor.entries import entries, event, read, require, write

_PERSON_BYTES = {
    "name": 256,
    "url": 256,
    "github_repo": 256,
    "image": 1024,
    "discord": 256,
    "description": 1024,
    "additional": 1024,
}
_SUBNET_BYTES = {
    "subnet_name": 256,
    "github_repo": 1024,
    "subnet_contact": 1024,
    "subnet_url": 1024,
    "discord": 256,
    "description": 1024,
    "logo_url": 1024,
    "additional": 1024,
}


def _checked(fields: dict[str, Any], most: dict[str, int]) -> dict[str, list[int]]:
    """The fields as bytes, none longer than it may be."""
    encoded = {name: list(bytes_of(fields[name])) for name in most}
    require(all(len(encoded[name]) <= size for name, size in most.items()), "InvalidIdentity")
    return encoded


def checked_subnet_identity(identity: dict[str, Any]) -> dict[str, list[int]]:
    """A subnet's identity ready to be stored.

    Raises:
        DispatchError: InvalidIdentity where a field is too long.
    """
    return _checked(identity, _SUBNET_BYTES)


def put_subnet_identity(ledger: Ledger, netuid: int, identity: dict[str, list[int]]) -> None:
    """Store a checked identity with its event."""
    write(ledger, "SubnetIdentitiesV3", netuid, value=identity)
    event(ledger, "SubnetIdentitySet", [netuid])


@call("SubtensorModule", "set_identity")
def set_identity(ledger: Ledger, origin: Origin, **fields: Any) -> None:
    """Describe the signer, one of whose hotkeys must hold a uid somewhere.

    Raises:
        DispatchError: HotKeyNotRegisteredInNetwork, then InvalidIdentity.
    """
    coldkey = ensure_signed(origin)
    hotkeys: list[str] = read(ledger, "OwnedHotkeys", coldkey)
    member = any(any(on for _, on in entries(ledger, "IsNetworkMember", hotkey)) for hotkey in hotkeys)
    require(member, "HotKeyNotRegisteredInNetwork")
    write(ledger, "IdentitiesV2", coldkey, value=_checked(fields, _PERSON_BYTES))
    event(ledger, "ChainIdentitySet", [coldkey])


@call("SubtensorModule", "set_subnet_identity")
def set_subnet_identity(ledger: Ledger, origin: Origin, netuid: int, **fields: Any) -> None:
    """Describe a subnet; for its owner.

    Raises:
        DispatchError: NotSubnetOwner, then InvalidIdentity.
    """
    coldkey = ensure_signed(origin)
    require(read(ledger, "SubnetOwner", netuid) == coldkey, "NotSubnetOwner")
    put_subnet_identity(ledger, netuid, checked_subnet_identity(fields))
