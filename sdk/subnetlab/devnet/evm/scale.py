"""Ethereum transactions in SCALE, as extrinsics carry them and `Ethereum.*` stores them.

By hand, because the general codec shows bytes that are readable text as text, and bytecode must come back as
it went. The types are those of the metadata, which a test compares. Source: the `ethereum` crate.
"""

from subnetlab.devnet.chain.scale import Reader, Truncated, compact, prefixed
from subnetlab.devnet.evm.transaction import (
    ACCESS_LIST,
    DYNAMIC_FEE,
    LEGACY,
    SET_CODE,
    AccessList,
    Authorization,
    Transaction,
    Undecodable,
    known,
)

_KINDS = (LEGACY, ACCESS_LIST, DYNAMIC_FEE, SET_CODE)


def u256(value: int) -> bytes:
    """A 256-bit number."""
    return value.to_bytes(32, "little")


def u64(value: int) -> bytes:
    """A 64-bit number."""
    return value.to_bytes(8, "little")


def encode_transaction(one: Transaction) -> bytes:
    """A `TransactionV3`."""
    held = vars(one)  # admission, execution and the block encode the same transaction
    found: bytes | None = held.get("scale")
    if found is None:
        found = held["scale"] = _encode_transaction(one)
    return found


def _encode_transaction(one: Transaction) -> bytes:
    parts = [bytes([_KINDS.index(one.kind)])]
    if one.kind != LEGACY:
        parts.append(u64(one.chain_id or 0))
    parts.append(u256(one.nonce))
    if one.kind in (DYNAMIC_FEE, SET_CODE):
        parts.append(u256(one.max_priority_fee_per_gas))
    action = b"\x01" if one.to is None else b"\x00" + one.to
    parts += [u256(one.max_fee_per_gas), u256(one.gas_limit), action, u256(one.value), prefixed(one.data)]
    if one.kind != LEGACY:
        parts.append(_access_list(one.access_list))
    if one.kind == SET_CODE:
        parts += [compact(len(one.authorizations)), *map(_authorization, one.authorizations)]
    head = u64(one.v) if one.kind == LEGACY else bytes([one.parity])
    return b"".join([*parts, head, one.r.to_bytes(32, "big"), one.s.to_bytes(32, "big")])


def _access_list(entries: AccessList) -> bytes:
    listed = (address + compact(len(keys)) + b"".join(keys) for address, keys in entries)
    return compact(len(entries)) + b"".join(listed)


def _authorization(one: Authorization) -> bytes:
    signature = bytes([one.parity]) + one.r.to_bytes(32, "big") + one.s.to_bytes(32, "big")
    return u64(one.chain_id) + one.address + u256(one.nonce) + signature


def decode_transaction(data: Reader) -> Transaction:
    """Read a `TransactionV3`.

    Raises:
        Undecodable: the bytes are none.
    """
    try:
        return known(_decode_transaction(data))
    except Truncated as error:
        raise Undecodable(str(error)) from error


def _decode_transaction(data: Reader) -> Transaction:
    variant = data.byte()
    if variant >= len(_KINDS):
        raise Undecodable(f"unknown transaction variant {variant}")
    kind = _KINDS[variant]
    chain_id = None if kind == LEGACY else data.integer(8)
    nonce = data.integer(32)
    tip = data.integer(32) if kind in (DYNAMIC_FEE, SET_CODE) else None
    price, gas_limit = data.integer(32), data.integer(32)
    to = _decode_action(data)
    value, call_data = data.integer(32), data.prefixed()
    access_list = () if kind == LEGACY else _decode_access_list(data)
    authorizations = () if kind != SET_CODE else tuple(
        _decode_authorization(data) for _ in range(_count(data, 125))
    )  # fmt: skip
    if kind == LEGACY:
        v = data.integer(8)
        if v not in (27, 28) and v < 35:
            raise Undecodable("a signature's v is 27, 28, or at least 35")
        chain_id, parity = (None, v - 27) if v < 35 else divmod(v - 35, 2)
    else:
        parity = _boolean(data)
    return Transaction(
        kind=kind, chain_id=chain_id, nonce=nonce, max_priority_fee_per_gas=price if tip is None else tip,
        max_fee_per_gas=price, gas_limit=gas_limit, to=to, value=value, data=call_data,
        access_list=access_list, authorizations=authorizations, parity=parity,
        r=int.from_bytes(data.take(32), "big"), s=int.from_bytes(data.take(32), "big"),
    )  # fmt: skip


def _decode_action(data: Reader) -> bytes | None:
    action = data.byte()
    if action > 1:
        raise Undecodable(f"unknown action {action}")
    return None if action else data.take(20)


def _decode_access_list(data: Reader) -> AccessList:
    entries: list[tuple[bytes, tuple[bytes, ...]]] = []
    for _ in range(_count(data, 21)):
        address = data.take(20)
        entries.append((address, tuple(data.take(32) for _ in range(_count(data, 32)))))
    return tuple(entries)


def _decode_authorization(data: Reader) -> Authorization:
    return Authorization(
        chain_id=data.integer(8), address=data.take(20), nonce=data.integer(32), parity=_boolean(data),
        r=int.from_bytes(data.take(32), "big"), s=int.from_bytes(data.take(32), "big"),
    )  # fmt: skip


def _boolean(data: Reader) -> int:
    value = data.byte()
    if value > 1:
        raise Undecodable(f"{value} is no boolean")
    return value


def _count(data: Reader, size: int) -> int:
    """How many items follow, never more than there are bytes for."""
    count = data.compact()
    if count * size > data.left:
        raise Undecodable("the bytes end before the list does")
    return count
