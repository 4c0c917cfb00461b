"""Answering a call of a precompile: switch, selector, modifiers, arguments, body, outputs.

The order of the checks and the words of the refusals are those of `#[precompile_utils::precompile]` and of
Subtensor's `Precompiles::execute`.
"""

from collections.abc import Callable, Sequence
from typing import Any

import bittensor_core as core
from eth_abi.abi import encode
from eth_abi.grammar import ABIType, BasicType, TupleType, parse

from subnetlab.devnet.chain.codec import bytes_of
from subnetlab.devnet.chain.registry import CALLS
from subnetlab.devnet.evm import abi
from subnetlab.devnet.evm.abi import arguments
from subnetlab.devnet.evm.precompiles.frame import Failed, Frame, Reverted
from subnetlab.devnet.evm.precompiles.words import Body, Call, Precompile, Through

Execute = Callable[[Frame], bytes]
BORROWED = "Cannot be called with DELEGATECALL or CALLCODE"
_U16_MAX = 2**16 - 1


class Contract:
    """A precompile joined with its ABI."""

    def __init__(self, precompile: Precompile) -> None:
        """Find every body's function."""
        self.precompile, self.interface = precompile, abi.contracts()[precompile.name]
        self.bodies: dict[bytes, tuple[abi.Function, Body]] = {}
        for function in self.interface.functions:
            body = precompile.bodies.get(function.signature) or precompile.bodies.get(function.name)
            if body is not None:
                self.bodies[function.selector] = function, body

    @property
    def address(self) -> bytes:
        """Where it is."""
        return self.interface.address

    def answered(self) -> set[str]:
        """Signatures of the functions that do what the chain does: all but those whose call is filtered."""
        return {
            function.signature
            for function, body in self.bodies.values()
            if not isinstance(body, Call | Through) or tuple(body.target.split(".")) in CALLS
        }

    def __call__(self, frame: Frame) -> bytes:
        """Answer one call.

        Raises:
            Reverted: the call is none of its functions, or breaks a promise of its function.
            Failed: it is switched off, reached in a borrowed frame, or what it dispatched failed.
            OutOfGas: as the frame's meter says.
        """
        if not self.precompile.borrowed and frame.address != self.address:
            raise Failed(BORROWED)
        if not frame.ledger.get("AdminUtils", "PrecompileEnable", self.precompile.switch):
            raise Failed(f"Precompile {self.precompile.switch} is disabled")
        try:
            function, body = self.bodies[arguments.selector(frame.data)]
            self._check(frame, function)
            values = arguments.read(frame.data, function.inputs, function.names)
        except KeyError:
            raise Reverted("Unknown selector") from None
        except arguments.Unreadable as error:
            raise Reverted(str(error)) from None
        outputs = body(frame, dict(zip(function.words, map(_in_range, function.words, values), strict=True)))
        return answer(function.outputs, outputs)

    def _check(self, frame: Frame, function: abi.Function) -> None:
        if frame.is_static and not function.is_view:
            raise Reverted("Can't call non-static function in static context")
        payable = function.mutability == "payable" or function.name in self.precompile.payable
        if frame.value and not payable:
            raise Reverted("Function is not payable")


def _in_range(name: str, value: Any) -> Any:
    """A subnet's number fits 16 bits, whatever the ABI takes."""
    if name.endswith("netuid") and value > _U16_MAX:
        raise Failed("the value is outside of u16 bounds")
    return value


def answer(types: Sequence[str], values: Sequence[Any]) -> bytes:
    """Runtime values encoded as ABI outputs; outputs that are missing at the end are zeros."""
    padded = [*values, *([None] * (len(types) - len(values)))]
    return encode(types, [_fitted(parse(kind), value) for kind, value in zip(types, padded, strict=True)])


def _fitted(kind: ABIType, value: Any) -> Any:
    """A runtime value as `eth_abi` takes it; None is the type's zero."""
    if kind.is_array:
        return [_fitted(kind.item_type, one) for one in value or []]
    if isinstance(kind, TupleType):
        parts = [None] * len(kind.components) if value is None else list(value)
        return tuple(_fitted(one, part) for one, part in zip(kind.components, parts, strict=True))
    assert isinstance(kind, BasicType)
    match kind.base:
        case "bool":
            fitted: Any = bool(value)
        case "string":
            fitted = value or ""
        case "address":
            fitted = value or f"0x{'00' * 20}"
        case "bytes":
            fitted = bytes_of(value or b"") if kind.sub is None else _bytes(value, int(kind.sub))
        case _:
            fitted = _integer(value, int(kind.sub or 0), signed=kind.base == "int")
    return fitted


def _bytes(value: Any, size: int) -> bytes:
    if isinstance(value, str):
        return bytes.fromhex(value[2:]) if value.startswith("0x") else bytes(core.ss58_decode(value))
    return bytes(size) if value is None else bytes(value)


def _integer(value: Any, bits: int, *, signed: bool) -> int:
    if isinstance(value, str):  # an account where the ABI says uint256
        return int.from_bytes(_bytes(value, bits // 8), "big")
    number = int(value["bits"] if isinstance(value, dict) else value or 0)
    return number if signed else number % 2**bits
