"""The few SCALE forms that the node reads and writes by hand: compact integers and length-prefixed bytes.

Everything with a type in the metadata goes through the codec instead. Input may be hostile: reading past the
end raises, it never wraps or guesses. Source: the SCALE specification.
"""


class Truncated(ValueError):
    """The bytes end before the value does."""


def compact(value: int) -> bytes:
    """The shortest compact form of a non-negative integer."""
    if value < 1 << 6:
        return bytes([value << 2])
    if value < 1 << 14:
        return (value << 2 | 1).to_bytes(2, "little")
    if value < 1 << 30:
        return (value << 2 | 2).to_bytes(4, "little")
    body = value.to_bytes((value.bit_length() + 7) // 8, "little")
    return bytes([len(body) - 4 << 2 | 3]) + body


def prefixed(data: bytes) -> bytes:
    """Bytes behind their own compact length."""
    size = len(data)
    return (_HEADS[size] if size < _SHORT else compact(size)) + data


_SHORT = 256
_HEADS = tuple(map(compact, range(_SHORT)))
"""What the lengths of nearly all keys and values are written as."""


class Reader:
    """A cursor over untrusted bytes."""

    def __init__(self, data: bytes, offset: int = 0) -> None:
        """Start at an offset."""
        self.data, self.offset = data, offset

    def take(self, count: int) -> bytes:
        """The next bytes.

        Raises:
            Truncated: fewer are left.
        """
        end = self.offset + count
        if count < 0 or end > len(self.data):
            raise Truncated(f"{count} bytes expected, {len(self.data) - self.offset} left")
        taken = self.data[self.offset : end]
        self.offset = end
        return taken

    def byte(self) -> int:
        """The next byte."""
        return self.take(1)[0]

    def integer(self, size: int) -> int:
        """A fixed-width unsigned integer."""
        return int.from_bytes(self.take(size), "little")

    def compact(self) -> int:
        """A compact integer of any size."""
        first = self.byte()
        mode = first & 3
        if mode == 3:
            return self.integer((first >> 2) + 4)
        self.offset -= 1
        return self.integer(1 << mode) >> 2

    def prefixed(self) -> bytes:
        """Bytes behind their own compact length."""
        return self.take(self.compact())

    def text(self) -> str:
        """A length-prefixed UTF-8 string."""
        return self.prefixed().decode()

    def rest(self) -> bytes:
        """Everything that is left."""
        return self.take(len(self.data) - self.offset)

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return len(self.data) - self.offset
