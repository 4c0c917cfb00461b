"""Small contracts that the tests deploy, compiled once."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import vyper
from eth_abi import encode
from eth_utils import keccak

BOX = """
# pragma version 0.4.3
event Put:
    who: indexed(address)
    amount: uint256

total: public(uint256)
owner: public(address)

@deploy
@payable
def __init__():
    self.owner = msg.sender

@external
@payable
def put(amount: uint256):
    assert amount > 0, "nothing to put"
    self.total += amount
    log Put(who=msg.sender, amount=amount)

@external
def put_twice(other: address, amount: uint256) -> bool:
    self.total += amount
    data: Bytes[36] = abi_encode(convert(0, uint256), method_id=method_id("put(uint256)"))
    return raw_call(other, data, revert_on_failure=False)

@external
def send_all(to: address):
    raw_call(to, b"", value=self.balance)

@external
@view
def money() -> (uint256, uint256):
    return self.balance, msg.sender.balance

@external
@view
def around() -> (uint256, uint256, uint256, bytes32, uint256):
    return block.number, block.timestamp, chain.id, blockhash(block.number - 1), block.basefee

@external
def spin():
    x: uint256 = 1
    for i: uint256 in range(1000000000):
        x = x ^ i
    self.total = x

@external
@payable
def __default__():
    pass

@external
@view
def size_of(who: address) -> uint256:
    return who.codesize
"""
# CALLER SELFDESTRUCT
SUICIDE_RUNTIME = bytes.fromhex("33ff")


def deployer(runtime: bytes) -> bytes:
    """Creation code that leaves a runtime of at most 255 bytes."""
    # PUSH1 len DUP1 PUSH1 11 PUSH0 CODECOPY PUSH0 RETURN
    head = bytes([0x60, len(runtime), 0x80, 0x60, 0x09, 0x5F, 0x39, 0x5F, 0xF3])
    return head + runtime


@dataclass(frozen=True)
class Compiled:
    """A contract's creation code and ABI."""

    code: bytes
    abi: list[dict[str, Any]]


@cache
def box() -> Compiled:
    compiled = vyper.compile_code(BOX, output_formats=["bytecode", "abi"])
    return Compiled(bytes.fromhex(compiled["bytecode"][2:]), compiled["abi"])


def ask(signature: str, *values: Any) -> bytes:
    """Call data of a function by its signature."""
    types = signature[signature.index("(") + 1 : -1]
    return keccak(text=signature)[:4] + encode([one for one in types.split(",") if one], values)
