"""RLP: byte strings and lists of them, as Ethereum hashes and signs them.

Decoding is strict, because a hash is made over the bytes: a longer form than needed, or bytes after the end,
are refused. Source: Ethereum's yellow paper, appendix B.
"""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

Item: TypeAlias = "bytes | Sequence[Item]"
MOST_DEPTH = 8
"""How deep lists may lie inside lists; a transaction needs three."""
_SHORT = 55
_STRING, _LIST = 0x80, 0xC0
"""What the first byte of a byte string and of a list counts from."""
_SHORT_HEADS = [bytes([head]) for head in range(256)]


class Malformed(ValueError):
    """These bytes are no RLP."""


def number(value: int) -> bytes:
    """A non-negative integer without leading zeros."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def encode(item: Item) -> bytes:
    """The bytes of an item."""
    if isinstance(item, bytes):
        return _encode_string(item)
    return listed(joined(item))


def joined(items: Iterable[Item]) -> bytes:
    """The bytes of items one after another, as they are inside a list."""
    return b"".join([_encode_string(part) if isinstance(part, bytes) else encode(part) for part in items])


def listed(body: bytes) -> bytes:
    """The bytes of the list whose items' bytes these are."""
    return _head(_LIST, len(body)) + body


def body(data: bytes) -> bytes:
    """The bytes of a list's items, of a list that was decoded or encoded here."""
    head = data[0] - _LIST
    return data[1 if head <= _SHORT else 1 + head - _SHORT :]


def _encode_string(data: bytes) -> bytes:
    size = len(data)
    if size == 1 and data[0] < _STRING:
        return data
    return (_SHORT_HEADS[_STRING + size] if size <= _SHORT else _head(_STRING, size)) + data


def _head(kind: int, length: int) -> bytes:
    if length <= _SHORT:
        return _SHORT_HEADS[kind + length]
    size = number(length)
    return _SHORT_HEADS[kind + _SHORT + len(size)] + size


def decode(data: bytes) -> Item:
    """The item that these bytes are, and nothing else.

    Raises:
        Malformed: they are none.
    """
    item, end = _decode(data, 0, len(data), 0)
    if end != len(data):
        raise Malformed(f"{len(data) - end} bytes after the item's end")
    return item


def _decode(data: bytes, start: int, limit: int, depth: int) -> tuple[Item, int]:
    if start >= limit:
        raise Malformed("an item is missing")
    if depth > MOST_DEPTH:
        raise Malformed("lists lie too deep inside lists")
    first = data[start]
    if first < _STRING:
        return data[start : start + 1], start + 1
    is_list = first >= _LIST
    body, end = _span(data, start, limit, _LIST if is_list else _STRING)
    if not is_list:
        if end - body == 1 and first == 0x81 and data[body] < _STRING:
            raise Malformed("a byte is longer than it needs to be")
        return data[body:end], end
    items: list[Item] = []
    while body < end:
        item, body = _decode(data, body, end, depth + 1)
        items.append(item)
    return items, end


def _span(data: bytes, start: int, limit: int, kind: int) -> tuple[int, int]:
    """Where the body of an item begins and ends."""
    length = data[start] - kind
    body = start + 1
    if length > _SHORT:
        size = data[body : body + length - _SHORT]
        body += length - _SHORT
        if body > limit or size[:1] == b"\0":
            raise Malformed("a length is not in its shortest form")
        length = int.from_bytes(size, "big")
        if length <= _SHORT:
            raise Malformed("a length is not in its shortest form")
    if body + length > limit:
        raise Malformed("the bytes end before the item does")
    return body, body + length
