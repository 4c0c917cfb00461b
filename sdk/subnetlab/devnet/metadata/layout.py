"""A small language for SCALE layouts: each form reads a value and writes it back byte for byte.

Serves the metadata document alone, which describes every other type but not itself.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from subnetlab.devnet.chain.scale import Reader, compact, prefixed


class Form(Protocol):
    """How one part of a document is laid out."""

    def read(self, reader: Reader) -> Any:
        """Take the value from the bytes."""
        ...

    def write(self, value: Any) -> bytes:
        """The bytes of the value."""
        ...


class Text:
    """A string."""

    def read(self, reader: Reader) -> str:
        """Take it."""
        return reader.text()

    def write(self, value: str) -> bytes:
        """Its bytes."""
        return prefixed(value.encode())


class Blob:
    """Bytes behind their length."""

    def read(self, reader: Reader) -> bytes:
        """Take them."""
        return reader.prefixed()

    def write(self, value: bytes) -> bytes:
        """Length and bytes."""
        return prefixed(value)


class Number:
    """A compact integer, such as a type's id."""

    def read(self, reader: Reader) -> int:
        """Take it."""
        return reader.compact()

    def write(self, value: int) -> bytes:
        """Its bytes."""
        return compact(value)


class Fixed(NamedTuple):
    """An unsigned integer of a fixed width."""

    size: int

    def read(self, reader: Reader) -> int:
        """Take it."""
        return reader.integer(self.size)

    def write(self, value: int) -> bytes:
        """Its bytes."""
        return value.to_bytes(self.size, "little")


class Many(NamedTuple):
    """A list."""

    item: Form

    def read(self, reader: Reader) -> list[Any]:
        """Take every item."""
        return [self.item.read(reader) for _ in range(reader.compact())]

    def write(self, value: Sequence[Any]) -> bytes:
        """Count and items."""
        return compact(len(value)) + b"".join(map(self.item.write, value))


class Maybe(NamedTuple):
    """A value or None."""

    item: Form

    def read(self, reader: Reader) -> Any:
        """Take it."""
        return self.item.read(reader) if reader.byte() else None

    def write(self, value: Any) -> bytes:
        """A flag, and the value where there is one."""
        return b"\x00" if value is None else b"\x01" + self.item.write(value)


class Record:
    """Named parts in order, as a dict."""

    def __init__(self, **parts: Form) -> None:
        """Keep the parts in the order they are given."""
        self.parts = parts

    def read(self, reader: Reader) -> dict[str, Any]:
        """Take every part."""
        return {name: part.read(reader) for name, part in self.parts.items()}

    def write(self, value: Mapping[str, Any]) -> bytes:
        """Every part's bytes."""
        return b"".join(part.write(value[name]) for name, part in self.parts.items())


class Choice:
    """One of several layouts behind its number, as `(name, value)`."""

    def __init__(self, **options: Form) -> None:
        """Number the options from 0 in the order they are given."""
        self.names, self.options = list(options), options

    def read(self, reader: Reader) -> tuple[str, Any]:
        """Take the number and its value."""
        number = reader.byte()
        if number >= len(self.names):
            raise ValueError(f"option {number} of {len(self.names)}")
        name = self.names[number]
        return name, self.options[name].read(reader)

    def write(self, value: tuple[str, Any]) -> bytes:
        """The number and the value's bytes."""
        name, inner = value
        return bytes([self.names.index(name)]) + self.options[name].write(inner)
