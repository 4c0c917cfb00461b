"""The table of JSON-RPC methods, and reading their parameters without trusting them.

Wrong parameters answer −32602 as jsonrpsee words it. Source: JSON-RPC 2.0.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND = -32700, -32600, -32601
INVALID_PARAMS, INTERNAL_ERROR, TOO_LARGE = -32602, -32603, -32007
ANSWER_TOO_LARGE, BATCH_TOO_LARGE = -32008, -32011
SERVER_ERROR = -32000
STATE_ERROR = 4003
BLOCK_HASH_BYTES = 32
MAX_LIST: Final = 16_384
"""Most items of a list that a parameter holds."""
MAX_ANSWER_BYTES: Final = 15 * 2**20
"""Longest answer to one frame, as Substrate's `--rpc-max-response-size`."""


@dataclass(eq=False)
class RpcError(Exception):
    """An answer with an `error` member."""

    code: int
    message: str
    data: Any = None

    def member(self) -> dict[str, Any]:
        """The `error` member."""
        extra = {} if self.data is None else {"data": self.data}
        return {"code": self.code, "message": self.message, **extra}


def invalid_params(reason: str) -> RpcError:
    """The caller's parameters do not fit."""
    return RpcError(INVALID_PARAMS, "Invalid params", reason)


def too_large() -> RpcError:
    """The answer is longer than a node sends."""
    return RpcError(ANSWER_TOO_LARGE, "Response is too big", f"Exceeded max limit of {MAX_ANSWER_BYTES}")


def bounded(rows: Iterable[Any]) -> list[Any]:
    """The rows of an answer (texts, or lists and dicts of texts), as long as they fit into one.

    Raises:
        RpcError: they do not.
    """
    kept: list[Any] = []
    size = 0
    for row in rows:
        parts: Iterable[str | None] = row.values() if isinstance(row, dict) else row
        size += len(row) if isinstance(row, str) else sum(len(part) for part in parts if part)
        if size > MAX_ANSWER_BYTES:
            raise too_large()
        kept.append(row)
    return kept


@dataclass(slots=True)
class Parameters:
    """Positional parameters with typed reading; null and missing are the same."""

    values: Sequence[Any]

    def get(self, index: int) -> Any:
        """The parameter, or None."""
        return self.values[index] if index < len(self.values) else None

    def text(self, index: int) -> str:
        """A string."""
        value = self.get(index)
        if not isinstance(value, str):
            raise invalid_params(f"invalid type at position {index}: expected a string")
        try:
            value.encode()
        except UnicodeEncodeError as error:  # half of a surrogate pair, which JSON can spell
            raise invalid_params(f"invalid value at position {index}: expected Unicode text") from error
        return value

    def integer(self, index: int, default: int | None = None, *, low: int = 0, high: int = 2**63) -> int:
        """A whole number within bounds."""
        value = self.get(index)
        if value is None and default is not None:
            return default
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise invalid_params(f"invalid value at position {index}: expected a number {low}…{high}")
        return value

    def data(self, index: int) -> bytes:
        """Bytes as `0x…`."""
        return from_hex(self.text(index), index)

    def optional_data(self, index: int) -> bytes | None:
        """Bytes as `0x…`, or None."""
        return None if self.get(index) is None else self.data(index)

    def many(self, index: int) -> Sequence[bytes]:
        """A list of `0x…` bytes."""
        return [from_hex(item, index) for item in self.list(index)]

    def list(self, index: int) -> Sequence[Any]:
        """A list of anything, not too long."""
        value = self.get(index)
        if not isinstance(value, list):
            raise invalid_params(f"invalid type at position {index}: expected a list")
        if len(value) > MAX_LIST:
            raise invalid_params(f"invalid length at position {index}: expected at most {MAX_LIST} items")
        return value

    def block_hash(self, index: int) -> bytes | None:
        """A 32-byte hash, or None."""
        value = self.optional_data(index)
        if value is not None and len(value) != BLOCK_HASH_BYTES:
            raise invalid_params(f"invalid length at position {index}: expected a 32-byte hash")
        return value


def from_hex(value: Any, index: int) -> bytes:
    """Bytes of a `0x…` string."""
    if isinstance(value, str):
        try:
            return bytes.fromhex(value.removeprefix("0x"))
        except ValueError:
            pass
    raise invalid_params(f"invalid value at position {index}: expected hexadecimal bytes")


Handler = Callable[..., Any]


class Methods:
    """Every method by name."""

    def __init__(self) -> None:
        """Hold no method yet."""
        self.handlers: dict[str, Handler] = {}
        """Those that were entered so far."""
        self.packages: dict[str, str] = {}
        """By prefix of names, the packages whose import enters methods when one is first asked for."""

    def find(self, name: str) -> Handler | None:
        """The method of a name; its package is imported where it was not yet."""
        handler = self.handlers.get(name)
        if handler is None:
            self._enter([prefix for prefix in self.packages if name.startswith(prefix)])
            handler = self.handlers.get(name)
        return handler

    def names(self) -> list[str]:
        """The names of all methods in order."""
        self._enter(list(self.packages))
        return sorted(self.handlers)

    def _enter(self, prefixes: list[str]) -> None:
        for prefix in prefixes:
            import_module(self.packages.pop(prefix))

    def register(self, *names: str) -> Callable[[Handler], Handler]:
        """Register `(service, parameters, connection)` functions under one or more names."""

        def registered(function: Handler) -> Handler:
            for name in names:
                assert name not in self.handlers, f"{name} is registered twice"
                self.handlers[name] = function
            return function

        return registered


METHODS = Methods()
method = METHODS.register
