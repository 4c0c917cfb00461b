"""Ethereum transactions: read from the bytes a wallet signed, hashed, and their sender recovered.

Legacy with and without a chain id, EIP-2930, EIP-1559 and EIP-7702. Whether one may run is `admission`'s
matter, not this module's. Source: the `ethereum` crate's `TransactionV3`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import NamedTuple

from subnetlab.devnet.evm import rlp
from subnetlab.devnet.evm.keccak import keccak

LEGACY, ACCESS_LIST, DYNAMIC_FEE, SET_CODE = 0, 1, 2, 4
"""The types that the chain takes."""
CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
U64, U256 = 64, 256
MOST_KEPT, MOST_KEPT_DATA = 1024, 2**13
"""Transactions that are held as they were first read, and bytes of data of each."""
AccessList = tuple[tuple[bytes, tuple[bytes, ...]], ...]


class Undecodable(ValueError):
    """These bytes are no transaction of a type that the chain takes."""


class Authorization(NamedTuple):
    """An account's word (EIP-7702) that the code of an address runs as its own."""

    chain_id: int
    address: bytes
    nonce: int
    parity: int
    r: int
    s: int

    def fields(self) -> list[rlp.Item]:
        """As RLP lists it."""
        n = rlp.number
        return [n(self.chain_id), self.address, n(self.nonce), n(self.parity), n(self.r), n(self.s)]

    def authority(self) -> bytes | None:
        """The address that signed it, if one did."""
        signed = rlp.encode([rlp.number(self.chain_id), self.address, rlp.number(self.nonce)])
        return recover(keccak(b"\x05" + signed), self.parity, self.r, self.s)


@dataclass(frozen=True, kw_only=True)
class Transaction:
    """A signed transaction. Fees are wei a gas; a legacy price stands in both fee fields."""

    kind: int
    chain_id: int | None
    nonce: int
    max_priority_fee_per_gas: int
    max_fee_per_gas: int
    gas_limit: int
    to: bytes | None
    """None creates a contract."""
    value: int
    data: bytes
    access_list: AccessList = ()
    authorizations: tuple[Authorization, ...] = field(default=())
    parity: int
    r: int
    s: int

    def __hash__(self) -> int:
        return hash((self.r, self.s))  # a signature tells transactions apart, in two fields of thirteen

    @property
    def v(self) -> int:
        """What the signature's first number is: parity, or with the chain id in it for legacy."""
        if self.kind != LEGACY:
            return self.parity
        return self.parity + (27 if self.chain_id is None else 35 + 2 * self.chain_id)

    @cached_property
    def encoded(self) -> bytes:
        """The bytes that were sent."""
        return self._enveloped([*self._fields(), *map(rlp.number, (self.v, self.r, self.s))])

    @cached_property
    def hash(self) -> bytes:
        """What names the transaction."""
        return keccak(self.encoded)

    @cached_property
    def sender(self) -> bytes | None:
        """The address that signed it; None where the signature is of no key."""
        envelope = b"" if self.kind == LEGACY else self.encoded[:1]
        signature = rlp.joined(map(rlp.number, (self.v, self.r, self.s)))
        signed = rlp.body(self.encoded[len(envelope) :])[: -len(signature)]
        if self.kind == LEGACY and self.chain_id is not None:
            signed += rlp.joined((rlp.number(self.chain_id), b"", b""))
        return recover(keccak(envelope + rlp.listed(signed)), self.parity, self.r, self.s)

    def price(self, base_fee: int) -> int:
        """Wei a gas at a base fee."""
        return min(self.max_fee_per_gas, base_fee + self.max_priority_fee_per_gas)

    def _enveloped(self, fields: Sequence[rlp.Item]) -> bytes:
        body = rlp.encode(fields)
        return body if self.kind == LEGACY else bytes([self.kind]) + body

    def _fields(self) -> list[rlp.Item]:
        n = rlp.number
        fees = [n(self.max_fee_per_gas)]
        if self.kind in (DYNAMIC_FEE, SET_CODE):
            fees = [n(self.max_priority_fee_per_gas), *fees]
        fields: list[rlp.Item] = [
            n(self.nonce), *fees, n(self.gas_limit), self.to or b"", n(self.value), self.data,
        ]  # fmt: skip
        if self.kind == LEGACY:
            return fields
        fields = [
            n(self.chain_id or 0),
            *fields,
            [[address, list(keys)] for address, keys in self.access_list],
        ]
        if self.kind == SET_CODE:
            fields.append([one.fields() for one in self.authorizations])
        return fields


def known(transaction: Transaction) -> Transaction:
    """The same transaction as it was first read, with its hash and sender; long ones are not kept."""
    return transaction if len(transaction.data) > MOST_KEPT_DATA else _first_read(transaction)


@lru_cache(MOST_KEPT)
def _first_read(transaction: Transaction) -> Transaction:
    return transaction


def recover(message_hash: bytes, parity: int, r: int, s: int) -> bytes | None:
    """The address whose key signed a hash; None where there is none."""
    from coincurve import PublicKey  # noqa: PLC0415 - only what reads transactions needs the curve

    if not (0 < r < CURVE_ORDER and 0 < s < CURVE_ORDER and parity in (0, 1)):
        return None
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([parity])
    try:
        key = PublicKey.from_signature_and_message(signature, message_hash, hasher=None)
    except ValueError:
        return None
    return keccak(key.format(compressed=False)[1:])[12:]


def decode(data: bytes) -> Transaction:
    """Read a transaction from the bytes a wallet sends.

    Raises:
        Undecodable: they are none that the chain takes.
    """
    kind, sent = LEGACY, data
    if data[:1] and data[0] < 0x80:
        kind = data[0]
        if kind not in (ACCESS_LIST, DYNAMIC_FEE, SET_CODE):
            raise Undecodable(f"transactions of type {kind} are not taken")
        data = data[1:]
    try:
        fields = rlp.decode(data)
        if isinstance(fields, bytes):
            raise Undecodable("a transaction is a list")
        read = _legacy(fields) if kind == LEGACY else _typed(kind, fields)
    except (rlp.Malformed, TypeError, IndexError) as error:
        raise Undecodable(str(error)) from error
    vars(read)["encoded"] = sent  # what is read strictly is encoded in one way only
    return known(read)


def _legacy(fields: Sequence[rlp.Item]) -> Transaction:
    if len(fields) != 9:
        raise Undecodable("a legacy transaction has nine fields")
    v = _integer(fields[6], U64)
    if v in (27, 28):
        chain_id, parity = None, v - 27
    elif v >= 35:
        chain_id, parity = divmod(v - 35, 2)
    else:
        raise Undecodable("a signature's v is 27, 28, or at least 35")
    price = _integer(fields[1])
    r, s = _signature(fields[7:9])
    return Transaction(
        kind=LEGACY, chain_id=chain_id, nonce=_integer(fields[0]), max_priority_fee_per_gas=price,
        max_fee_per_gas=price, gas_limit=_integer(fields[2]), to=_target(fields[3]),
        value=_integer(fields[4]), data=_bytes(fields[5]), parity=parity, r=r, s=s,
    )  # fmt: skip


def _typed(kind: int, fields: Sequence[rlp.Item]) -> Transaction:
    if len(fields) != {ACCESS_LIST: 11, DYNAMIC_FEE: 12, SET_CODE: 13}[kind]:
        raise Undecodable("the transaction has a field too many or too few")
    chain_id, nonce, *rest = fields
    tip = None if kind == ACCESS_LIST else _integer(rest.pop(0))
    price, gas_limit, to, value, data, access_list, *rest = rest
    authorizations = () if kind != SET_CODE else tuple(map(_authorization, _items(rest.pop(0))))
    parity = _integer(rest[0], 8)
    if parity > 1:
        raise Undecodable("a signature's parity is 0 or 1")
    r, s = _signature(rest[1:3])
    return Transaction(
        kind=kind, chain_id=_integer(chain_id, U64), nonce=_integer(nonce),
        max_priority_fee_per_gas=_integer(price) if tip is None else tip, max_fee_per_gas=_integer(price),
        gas_limit=_integer(gas_limit), to=_target(to), value=_integer(value), data=_bytes(data),
        access_list=tuple(map(_access, _items(access_list))), authorizations=authorizations, parity=parity,
        r=r, s=s,
    )  # fmt: skip


def _signature(fields: Sequence[rlp.Item]) -> tuple[int, int]:
    r, s = (_integer(one) for one in fields)
    if not (0 < r < CURVE_ORDER and 0 < s <= CURVE_ORDER // 2):
        raise Undecodable("the signature is out of range")
    return r, s


def _access(item: rlp.Item) -> tuple[bytes, tuple[bytes, ...]]:
    address, keys = _items(item)
    return _sized(address, 20), tuple(_sized(key, 32) for key in _items(keys))


def _authorization(item: rlp.Item) -> Authorization:
    if len(_items(item)) != 6:
        raise Undecodable("an authorization has six fields")
    chain_id, address, nonce, parity, r, s = _items(item)
    return Authorization(
        chain_id=_integer(chain_id, U64), address=_sized(address, 20), nonce=_integer(nonce, U256),
        parity=_integer(parity, 1), r=_integer(r), s=_integer(s),
    )  # fmt: skip


def _target(item: rlp.Item) -> bytes | None:
    return None if item == b"" else _sized(item, 20)


def _bytes(item: rlp.Item) -> bytes:
    if not isinstance(item, bytes):
        raise Undecodable("bytes expected, not a list")
    return item


def _items(item: rlp.Item) -> Sequence[rlp.Item]:
    if isinstance(item, bytes):
        raise Undecodable("a list expected, not bytes")
    return item


def _sized(item: rlp.Item, size: int) -> bytes:
    if len(_bytes(item)) != size:
        raise Undecodable(f"{size} bytes expected")
    return _bytes(item)


def _integer(item: rlp.Item, bits: int = U256) -> int:
    data = _bytes(item)
    value = int.from_bytes(data, "big")
    if data[:1] == b"\0" or value.bit_length() > bits:
        raise Undecodable(f"a number of at most {bits} bits without leading zeros expected")
    return value
