"""Precompiles that take long in Python, made to let go of the node like any other long computation.

Pairings and sums of points run for a fifth of a second each, and a power of large numbers is one instruction
of Python's. What they answer and cost is Ethereum's. Source: EIP-2565.
"""

import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any, cast

from eth.abc import ComputationAPI

Entry = Callable[[ComputationAPI], ComputationAPI]
_MODEXP = 5
_POINTS = (7, 8, *range(0x0B, 0x12))
_WORD, _LEAST_GAS = 32, 200
_SIZES = 3 * _WORD
"""Where the base begins: behind the lengths of base, exponent and modulus."""


def in_turns(table: Mapping[bytes, Entry]) -> dict[bytes, Entry]:
    """The table, its slow entries where they can be put off or ended."""
    slow = {_at(index): _paused(table[_at(index)]) for index in _POINTS if _at(index) in table}
    if _at(_MODEXP) in table:
        slow[_at(_MODEXP)] = modexp
    return {**table, **slow}


def _at(index: int) -> bytes:
    return index.to_bytes(20, "big")


def _pause(computation: ComputationAPI) -> Callable[[], None]:
    return cast("Any", computation.state).pause


def _paused(entry: Entry) -> Entry:
    """The entry, asked at every call of a Python function whether it may go on."""

    def run(computation: ComputationAPI) -> ComputationAPI:
        pause = _pause(computation)

        def on_event(_frame: FrameType, event: str, _argument: object) -> None:
            if event == "call":
                pause()

        before = sys.getprofile()
        sys.setprofile(on_event)
        try:
            return entry(computation)
        finally:
            sys.setprofile(before)

    return run


def modexp(computation: ComputationAPI) -> ComputationAPI:
    """A power modulo a number, a part of the exponent at a time."""
    data = computation.msg.data_as_bytes
    base_size, exponent_size, modulus_size = (_number(data, at, _WORD) for at in range(0, _SIZES, _WORD))
    head = _number(data, _SIZES + base_size, min(exponent_size, _WORD))
    iterations = max(head.bit_length() - 1, 0) + 8 * max(exponent_size - _WORD, 0)
    words = (max(base_size, modulus_size) + 7) // 8
    computation.consume_gas(max(words**2 * max(iterations, 1) // 3, _LEAST_GAS), reason="MODEXP")
    if modulus_size == 0:
        computation.output = b""
        return computation
    base = _number(data, _SIZES, base_size)
    exponent = range(_SIZES + base_size, _SIZES + base_size + exponent_size)
    modulus = _number(data, exponent.stop, modulus_size)
    result = 0 if modulus == 0 else _power(data, base, modulus, exponent, _pause(computation))
    computation.output = result.to_bytes(modulus_size, "big")
    return computation


def _power(data: bytes, base: int, modulus: int, exponent: range, pause: Callable[[], None]) -> int:
    step = 64 if modulus.bit_length() <= 2048 else 8
    result = 1 % modulus
    for start in exponent[::step]:
        pause()
        part = min(step, exponent.stop - start)
        raised = pow(result, 1 << 8 * part, modulus) if result > 1 else result
        result = raised * pow(base, _number(data, start, part), modulus) % modulus
    return result


def _number(data: bytes, at: int, size: int) -> int:
    """A number in the data, which zeros follow; `size` is not trusted."""
    found = data[at : at + size]
    return int.from_bytes(found, "big") << 8 * (size - len(found)) if found else 0
