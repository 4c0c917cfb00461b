"""What a precompile sees of the call it answers: who calls, with what, on which ledger, and a gas meter.

Frames know no engine: `engine.py` makes one from a computation. A precompile ends in one of three ways: it
returns bytes, it raises `Reverted` (the rest of the gas comes back) or `Failed` (it burns). Source:
Frontier's `PrecompileHandle`, `precompiles/src/extensions.rs` of Subtensor.
"""

from collections.abc import Callable
from dataclasses import dataclass

from eth_abi.abi import encode

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.evm.addresses import mirror
from subnetlab.devnet.evm.engine import REF_TIME_PER_GAS
from subnetlab.devnet.evm.fees import WEI_PER_RAO

READ_GAS = 25_000_000 // REF_TIME_PER_GAS
WRITE_GAS = 100_000_000 // REF_TIME_PER_GAS
_ERROR_SELECTOR = bytes.fromhex("08c379a0")


class Reverted(Exception):
    """The call is undone and the rest of its gas comes back; `output` holds Solidity's `Error(string)`."""

    def __init__(self, reason: str) -> None:
        """Keep the reason as contracts and wallets read it."""
        super().__init__(reason)
        self.output = _ERROR_SELECTOR + encode(["string"], [reason])


class Failed(Exception):
    """The call is undone and its gas burns; only a simulation says why (`ExitError::Other`)."""


class OutOfGas(Exception):
    """The call is undone for want of gas."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One call of a precompile."""

    ledger: Ledger
    caller: bytes
    """The twenty bytes of `msg.sender`."""
    address: bytes
    """Whose context it runs in: the precompile's own, unless it was reached by DELEGATECALL or CALLCODE."""
    value: int
    """`msg.value` in wei."""
    data: bytes
    is_static: bool
    gas: int
    """What the call was given."""
    consume: Callable[[int], None]
    """Take gas; raises OutOfGas (or the engine's own word for it)."""

    @property
    def account(self) -> str:
        """The caller's account, who signs what the precompile dispatches."""
        return mirror(self.caller)

    def charge_reads(self, count: int) -> None:
        """Pay for database reads."""
        self.consume(READ_GAS * count)

    def charge_writes(self, count: int) -> None:
        """Pay for database writes."""
        self.consume(WRITE_GAS * count)


def wei_of(rao: int) -> int:
    """Wei for rao."""
    return rao * WEI_PER_RAO


def rao_of(wei: int) -> int:
    """Whole rao in wei; what is less than one rao is dropped."""
    return wei // WEI_PER_RAO
