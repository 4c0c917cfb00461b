"""An Ethereum machine in memory, py-evm at Prague: deploys, calls and measures contracts without a chain.

Balances are plain wei without a deposit or a fee; the time goes on only when it is told to. What a contract
refuses raises `Reverted` with its reason.
"""

from dataclasses import dataclass, field
from typing import Any

from eth.constants import BLANK_ROOT_HASH
from eth.db.atomic import AtomicDB
from eth.vm.execution_context import ExecutionContext
from eth.vm.forks.prague.state import PragueState
from eth.vm.forks.prague.transactions import PragueTransactionBuilder
from eth.vm.spoof import SpoofTransaction
from eth_abi.abi import decode, encode
from eth_utils.abi import function_abi_to_4byte_selector
from eth_utils.crypto import keccak

# After py-evm, with whose limit of recursion deep JSON runs through the end of the stack: the node sets one.
import subnetlab.devnet.evm.accounts  # noqa: F401

START_S = 1_700_000_000
_GAS = 10_000_000
_READER = bytes(19) + b"\1"
_ERROR = bytes.fromhex("08c379a0")
"""The selector of `Error(string)`."""


class Reverted(Exception):
    """A call or a deployment was refused."""


@dataclass
class Result:
    """What a transaction gave back, and the gas that it used."""

    values: tuple[Any, ...]
    gas: int
    created: bytes


@dataclass
class Machine:
    """One state with a clock."""

    now_s: int = START_S
    state: Any = field(init=False)

    def __post_init__(self) -> None:
        context = ExecutionContext(
            bytes(20), self.now_s, 1, 0, bytes(32), 75_000_000, (), 945, base_fee_per_gas=0, excess_blob_gas=0
        )
        self.state = PragueState(AtomicDB(), context, BLANK_ROOT_HASH)

    def account(self, name: str, wei: int = 10**24) -> bytes:
        """An address that holds this much."""
        address = keccak(text=name)[:20]
        self.state.set_balance(address, wei)
        return address

    def balance(self, address: bytes) -> int:
        return self.state.get_balance(address)

    def wait(self, seconds: int) -> None:
        self.now_s += seconds
        self.state.execution_context._timestamp = self.now_s

    def send(self, sender: bytes, to: bytes, data: bytes = b"", value: int = 0) -> Result:
        """One transaction; the values are the raw bytes that it returned.

        Raises:
            Reverted: it was refused; nothing changed.
        """
        try:
            return self._applied(sender, to, data, value)
        finally:
            self.state.lock_changes()

    def look(self, to: bytes, data: bytes) -> bytes:
        """What a call returns that changes nothing."""
        kept = self.state.snapshot()
        try:
            return self._applied(_READER, to, data, 0).values[0]
        finally:
            self.state.revert(kept)

    def _applied(self, sender: bytes, to: bytes, data: bytes, value: int) -> Result:
        unsigned = PragueTransactionBuilder.new_unsigned_dynamic_fee_transaction(
            chain_id=945, nonce=self.state.get_nonce(sender), max_priority_fee_per_gas=0, max_fee_per_gas=0,
            gas=_GAS, to=to, value=value, data=data, access_list=(),
        )  # fmt: skip
        done = self.state.apply_transaction(SpoofTransaction(unsigned, from_=sender))
        used = _GAS - done.get_gas_remaining()
        used -= min(done.get_gas_refund(), used // 5)
        if done.is_error:
            raise Reverted(_reason(done))
        return Result((done.output,), used + done.data_floor_gas, done.msg.storage_address)

    def deploy(self, artefact: dict[str, Any], *arguments: Any, sender: bytes, value: int = 0) -> "Contract":
        """A new contract from its ABI and bytecode."""
        constructor = [entry for entry in artefact["abi"] if entry["type"] == "constructor"]
        types = [part["type"] for entry in constructor for part in entry["inputs"]]
        code = bytes.fromhex(artefact["bytecode"].removeprefix("0x")) + encode(types, arguments)
        done = self.send(sender, b"", code, value)
        return Contract(self, artefact["abi"], done.created, done.gas)


@dataclass
class Contract:
    """A deployed contract; `call` sends a transaction, `read` only looks."""

    machine: Machine
    abi: list[dict[str, Any]]
    address: bytes
    deploy_gas: int

    def data(self, name: str, *arguments: Any) -> bytes:
        """The calldata of one function."""
        entry = self._function(name)
        return function_abi_to_4byte_selector(entry) + encode(
            [part["type"] for part in entry["inputs"]], arguments
        )

    def call(self, name: str, *arguments: Any, sender: bytes, value: int = 0) -> Result:
        """One transaction; its values decoded."""
        done = self.machine.send(sender, self.address, self.data(name, *arguments), value)
        types = [part["type"] for part in self._function(name)["outputs"]]
        return Result(tuple(decode(types, done.values[0])), done.gas, done.created)

    def read(self, name: str, *arguments: Any) -> Any:
        """What a view says; a single value is not wrapped."""
        outputs = self._function(name)["outputs"]
        answer = self.machine.look(self.address, self.data(name, *arguments))
        values = decode([_type(part) for part in outputs], answer)
        return values[0] if len(values) == 1 else values

    def _function(self, name: str) -> dict[str, Any]:
        return next(entry for entry in self.abi if entry["type"] == "function" and entry["name"] == name)


def _type(part: dict[str, Any]) -> str:
    if part["type"] != "tuple":
        return part["type"]
    return f"({','.join(_type(inner) for inner in part['components'])})"


def _reason(done: Any) -> str:
    if done.output[:4] == _ERROR:
        return str(decode(["string"], done.output[4:])[0])
    return repr(done.error)
