"""The precompiles as py-evm runs them: each a function of a computation.

0x01 to 0x05, 0x07, 0x08 and 0x0b to 0x11 are Ethereum's own; 0x06 dispatches an encoded runtime call, and the
addition of bn128, which Ethereum has there, is at 0x09. There is no blake2f and no point evaluation. Source:
`precompiles/src/lib.rs` of Subtensor.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

from eth.abc import ComputationAPI
from eth.exceptions import OutOfGas as EngineOutOfGas
from eth.exceptions import Revert, VMError
from eth.vm.forks.prague.computation import PRAGUE_PRECOMPILES

from subnetlab.devnet.evm.precompiles import lookups, signatures
from subnetlab.devnet.evm.precompiles.alpha import ALPHA
from subnetlab.devnet.evm.precompiles.balances import BALANCE, BALANCE_TRANSFER
from subnetlab.devnet.evm.precompiles.contract import BORROWED, Contract, Execute
from subnetlab.devnet.evm.precompiles.dispatch import dispatch
from subnetlab.devnet.evm.precompiles.frame import Failed, Frame, OutOfGas, Reverted
from subnetlab.devnet.evm.precompiles.metagraph import METAGRAPH
from subnetlab.devnet.evm.precompiles.neuron import NEURON
from subnetlab.devnet.evm.precompiles.runtime import RUNTIME_CONFIGURATION, TIMESTAMP, registry
from subnetlab.devnet.evm.precompiles.staking import STAKING
from subnetlab.devnet.evm.precompiles.staking_v2 import STAKING_V2
from subnetlab.devnet.evm.precompiles.subnet import SUBNET
from subnetlab.devnet.evm.precompiles.unused_pallets import CROWDLOAN, DRAND, LEASING, PROXY, SCHEDULER
from subnetlab.devnet.evm.precompiles.words import Precompile

Entry = Callable[[ComputationAPI], ComputationAPI]
_DISPATCH, _BN128_ADD, _ETHEREUMS_BN128_ADD = 6, 9, 6
_ETHEREUM = (1, 2, 3, 4, 5, 7, 8, *range(0x0B, 0x12))
PRECOMPILES: tuple[Precompile, ...] = (
    BALANCE_TRANSFER,
    STAKING,
    METAGRAPH,
    SUBNET,
    NEURON,
    STAKING_V2,
    lookups.UID_LOOKUP,
    ALPHA,
    CROWDLOAN,
    LEASING,
    PROXY,
    lookups.ADDRESS_MAPPING,
    lookups.VOTING_POWER,
    BALANCE,
    SCHEDULER,
    DRAND,
    TIMESTAMP,
    RUNTIME_CONFIGURATION,
    registry(lambda: {one.address: one.precompile.switch for one in CONTRACTS}),
)
CONTRACTS: tuple[Contract, ...] = tuple(Contract(one) for one in PRECOMPILES)


def _dispatch(frame: Frame) -> bytes:
    """Run the runtime call that the call data encodes, signed by the caller's account."""
    if frame.address != _at(_DISPATCH):
        raise Failed(BORROWED)
    dispatch(frame, frame.data)
    return b""


def frame_of(computation: ComputationAPI) -> Frame:
    """What a precompile sees of a computation."""
    message = computation.msg

    def consume(gas: int) -> None:
        computation.consume_gas(gas, reason="precompile")

    return Frame(
        ledger=cast("Any", computation.state).ledger,
        caller=bytes(message.sender),
        address=bytes(message.storage_address),
        value=message.value,
        data=bytes(message.data),
        is_static=message.is_static,
        gas=message.gas,
        consume=consume,
    )


def entry(execute: Execute) -> Entry:
    """A precompile as the engine calls it, its ends in the engine's words."""

    def run(computation: ComputationAPI) -> ComputationAPI:
        try:
            computation.output = execute(frame_of(computation))
        except Reverted as error:
            computation.output = error.output
            raise Revert(error.output) from None
        except OutOfGas:
            raise EngineOutOfGas("precompile") from None
        except Failed as error:
            raise VMError(str(error)) from None
        return computation

    return run


def _at(index: int) -> bytes:
    return index.to_bytes(20, "big")


def table() -> Mapping[bytes, Entry]:
    """Every precompile by its address."""
    ethereum = cast("Mapping[bytes, Entry]", PRAGUE_PRECOMPILES)
    own: dict[int, Execute] = {
        _DISPATCH: _dispatch,
        0x400: signatures.sha3_fips_256,
        0x401: signatures.recover_public_key,
        0x402: signatures.verify_ed25519,
        0x403: signatures.verify_sr25519,
        lookups.STORAGE_QUERY_INDEX: lookups.storage_query,
    }
    return {
        **{_at(index): ethereum[_at(index)] for index in _ETHEREUM},
        _at(_BN128_ADD): ethereum[_at(_ETHEREUMS_BN128_ADD)],
        **{_at(index): entry(execute) for index, execute in own.items()},
        **{contract.address: entry(contract) for contract in CONTRACTS},
    }
