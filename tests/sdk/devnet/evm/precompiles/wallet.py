"""An EVM account that calls precompiles through the engine, on a chain without a node."""

from typing import Any

import bittensor_core as core
from eth_abi.abi import decode
from tests.sdk.devnet.pallets.stage import ALICE, TAO, Stage

from subnetlab.devnet.evm.abi import Function, contracts
from subnetlab.devnet.evm.addresses import mirror
from subnetlab.devnet.evm.apply import apply
from subnetlab.devnet.evm.engine import Message, Outcome
from subnetlab.devnet.evm.gas import intrinsic, least

GAS = 10_000_000
CALL, STATICCALL, DELEGATECALL = 0xF1, 0xFA, 0xF4


class Refused(Exception):
    """A call that did not succeed: why, and how the frame ended."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        if outcome.reverted:
            super().__init__(decode(["string"], outcome.output[4:])[0] if outcome.output else "reverted")
        else:
            reason = outcome.reason["Error"]
            super().__init__(reason["Other"] if isinstance(reason, dict) else reason)


class Wallet:
    """One address."""

    def __init__(self, stage: Stage, address: bytes = b"\x11" * 20, *, tao: int = 10_000) -> None:
        self.stage, self.address = stage, address
        self.used = 0
        """Gas of the last call's frame."""
        if tao:
            stage.call(ALICE, "transfer_keep_alive", "Balances", dest=self.account, value=tao * TAO)

    @property
    def account(self) -> str:
        """Its account on the chain."""
        return mirror(self.address)

    @property
    def key(self) -> bytes:
        """The 32 bytes of its account, as `bytes32` arguments take them."""
        return public_key(self.account)

    def call(self, contract: str, name: str, *arguments: Any, **parts: Any) -> Any:
        """The decoded answer: one value, several as a tuple, None for none.

        `at` calls another address than the precompile's, such as a forwarder's.
        """
        function = function_of(contract, name, len(arguments))
        to = parts.pop("at", contracts()[contract].address)
        answer = decode(function.outputs, self.raw(to, function.call_data(arguments), **parts))
        return answer[0] if len(answer) == 1 else answer or None

    def raw(self, to: bytes, data: bytes, *, value: int = 0, gas: int = GAS) -> bytes:
        """The bytes that an address answers to call data; `gas` is the first frame's."""
        return self.send(Message(sender=self.address, to=to, data=data, value=value), gas).output

    def send(self, message: Message, gas: int = GAS) -> Outcome:
        limit = max(gas + intrinsic(message), least(message))
        parts = {name: getattr(message, name) for name in ("sender", "to", "data", "value")}
        outcome = apply(self.stage.ledger, Message(**parts, gas_limit=limit))
        self.used = outcome.gas_used - intrinsic(message)
        if not outcome.succeeded:
            raise Refused(outcome)
        return outcome

    def forwarder(self, contract: str, opcode: int = CALL, *, undone: bool = False) -> bytes:
        """A new contract that passes its call data on to a precompile and answers as it does.

        Where `undone` it reverts even when the precompile succeeded.
        """
        code = forwarding(contracts()[contract].index, opcode, undone=undone)
        created = self.send(Message(sender=self.address, data=deploying(code))).contract
        assert created is not None
        return created


def forwarding(index: int, opcode: int, *, undone: bool) -> bytes:
    """Code that makes one call with its own call data and value, and returns or reverts with the answer."""
    value = "34" if opcode == CALL else ""
    call = f"363d3d37 3d3d363d {value} 61{index:04x} 5a {opcode:02x}"
    tail = "3d6000fd 5b3d6000f3"
    body = bytes.fromhex(f"{call} 3d600060003e")
    target = len(body) + 3 + 4
    if undone:
        return body + bytes.fromhex("3d6000fd")
    return body + bytes([0x60, target, 0x57]) + bytes.fromhex(tail)


def deploying(code: bytes) -> bytes:
    """Creation code that leaves `code` behind."""
    return bytes.fromhex(f"61{len(code):04x} 80 600c 6000 39 6000 f3") + code


def function_of(contract: str, name: str, count: int) -> Function:
    """A precompile's function by its name and how many arguments it takes."""
    functions = contracts()[contract].functions
    (found,) = (one for one in functions if one.name == name and len(one.inputs) == count)
    return found


def public_key(account: str) -> bytes:
    """The 32 bytes of an ss58 address."""
    return bytes(core.ss58_decode(account))
