"""The node's own instructions do to a frame what py-evm's do: stack, memory, gas, place, refusal."""

from types import SimpleNamespace
from typing import Any

from eth.exceptions import VMError
from eth.vm import opcode_values as op
from eth.vm.forks.prague.computation import PragueComputation
from eth.vm.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from subnetlab.devnet.evm.computation import Computation
from subnetlab.devnet.evm.instructions import BINARY, UNARY, faster

OWN = faster(PragueComputation.opcodes)
REPLACED = sorted(value for value, one in OWN.items() if one is not PragueComputation.opcodes[value])
HIGHEST = 2**256 - 1
STATE: Any = SimpleNamespace(coinbase=bytes(20), mark_address_warm=lambda _address: None)
"""What a frame asks of the chain when it begins; none of these instructions asks more."""
SMALL = st.integers(0, 70)
"""Shifts, and places in code, memory and data."""
NUMBER = st.one_of(SMALL, st.integers(0, HIGHEST), st.sampled_from([255, 256, 2**255, HIGHEST]))
ITEM = st.one_of(NUMBER, st.binary(max_size=32))
STACK = st.one_of(
    st.lists(ITEM, max_size=18),
    st.sampled_from([1023, 1024]).map(lambda size: [1] * size),
)
CODE = st.lists(st.sampled_from([op.JUMPDEST, op.PUSH1, op.PUSH1 + 31, op.STOP, 7]), max_size=70).map(bytes)


def _after(instruction: Any, stack: list[Any], *, code: bytes = b"", at: int = 0, gas: int = 100) -> Any:
    """What one instruction leaves of a frame."""
    who = b"\x01" * 20
    message = Message(gas=gas, to=who, sender=who, value=0, data=bytes(range(1, 41)), code=code)
    frame: Any = Computation(STATE, message, None)  # type: ignore[arg-type]
    frame._stack.values.extend(stack)
    frame.code.program_counter = at
    frame._memory._bytes.extend(bytes(range(64)))
    refused = None
    try:
        instruction(frame)
    except VMError as error:
        refused = type(error)
    left = [int.from_bytes(one, "big") if isinstance(one, bytes) else one for one in frame._stack.values]
    if refused is not None:
        return refused  # the frame ends here, and what is left of it is dropped
    return left, bytes(frame._memory._bytes), frame._gas_meter.gas_remaining, frame.code.program_counter


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(REPLACED), CODE, STACK, SMALL, st.sampled_from([0, 2, 3, 9, 10, 30, 10**9]))
def test_an_instruction_leaves_what_py_evm_leaves(
    value: int, code: bytes, stack: list[Any], at: int, gas: int
) -> None:
    theirs = _after(PragueComputation.opcodes[value], stack, code=code, at=at, gas=gas)
    assert _after(OWN[value], stack, code=code, at=at, gas=gas) == theirs


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([*BINARY, *UNARY]), NUMBER, NUMBER)
def test_arithmetic_is_py_evm_s(value: int, first: int, second: int) -> None:
    theirs = _after(PragueComputation.opcodes[value], [second, first])
    assert _after(OWN[value], [second, first]) == theirs


def test_every_replaced_instruction_is_one_of_those_that_contracts_run_most() -> None:
    assert {op.PUSH1, op.DUP1, op.SWAP1, op.ADD, op.JUMPI, op.MSTORE} <= set(REPLACED)
    assert all(OWN[value].mnemonic == PragueComputation.opcodes[value].mnemonic for value in REPLACED)
