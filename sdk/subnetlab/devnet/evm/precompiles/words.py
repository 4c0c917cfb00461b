"""The words in which precompiles are written down: what a function dispatches, or which storage it answers.

A body takes a frame and the arguments by name and returns the outputs; `contract.py` decodes and encodes
around it. A function without a body is one that the recorded runtime does not have: it reverts as unknown.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import bittensor_core as core

from subnetlab.devnet.chain.codec import Codec
from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.evm.addresses import mirror
from subnetlab.devnet.evm.precompiles.dispatch import dispatch
from subnetlab.devnet.evm.precompiles.frame import Failed, Frame, wei_of
from subnetlab.units import U64_MAX

Arguments = Mapping[str, Any]
Body = Callable[[Frame, Arguments], Sequence[Any]]
"""What a function does: the outputs in their order."""
Value = str | Callable[[Arguments], Any]
"""Where a call's argument comes from: the name of an ABI argument, or a function of all of them."""
KEY_BYTES = 32
_BYTES = frozenset({"Vec<u8>", "BoundedVec", "RuntimeCall", "Option<RuntimeCall>"})
"""Runtime types that the codec takes as bytes; other bytes are spelled `0x…`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Precompile:
    """One precompile: its ABI by name, its switch on the chain, and its functions' bodies."""

    name: str
    switch: str
    """The variant of `PrecompileEnum` that turns it off."""
    bodies: Mapping[str, Body]
    """By function name, or by signature where a name has several."""
    borrowed: bool = False
    """Whether DELEGATECALL and CALLCODE may reach it: only those that sign nothing."""
    payable: frozenset[str] = field(default_factory=frozenset[str])
    """Functions that accept value although the ABI does not say so."""


def account(key: bytes) -> str:
    """The ss58 address of a `bytes32` argument."""
    return core.ss58_encode(key)


@lru_cache(maxsize=4)
def _calls(codec: Codec) -> dict[str, list[tuple[str, str]]]:
    """Names and types of every runtime call's arguments, by `Pallet.call`."""
    return {
        f"{pallet['name']}.{call['name']}": [(one["name"], one["type_ident"]) for one in call["args"]]
        for pallet in codec.runtime.metadata_ir()["pallets"]
        for call in pallet["calls"]
    }


class Call:
    """Dispatch a runtime call whose arguments bear the ABI's names, but for those that are told."""

    def __init__(self, target: str, /, **values: Value) -> None:
        """Name the call as `Pallet.call`, and where its oddly named arguments come from."""
        self.target, self.values = target, values

    def __call__(self, frame: Frame, arguments: Arguments) -> Sequence[Any]:
        """Dispatch as the caller's account."""
        dispatch(frame, self.encoded(frame.ledger.codec, arguments))
        return ()

    def encoded(self, codec: Codec, arguments: Arguments) -> bytes:
        """The call's SCALE bytes.

        Raises:
            Failed: an argument is none of the call's type.
        """
        values = {
            name: _fitted(kind, self._value(name, arguments)) for name, kind in _calls(codec)[self.target]
        }
        pallet, name = self.target.split(".")
        try:
            return bytes(codec.runtime.compose_call(pallet, name, values))
        except (ValueError, TypeError, OverflowError) as error:
            raise Failed(f"{self.target} does not take these arguments: {error}") from None

    def _value(self, name: str, arguments: Arguments) -> Any:
        told = self.values.get(name, name)
        return arguments[told] if isinstance(told, str) else told(arguments)


class Through:
    """A body of its own that ends in a runtime call."""

    def __init__(self, call: Call, body: Body) -> None:
        """Name the call, so that what is implemented can be listed, and what happens around it."""
        self.target, self.body = call.target, body

    def __call__(self, frame: Frame, arguments: Arguments) -> Sequence[Any]:
        """Do what the body does."""
        return self.body(frame, arguments)


def _fitted(kind: str, value: Any) -> Any:
    """An ABI value as the codec takes it for a runtime type; amounts saturate as the runtime's do."""
    if isinstance(value, bytes):
        return value if kind in _BYTES else f"0x{value.hex()}"
    if isinstance(value, list):
        return [_fitted(kind, one) if isinstance(one, bytes) else one for one in value]
    if isinstance(value, bool) or not isinstance(value, int):
        return value
    if kind.startswith(("FixedU128", "FixedI128")):
        return {"bits": value}
    return min(value, U64_MAX) if "Balance" in kind or kind == "u64" else value


def always(value: Any) -> Callable[[Arguments], Any]:
    """An argument that does not depend on the caller's."""
    return lambda _: value


def optional(flag: str, name: str) -> Callable[[Arguments], Any]:
    """An `Option` that the ABI spells as a flag and a value."""
    return lambda arguments: arguments[name] if arguments[flag] else None


def mirrored(name: str) -> Callable[[Arguments], Any]:
    """The account that an EVM address acts as."""
    return lambda arguments: mirror(arguments[name])


def nothing(_frame: Frame, _arguments: Arguments) -> Sequence[Any]:
    """Succeed and change nothing: what is left of functions that were taken away from owners."""
    return ()


def _key(value: Any) -> Any:
    """An ABI argument as a storage key."""
    if not isinstance(value, bytes):
        return value
    return account(value) if len(value) == KEY_BYTES else f"0x{value.hex()}"


class Stored:
    """Answer one storage item; its keys are the function's arguments unless others are told."""

    def __init__(self, item: str, *keys: str) -> None:
        """Name the item as `Pallet.Item`."""
        self.pallet, self.item = item.split(".")
        self.keys = keys

    def __call__(self, frame: Frame, arguments: Arguments) -> Sequence[Any]:
        """Pay for a read and answer."""
        frame.charge_reads(1)
        return (self.value(frame.ledger, arguments),)

    def of(self, arguments: Arguments) -> list[Any]:
        """The keys that these arguments name."""
        names = self.keys or tuple(arguments)
        return [_key(arguments[name]) for name in names]

    def value(self, ledger: Ledger, arguments: Arguments) -> Any:
        """The stored value or its default."""
        return ledger.get(self.pallet, self.item, *self.of(arguments))

    def exists(self, ledger: Ledger, arguments: Arguments) -> bool:
        """Whether it is stored, defaults aside."""
        return ledger.has(self.pallet, self.item, *self.of(arguments))


class Several:
    """Answer several storage items, one output each."""

    def __init__(self, *items: Stored) -> None:
        """Keep the items in the outputs' order."""
        self.items = items

    def __call__(self, frame: Frame, arguments: Arguments) -> Sequence[Any]:
        """Pay for a read each and answer."""
        frame.charge_reads(len(self.items))
        return [item.value(frame.ledger, arguments) for item in self.items]


class Maybe:
    """Answer whether an item is stored, and its parts; zeros where it is not."""

    def __init__(self, item: Stored, *fields: str, empty: Sequence[Any] = ()) -> None:
        """Name the parts of a struct in the outputs' order; none for a scalar or a tuple."""
        self.item, self.fields, self.empty = item, fields, empty

    def __call__(self, frame: Frame, arguments: Arguments) -> Sequence[Any]:
        """Pay for a read and answer; what `contract.py` sees as None it encodes as the type's zero."""
        frame.charge_reads(1)
        if not self.item.exists(frame.ledger, arguments):
            return [False]
        value = self.item.value(frame.ledger, arguments)
        if self.fields:
            return [True, *(value[name] for name in self.fields)]
        return [True, *value] if isinstance(value, tuple) else [True, value]


class Read:
    """Answer what a function of the ledger says, for a number of reads; `bytes32` arguments come as ss58."""

    def __init__(
        self, reads: int | Callable[..., int], answer: Callable[..., Any], *, wei: bool = False
    ) -> None:
        """Keep the price in reads, or what counts them from the same arguments; `wei` scales rao."""
        self.reads, self.answer, self.wei = reads, answer, wei

    def __call__(self, frame: Frame, arguments: Arguments) -> Sequence[Any]:
        """Pay and answer."""
        given = [_key(one) for one in arguments.values()]
        reads = self.reads
        frame.charge_reads(reads if isinstance(reads, int) else reads(frame.ledger, *given))
        value = self.answer(frame.ledger, *given)
        if isinstance(value, tuple):
            return list[Any](value)
        return [wei_of(value) if self.wei else value]


class Constants:
    """Answer constants of the runtime: `Pallet.Name`, or a value that metadata does not carry."""

    def __init__(self, *names: str | int, wei: Iterable[str] = ()) -> None:
        """Keep the names in the outputs' order; those in `wei` are rao and answered in wei."""
        self.names, self.wei = names, frozenset(wei)

    def __call__(self, frame: Frame, _arguments: Arguments) -> Sequence[Any]:
        """Answer; a constant costs no read."""
        return [self._value(frame.ledger.codec, name) for name in self.names]

    def _value(self, codec: Codec, name: str | int) -> Any:
        if isinstance(name, int):
            return name
        value = codec.constant(*name.split("."))
        return wei_of(int(value)) if name in self.wei else value
