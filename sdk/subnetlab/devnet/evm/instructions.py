"""The commonest instructions of a contract, each in one function on the frame's own stack, memory and meter.

What they do, cost and refuse is py-evm's, which a test compares; its layers of functions and checks are left
out, because each item was checked when it was pushed. All other instructions are py-evm's own.
"""

# ruff: noqa: SLF001 - a frame's parts have no public names, and an instruction is a part of its frame

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

from eth.exceptions import FullStack, InsufficientStack, InvalidInstruction, InvalidJumpDestination
from eth.vm import opcode_values as op

Instruction = Callable[[Any], None]
_MOST_ITEMS: Final = 1024
_WORD: Final = 32
_BITS: Final = 256
_HIGHEST: Final = (1 << _BITS) - 1

BINARY: Final[Mapping[int, Callable[[int, int], int]]] = {
    op.ADD: lambda a, b: a + b & _HIGHEST,
    op.MUL: lambda a, b: a * b & _HIGHEST,
    op.SUB: lambda a, b: a - b & _HIGHEST,
    op.DIV: lambda a, b: a // b if b else 0,
    op.MOD: lambda a, b: a % b if b else 0,
    op.LT: lambda a, b: 1 if a < b else 0,
    op.GT: lambda a, b: 1 if a > b else 0,
    op.EQ: lambda a, b: 1 if a == b else 0,
    op.AND: operator.and_,
    op.OR: operator.or_,
    op.XOR: operator.xor,
    op.SHL: lambda a, b: b << a & _HIGHEST if a < _BITS else 0,
    op.SHR: lambda a, b: b >> a if a < _BITS else 0,
}
"""Of the topmost item and the one below it."""
UNARY: Final[Mapping[int, Callable[[int], int]]] = {
    op.ISZERO: lambda a: 0 if a else 1,
    op.NOT: lambda a: _HIGHEST - a,
}


def faster(table: Mapping[int, Any]) -> dict[int, Any]:
    """The table with its commonest instructions replaced; prices and names stay those of the table."""
    made: dict[int, Callable[[int, str], Instruction]] = {
        **{value: _binary(compute) for value, compute in BINARY.items()},
        **{value: _unary(compute) for value, compute in UNARY.items()},
        **{op.PUSH1 - 1 + size: _push(size) for size in range(_WORD + 1)},
        **{op.DUP1 - 1 + place: _dup(place) for place in range(1, 17)},
        **{op.SWAP1 - 1 + place: _swap(place) for place in range(1, 17)},
        op.POP: lambda gas, name: _simple(gas, name, _top),
        op.JUMP: lambda gas, name: _simple(gas, name, _jump),
        op.JUMPI: lambda gas, name: _simple(gas, name, _jumpi),
        op.MLOAD: lambda gas, name: _simple(gas, name, _mload),
        op.MSTORE: lambda gas, name: _simple(gas, name, _mstore),
        op.CALLDATALOAD: lambda gas, name: _simple(gas, name, _calldataload),
    }
    own: dict[int, Any] = {}
    for value, make in made.items():
        own[value] = make(table[value].gas_cost, table[value].mnemonic)
        own[value].mnemonic = table[value].mnemonic
    return {**table, **own}


def _number(item: int | bytes) -> int:
    return int.from_bytes(item, "big") if item.__class__ is bytes else item  # type: ignore[return-value]  # pyright: ignore[reportReturnType, reportArgumentType]


def _top(computation: Any) -> int | bytes:
    """Take the topmost item."""
    try:
        return computation._stack.values.pop()
    except IndexError:
        raise InsufficientStack("Wanted 1 stack item, had none") from None


def _simple(gas: int, name: str, logic: Callable[[Any], object]) -> Instruction:
    """An instruction that is no more than a price and a function."""

    def run(computation: Any) -> None:
        meter = computation._gas_meter
        if gas > meter.gas_remaining:
            meter.consume_gas(gas, name)
        meter.gas_remaining -= gas
        logic(computation)

    return run


def _binary(compute: Callable[[int, int], int]) -> Callable[[int, str], Instruction]:
    def made(gas: int, name: str) -> Instruction:
        def run(computation: Any) -> None:
            meter = computation._gas_meter
            if gas > meter.gas_remaining:
                meter.consume_gas(gas, name)
            meter.gas_remaining -= gas
            values = computation._stack.values
            if len(values) < 2:
                raise InsufficientStack(f"Wanted 2 stack items, only had {len(values)}")
            first, second = values.pop(), values[-1]
            if first.__class__ is bytes:
                first = int.from_bytes(first, "big")
            if second.__class__ is bytes:
                second = int.from_bytes(second, "big")
            values[-1] = compute(first, second)

        return run

    return made


def _unary(compute: Callable[[int], int]) -> Callable[[int, str], Instruction]:
    def made(gas: int, name: str) -> Instruction:
        def run(computation: Any) -> None:
            meter = computation._gas_meter
            if gas > meter.gas_remaining:
                meter.consume_gas(gas, name)
            meter.gas_remaining -= gas
            computation._stack.values.append(compute(_number(_top(computation))))

        return run

    return made


def _push(size: int) -> Callable[[int, str], Instruction]:
    def made(gas: int, name: str) -> Instruction:
        def run(computation: Any) -> None:
            meter = computation._gas_meter
            if gas > meter.gas_remaining:
                meter.consume_gas(gas, name)
            meter.gas_remaining -= gas
            code = computation.code
            begin = code.program_counter
            code.program_counter = end = begin + size
            values = computation._stack.values
            if len(values) >= _MOST_ITEMS:
                raise FullStack("Stack limit reached")
            data = code._raw_code_bytes[begin:end]
            if len(data) != size:  # the code ends inside the number
                data = data.ljust(size, b"\0")
            values.append(int.from_bytes(data, "big"))

        return run

    return made


def _dup(place: int) -> Callable[[int, str], Instruction]:
    def made(gas: int, name: str) -> Instruction:
        def run(computation: Any) -> None:
            meter = computation._gas_meter
            if gas > meter.gas_remaining:
                meter.consume_gas(gas, name)
            meter.gas_remaining -= gas
            values = computation._stack.values
            if len(values) >= _MOST_ITEMS:
                raise FullStack("Stack limit reached")
            if len(values) < place:
                raise InsufficientStack(f"Insufficient stack items for {name}")
            values.append(values[-place])

        return run

    return made


def _swap(place: int) -> Callable[[int, str], Instruction]:
    other = -place - 1

    def made(gas: int, name: str) -> Instruction:
        def run(computation: Any) -> None:
            meter = computation._gas_meter
            if gas > meter.gas_remaining:
                meter.consume_gas(gas, name)
            meter.gas_remaining -= gas
            values = computation._stack.values
            if len(values) <= place:
                raise InsufficientStack(f"Insufficient stack items for {name}")
            values[-1], values[other] = values[other], values[-1]

        return run

    return made


def _jump(computation: Any) -> None:
    _go_to(computation.code, _number(_top(computation)))


def _jumpi(computation: Any) -> None:
    values = computation._stack.values
    if len(values) < 2:
        raise InsufficientStack(f"Wanted 2 stack items, only had {len(values)}")
    target, condition = _number(values.pop()), _number(values.pop())
    if condition:
        _go_to(computation.code, target)


def _go_to(code: Any, target: int) -> None:
    code.program_counter = target
    if code.peek() != op.JUMPDEST:
        raise InvalidJumpDestination("Invalid Jump Destination")
    if target not in code.valid_positions and not code.is_valid_opcode(target):
        raise InvalidInstruction("Jump resulted in invalid instruction")


def _mload(computation: Any) -> None:
    start = _number(_top(computation))
    memory = computation._memory
    if start + _WORD > len(memory._bytes):
        computation.extend_memory(start, _WORD)
    computation._stack.values.append(int.from_bytes(memory._bytes[start : start + _WORD], "big"))


def _mstore(computation: Any) -> None:
    values = computation._stack.values
    if len(values) < 2:
        raise InsufficientStack(f"Wanted 2 stack items, only had {len(values)}")
    start, value = _number(values.pop()), _number(values.pop())
    memory = computation._memory
    if start + _WORD > len(memory._bytes):
        computation.extend_memory(start, _WORD)
    memory._bytes[start : start + _WORD] = value.to_bytes(_WORD, "big")


def _calldataload(computation: Any) -> None:
    start = _number(_top(computation))
    data = computation.msg.data_as_bytes[start : start + _WORD]
    computation._stack.values.append(int.from_bytes(data.ljust(_WORD, b"\0"), "big"))
