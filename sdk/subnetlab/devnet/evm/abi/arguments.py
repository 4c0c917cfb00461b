"""Reading call data as Frontier's `precompile-utils` does, with its words for what cannot be read.

It is more lenient than `eth_abi` (a bool is any word that is not zero, the upper bytes of an address are
ignored) and its errors name the argument. Source: `precompiles/src/solidity/codec` of Frontier.
"""

from collections.abc import Sequence
from typing import Any

from eth_abi.grammar import ABIType, BasicType, TupleType, parse

WORD = 32
SELECTOR = 4
MOST_NESTED = 16
"""The longest array of arrays that the runtime reads; inner pointers may overlap, so its length is work."""


class Unreadable(ValueError):
    """Call data that does not hold the arguments; the message is what the contract reverts with."""


class _Reader:
    """A cursor over one container of call data; pointers in it are relative to its start."""

    def __init__(self, data: memoryview) -> None:
        self.data, self.cursor = data, 0

    def take(self, length: int, what: str) -> bytes:
        start, self.cursor = self.cursor, self.cursor + length
        if self.cursor > len(self.data):
            raise Unreadable(f"Tried to read {what} out of bounds")
        return bytes(self.data[start : self.cursor])

    def number(self, what: str, most: int | None = None) -> int:
        value = int.from_bytes(self.take(WORD, what), "big")
        if most is not None and value > most:
            raise Unreadable(f"Value is too large for {what}")
        return value

    def pointed(self) -> "_Reader":
        offset = self.number("pointer", 2**64 - 1)
        if offset >= len(self.data):
            raise Unreadable("Pointer points to out of bound")
        return _Reader(self.data[offset:])


def selector(data: bytes) -> bytes:
    """The selector that call data begins with.

    Raises:
        Unreadable: the data is shorter.
    """
    if len(data) < SELECTOR:
        raise Unreadable("Tried to read selector out of bounds")
    return data[:SELECTOR]


def read(data: bytes, types: Sequence[str], names: Sequence[str]) -> list[Any]:
    """The arguments behind the selector: ints, bools, bytes (also for `string` and `address`), lists, tuples.

    Raises:
        Unreadable: an argument is missing or does not fit its type.
    """
    reader = _Reader(memoryview(data)[SELECTOR:])
    if len(reader.data) < len(types) * WORD:
        raise Unreadable(f"Expected at least {len(types)} arguments")
    found: list[Any] = []
    for spelled, name in zip(types, names, strict=True):
        try:
            found.append(_value(reader, parse(spelled)))
        except Unreadable as error:
            raise Unreadable(f"{name}: {error}" if name else str(error)) from None
    return found


def _value(reader: _Reader, kind: ABIType) -> Any:
    if kind.is_array:
        return _array(reader.pointed(), kind.item_type)
    if isinstance(kind, TupleType):
        inner = reader.pointed() if kind.is_dynamic else reader
        return tuple(_value(inner, part) for part in kind.components)
    assert isinstance(kind, BasicType)
    return _basic(reader, kind)


def _basic(reader: _Reader, kind: BasicType) -> Any:
    spelled = kind.to_type_str()
    match kind.base:
        case "uint":
            return reader.number(spelled, 2 ** int(kind.sub or 0) - 1)
        case "bool":
            return reader.number(spelled) != 0
        case "address":
            return reader.take(WORD, spelled)[12:]
        case "bytes" if kind.sub is not None:
            return reader.take(WORD, spelled)[: int(kind.sub)]
        case "bytes" | "string":
            inner = reader.pointed()
            return inner.take(inner.number("length", 2**64 - 1), spelled)
        case _:
            raise Unreadable(f"{spelled} cannot be read")


def _array(reader: _Reader, kind: ABIType) -> list[Any]:
    length = reader.number("length", MOST_NESTED if kind.is_dynamic else 2**64 - 1)
    items = _Reader(reader.data[WORD:])
    # The first item that is missing ends the reading: a length alone buys no work.
    return [_value(items, kind) for _ in range(length)]
