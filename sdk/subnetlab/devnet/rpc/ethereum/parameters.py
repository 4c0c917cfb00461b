"""Reading the parameters of Ethereum's methods: quantities, addresses, blocks and what is to be called.

Wrong ones answer −32602, like those of every other method.
"""

from dataclasses import dataclass
from string import hexdigits
from typing import Any

from subnetlab.devnet.evm import gas
from subnetlab.devnet.evm.transaction import AccessList, Authorization
from subnetlab.devnet.node.ethereum_history import History
from subnetlab.devnet.rpc.method import INTERNAL_ERROR, Parameters, RpcError, from_hex, invalid_params

ADDRESS_BYTES, HASH_BYTES = 20, 32
_HEAD = frozenset({"latest", "pending", "safe", "finalized"})
_HEXADECIMAL = frozenset(hexdigits)


def internal(message: str, data: bytes | None = None) -> RpcError:
    """A failure as Frontier words it."""
    return RpcError(INTERNAL_ERROR, message, None if data is None else "0x" + data.hex())


def quantity(value: Any, index: int, bits: int = 256) -> int:
    """A number as `0x…`, or as JSON has it."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << bits:
        return value
    digits = value[2:] if isinstance(value, str) and value.startswith("0x") else None
    if digits is not None and len(digits) <= bits // 4 and _HEXADECIMAL.issuperset(digits):
        return int(digits or "0", 16)
    raise invalid_params(f"invalid value at position {index}: expected a quantity of at most {bits} bits")


def sized(value: Any, size: int, index: int) -> bytes:
    """Exactly so many bytes as `0x…`."""
    data = from_hex(value, index)
    if len(data) != size:
        raise invalid_params(f"invalid length at position {index}: expected {size} bytes")
    return data


def address(parameters: Parameters, index: int) -> bytes:
    """An address."""
    return sized(parameters.get(index), ADDRESS_BYTES, index)


def hash_of(parameters: Parameters, index: int) -> bytes:
    """The hash of a block or a transaction."""
    return sized(parameters.get(index), HASH_BYTES, index)


Which = int | bytes | None
"""What names a block: its height, its hash, or None for the newest, whichever that is when it is asked."""


def which(value: Any, index: int) -> Which:
    """The block that a tag, number, hash or object names."""
    if isinstance(value, dict):
        if value.get("blockHash") is not None:
            return sized(value["blockHash"], HASH_BYTES, index)
        value = value.get("blockNumber")
    if value is None or (isinstance(value, str) and value in _HEAD):
        return None
    if value == "earliest":
        return 0
    if isinstance(value, str) and len(value) == 2 + 2 * HASH_BYTES:
        return sized(value, HASH_BYTES, index)
    return quantity(value, index)


def height_of(history: History, block: Which) -> int | None:
    """The height of a named block; None where no sealed block is it."""
    if block is None:
        return history.head
    if isinstance(block, bytes):
        return history.number_of(block)
    return block if block <= history.head else None


def height(history: History, value: Any, index: int) -> int | None:
    """The height that a tag, number, hash or object names; None where no sealed block has it."""
    return height_of(history, which(value, index))


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be called, as far as it was said."""

    sender: bytes
    to: bytes | None
    gas: int | None
    price: int | None
    """The most wei a gas, by either kind of price."""
    value: int
    data: bytes
    nonce: int | None
    access_list: AccessList
    authorizations: tuple[Authorization, ...]


def request(parameters: Parameters, index: int) -> Request:
    """A transaction object."""
    fields = parameters.get(index)
    if not isinstance(fields, dict):
        raise invalid_params(f"invalid type at position {index}: expected an object")

    def number(name: str) -> int | None:
        return None if fields.get(name) is None else quantity(fields[name], index)

    def located(name: str) -> bytes | None:
        return None if fields.get(name) in (None, "", "0x") else sized(fields[name], ADDRESS_BYTES, index)

    data, also = fields.get("data"), fields.get("input")
    if data is not None and also is not None and from_hex(data, index) != from_hex(also, index):
        raise invalid_params(f"invalid value at position {index}: `data` and `input` differ")
    return Request(
        sender=located("from") or bytes(ADDRESS_BYTES), to=located("to"), gas=number("gas"),
        price=_price(number("gasPrice"), number("maxFeePerGas"), number("maxPriorityFeePerGas")),
        value=number("value") or 0, data=from_hex(data or also or "0x", index), nonce=number("nonce"),
        access_list=_access_list(fields.get("accessList") or [], index),
        authorizations=_authorizations(fields.get("authorizationList") or [], index),
    )  # fmt: skip


def gas_of_lists(parameters: Parameters, index: int) -> int:
    """Gas that a transaction object's lists alone cost, by their lengths, before anything in them is read."""
    fields = parameters.get(index)
    if not isinstance(fields, dict):
        raise invalid_params(f"invalid type at position {index}: expected an object")
    listed = _listed(fields.get("accessList") or [], index)
    keys = sum(len(_keys(one, index)) for one in listed)
    authorizations = len(_listed(fields.get("authorizationList") or [], index))
    return gas.AUTHORIZATION * authorizations + gas.LISTED_ADDRESS * len(listed) + gas.LISTED_KEY * keys


def _price(gas_price: int | None, most: int | None, tip: int | None) -> int | None:
    if gas_price is not None and most is not None and tip is not None:
        raise internal("both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified")
    if gas_price is None and most is not None and tip is not None and tip > most:
        raise internal("Invalid input: `max_priority_fee_per_gas` greater than `max_fee_per_gas`")
    return gas_price if gas_price is not None else most if tip is not None else None


def _listed(value: Any, index: int) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise invalid_params(f"invalid type at position {index}: expected a list of objects")
    return value


def _keys(listed: dict[str, Any], index: int) -> list[Any]:
    keys = listed.get("storageKeys") or []
    if not isinstance(keys, list):
        raise invalid_params(f"invalid type at position {index}: expected a list")
    return keys


def _access_list(value: Any, index: int) -> AccessList:
    return tuple(
        (
            sized(one.get("address"), ADDRESS_BYTES, index),
            tuple(sized(key, HASH_BYTES, index) for key in _keys(one, index)),
        )
        for one in _listed(value, index)
    )


def _authorizations(value: Any, index: int) -> tuple[Authorization, ...]:
    return tuple(
        Authorization(
            chain_id=quantity(one.get("chainId"), index, 64), nonce=quantity(one.get("nonce"), index),
            address=sized(one.get("address"), ADDRESS_BYTES, index), r=quantity(one.get("r"), index),
            s=quantity(one.get("s"), index), parity=quantity(one.get("yParity", one.get("v")), index, 8),
        )
        for one in _listed(value, index)
    )  # fmt: skip
