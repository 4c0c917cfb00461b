"""Precompiles that take long: Ethereum's answers and gas, in turns, and ended where they must be."""

from typing import Any

import pytest
from eth.vm.forks.prague.computation import PRAGUE_PRECOMPILES
from hypothesis import given
from hypothesis import strategies as st
from tests.sdk.devnet.evm.conftest import Wallet
from tests.sdk.devnet.evm.test_contract import simulated

from subnetlab.devnet.chain.ledger import Ledger, go_on
from subnetlab.devnet.evm.engine import Message, engine
from subnetlab.devnet.evm.slow import modexp
from subnetlab.devnet.node.node import Node
from subnetlab.devnet.node.turns import Turns

MODEXP, PAIRING = (5).to_bytes(20, "big"), (8).to_bytes(20, "big")
# The generators of both groups of bn128, and the first negated: their pairings cancel.
G1 = "0" * 63 + "1" + "0" * 63 + "2"
NEGATED = "0" * 63 + "1" + "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd45"
G2 = (
    "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"
    "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"
    "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b"
    "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa"
)
CANCELLING = bytes.fromhex(G1 + G2 + NEGATED + G2)


class Asked:
    """A computation as far as a precompile needs one."""

    def __init__(self, data: bytes, pause: Any = go_on) -> None:
        self.gas, self.output = 0, b""
        self.msg = type("Message", (), {"data_as_bytes": data, "data": data})
        self.state = type("State", (), {"pause": staticmethod(pause)})

    def consume_gas(self, amount: int, reason: str) -> None:
        self.gas += amount


def asked(base: bytes, exponent: bytes, modulus: bytes) -> bytes:
    sizes = b"".join(len(one).to_bytes(32, "big") for one in (base, exponent, modulus))
    return sizes + base + exponent + modulus


@given(st.binary(min_size=1, max_size=300), st.binary(max_size=150), st.binary(max_size=300))
def test_a_power_costs_and_answers_what_the_reference_does(
    base: bytes, exponent: bytes, modulus: bytes
) -> None:
    data = asked(base, exponent, modulus)
    ours, theirs = Asked(data), Asked(data)
    modexp(ours)  # type: ignore[arg-type]
    PRAGUE_PRECOMPILES[MODEXP](theirs)  # type: ignore[index]
    assert (ours.gas, ours.output) == (theirs.gas, theirs.output)


@pytest.mark.parametrize("end", range(0, 100, 9))
def test_data_that_ends_early_is_followed_by_zeros(end: int) -> None:
    data = asked(b"\3", b"\5", b"\7\1")[:end]
    ours, theirs = Asked(data), Asked(data)
    modexp(ours)  # type: ignore[arg-type]
    PRAGUE_PRECOMPILES[MODEXP](theirs)  # type: ignore[index]
    assert (ours.gas, ours.output) == (theirs.gas, theirs.output)


def test_a_pairing_answers_and_is_put_off(node: Node, wallet: Wallet) -> None:
    wanted = simulated(node, PAIRING, CANCELLING, gas_limit=1_000_000)
    assert int.from_bytes(wanted.output, "big") == 1
    ledger = Ledger(node.codec, node.state.overlay(node.blocks.head.number))
    message = Message(sender=wallet.address, to=PAIRING, data=CANCELLING, gas_limit=1_000_000)
    turns = Turns(lambda: engine().run(ledger, message, turns.pause), 0.001)
    count = 0
    while not turns.step():
        count += 1
    assert turns.result() == wanted
    assert count > 10


def test_a_long_power_is_ended(node: Node) -> None:
    """A power that Python alone would take many seconds for stops at its first pauses."""
    data = asked(b"\xff" * 4096, b"\xff" * 1000, b"\xfe" * 4096)
    asks: list[None] = []

    def pause() -> None:
        asks.append(None)
        if len(asks) > 3:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        modexp(Asked(data, pause))  # type: ignore[arg-type]
