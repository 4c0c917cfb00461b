"""Short words for SubtensorModule's storage, events and errors, which every topic module uses.

Holds no rule of the chain. Numbers saturate as the runtime's do: `add` and `take` stay within zero and the
largest u64.
"""

from typing import Any

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import DispatchError
from subnetlab.units import U16_MAX, U64_MAX

PALLET = "SubtensorModule"
MECHANISM_STRIDE = 4096
"""Distance between a subnet's mechanisms in maps keyed by `NetUidStorageIndex`."""
ZERO_ACCOUNT = "5C4hrfjw9DjXZTzV3MwzrrAr9P1MJhSrvWGWqi1eSuyUpnhM"
"""The ss58 address of 32 zero bytes, the default of every account map."""


def read(ledger: Ledger, item: str, *keys: Any) -> Any:
    """The value of a SubtensorModule item."""
    return ledger.get(PALLET, item, *keys)


def number(ledger: Ledger, item: str, *keys: Any) -> int:
    """The value of an integer item."""
    return int(ledger.get(PALLET, item, *keys))


def write(ledger: Ledger, item: str, *keys: Any, value: Any) -> None:
    """Store a SubtensorModule item."""
    ledger.put(PALLET, item, *keys, value=value)


def erase(ledger: Ledger, item: str, *keys: Any) -> None:
    """Remove a SubtensorModule item."""
    ledger.remove(PALLET, item, *keys)


def exists(ledger: Ledger, item: str, *keys: Any) -> bool:
    """Whether an item is stored, defaults aside."""
    return ledger.has(PALLET, item, *keys)


def entries(ledger: Ledger, item: str, *keys: Any) -> list[tuple[Any, Any]]:
    """All `(remaining key, value)` of a map below its first keys."""
    return ledger.items(PALLET, item, *keys)


def add(ledger: Ledger, item: str, *keys: Any, amount: int) -> None:
    """Add to a u64 item, saturating."""
    write(ledger, item, *keys, value=min(number(ledger, item, *keys) + amount, U64_MAX))


def take(ledger: Ledger, item: str, *keys: Any, amount: int) -> None:
    """Subtract from an unsigned item, saturating at zero."""
    write(ledger, item, *keys, value=max(number(ledger, item, *keys) - amount, 0))


def put_at(ledger: Ledger, item: str, *keys: Any, uid: int, value: Any) -> None:
    """Overwrite one uid's place in a per-neuron vector; nothing happens past its end."""
    vector = list(read(ledger, item, *keys))
    if uid < len(vector):
        vector[uid] = value
        write(ledger, item, *keys, value=vector)


def at(ledger: Ledger, item: str, *keys: Any, uid: int, default: Any = 0) -> Any:
    """One uid's place in a per-neuron vector, or the default past its end."""
    vector = read(ledger, item, *keys)
    return vector[uid] if uid < len(vector) else default


def event(ledger: Ledger, name: str, fields: Any) -> None:
    """Deposit a SubtensorModule event; positional fields come as a list, even a single one."""
    alone = isinstance(fields, list) and len(fields) == 1
    ledger.deposit_event(PALLET, name, fields[0] if alone else fields)


def error(name: str) -> DispatchError:
    """A SubtensorModule error, to be raised."""
    return DispatchError(PALLET, name)


def require(condition: object, name: str) -> None:
    """Raise the named SubtensorModule error unless the condition holds."""
    if not condition:
        raise DispatchError(PALLET, name)


def storage_index(netuid: int, mechanism: int = 0) -> int:
    """The `NetUidStorageIndex` of one mechanism of a subnet, saturating."""
    return min(netuid + MECHANISM_STRIDE * mechanism, U16_MAX)


def mechanisms(ledger: Ledger, netuid: int) -> range:
    """The mechanism numbers a subnet runs."""
    return range(number(ledger, "MechanismCountCurrent", netuid))


def netuids(ledger: Ledger) -> list[int]:
    """Every existing subnet, root included, in the chain's own map order (little-endian key bytes)."""

    def find() -> tuple[int, ...]:
        return tuple(int(netuid) for netuid, added in entries(ledger, "NetworksAdded") if added)

    return list(ledger.remembered(PALLET, "NetworksAdded", find))


def is_subnet(ledger: Ledger, netuid: int) -> bool:
    """Whether a subnet exists."""
    return bool(read(ledger, "NetworksAdded", netuid))
