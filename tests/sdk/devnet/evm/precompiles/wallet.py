"""An EVM account that calls precompiles on a chain without a node."""

from typing import Any

import bittensor_core as core
from eth_abi.abi import decode
from tests.sdk.devnet.pallets.stage import ALICE, TAO, Stage

from subnetlab.devnet.evm.abi import Function, contracts
from subnetlab.devnet.evm.precompiles.engine import CONTRACTS
from subnetlab.devnet.evm.precompiles.frame import Frame, OutOfGas, mirror

GAS = 10_000_000


class Wallet:
    """One address; what its last call used is in `used`."""

    def __init__(self, stage: Stage, address: bytes = b"\x11" * 20, *, tao: int = 10_000) -> None:
        self.stage, self.address, self.used = stage, address, 0
        if tao:
            stage.call(ALICE, "transfer_keep_alive", "Balances", dest=self.account, value=tao * TAO)

    @property
    def account(self) -> str:
        """Its account on the chain."""
        return mirror(self.address)

    @property
    def key(self) -> bytes:
        """The 32 bytes of its account, as `bytes32` arguments take them."""
        return bytes(core.ss58_decode(self.account))

    def call(self, contract: str, name: str, *arguments: Any, **parts: Any) -> Any:
        """The decoded answer: one value, several as a tuple, None for none."""
        function = function_of(contract, name, len(arguments))
        answer = decode(function.outputs, self.raw(contract, function.call_data(arguments), **parts))
        return answer[0] if len(answer) == 1 else answer or None

    def raw(
        self,
        contract: str,
        data: bytes,
        *,
        value: int = 0,
        gas: int = GAS,
        is_static: bool = False,
        borrowed: bool = False,
    ) -> bytes:
        """The bytes a precompile answers to call data."""
        (execute,) = (one for one in CONTRACTS if one.interface.name == contract)
        self.used = 0

        def consume(amount: int) -> None:
            self.used += amount
            if self.used > gas:
                raise OutOfGas

        with self.stage.ledger.transaction():
            if value:
                account = mirror(execute.address)
                rao = value // 10**9
                self.stage.call(self.account, "transfer_allow_death", "Balances", dest=account, value=rao)
            frame = Frame(
                ledger=self.stage.ledger,
                caller=self.address,
                address=self.address if borrowed else execute.address,
                value=value,
                data=data,
                is_static=is_static,
                gas=gas,
                consume=consume,
            )
            return execute(frame)


def function_of(contract: str, name: str, count: int) -> Function:
    """A precompile's function by its name and how many arguments it takes."""
    functions = contracts()[contract].functions
    (found,) = (one for one in functions if one.name == name and len(one.inputs) == count)
    return found


def public_key(account: str) -> bytes:
    """The 32 bytes of an ss58 address."""
    return bytes(core.ss58_decode(account))
