"""The rules of the chain's EVM: Prague, with Subtensor's precompiles, balances and self-destruct.

What differs from Ethereum: contracts see the balance less the existential deposit, value moves in whole rao
and may fail for want of a deposit, and a precompile's code has the size 1. DELEGATECALL reaches the
precompiles that sign nothing; the others refuse it. Source: pallet-evm, the `evm` crate's stack executor.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from eth.abc import ComputationAPI, MessageAPI, StateAPI, TransactionContextAPI
from eth.exceptions import Halt, OutOfGas, StackDepthLimit, VMError, WriteProtection
from eth.vm import mnemonics, opcode_values
from eth.vm.forks.prague.computation import PragueComputation
from eth.vm.logic.invalid import InvalidOpcode
from eth.vm.opcode import as_opcode

from subnetlab.devnet.chain.registry import DispatchError
from subnetlab.devnet.evm.instructions import faster
from subnetlab.devnet.evm.keccak import EMPTY_CODE_HASH
from subnetlab.devnet.evm.precompiles import TABLE
from subnetlab.devnet.evm.slow import in_turns

if TYPE_CHECKING:
    from subnetlab.devnet.evm.state import State

STACK_LIMIT = 1024
_MOST_HELD_CODES = 32
"""Contracts whose jumps are remembered."""
_COLD_ACCOUNT = 2600
_WARM_ACCOUNT = 100
_NEW_ACCOUNT = 25_000
_SELFDESTRUCT = 5_000


class OutOfFund(VMError):
    """Value that cannot be moved: the frame ends before it ran, and its gas is given back."""

    burns_gas = False
    erases_return_data = True


def _state(computation: ComputationAPI) -> "State":
    return cast("State", computation.state)


def _touch(computation: ComputationAPI, address: bytes) -> None:
    state = _state(computation)
    cost = _WARM_ACCOUNT if state.is_address_warm(address) else _COLD_ACCOUNT
    state.accounts.mark_address_warm(address)
    computation.consume_gas(cost, reason="account access")


def _address(computation: ComputationAPI) -> bytes:
    return computation.stack_pop1_bytes().rjust(20, b"\0")[-20:]


def balance(computation: ComputationAPI) -> None:
    """What an address can spend."""
    address = _address(computation)
    _touch(computation, address)
    computation.stack_push_int(_state(computation).accounts.get_reducible(address))


def selfbalance(computation: ComputationAPI) -> None:
    """What the contract can spend."""
    reducible = _state(computation).accounts.get_reducible(computation.msg.storage_address)
    computation.stack_push_int(reducible)


def extcodesize(computation: ComputationAPI) -> None:
    """The size of an address's code; 1 for a precompile, so that compilers' checks let calls through."""
    address = _address(computation)
    _touch(computation, address)
    size = 1 if address in TABLE else len(_state(computation).accounts.get_code(address))
    computation.stack_push_int(size)


def extcodehash(computation: ComputationAPI) -> None:
    """The hash of an address's code; zero for an empty account."""
    address = _address(computation)
    _touch(computation, address)
    if _state(computation).accounts.account_is_empty(address):
        computation.stack_push_int(0)
    else:
        code_hash = (
            EMPTY_CODE_HASH if address in TABLE else _state(computation).accounts.get_code_hash(address)
        )
        computation.stack_push_bytes(code_hash)


def jumpdest(computation: ComputationAPI) -> None:
    """Where every loop passes: here a long computation is put off or ended."""
    _state(computation).pause()


def selfdestruct(computation: ComputationAPI) -> None:
    """Send what can be spent to a beneficiary; only a contract of this transaction is deleted."""
    if computation.msg.is_static:
        raise WriteProtection("Cannot modify state while inside of a STATICCALL context")
    state, owner, beneficiary = _state(computation), computation.msg.storage_address, _address(computation)
    if not state.is_address_warm(beneficiary):
        state.accounts.mark_address_warm(beneficiary)
        computation.consume_gas(_COLD_ACCOUNT, reason=mnemonics.SELFDESTRUCT)
    value = state.accounts.get_reducible(owner)
    if value and state.accounts.account_is_empty(beneficiary):
        computation.consume_gas(_NEW_ACCOUNT, reason=mnemonics.SELFDESTRUCT)
    try:
        state.accounts.transfer(owner, beneficiary, value)
    except DispatchError as error:
        raise VMError(str(error)) from error
    computation.beneficiaries.append(cast("Any", beneficiary))
    if owner in computation.contracts_created and owner not in computation.accounts_to_delete:
        computation.accounts_to_delete.append(owner)
    raise Halt(mnemonics.SELFDESTRUCT)


def _opcodes() -> dict[int, Any]:
    logic: Mapping[int, tuple[Callable[[ComputationAPI], None], str, int]] = {
        opcode_values.BALANCE: (balance, mnemonics.BALANCE, 0),
        opcode_values.SELFBALANCE: (selfbalance, mnemonics.SELFBALANCE, 5),
        opcode_values.EXTCODESIZE: (extcodesize, mnemonics.EXTCODESIZE, 0),
        opcode_values.EXTCODEHASH: (extcodehash, mnemonics.EXTCODEHASH, 0),
        opcode_values.JUMPDEST: (jumpdest, mnemonics.JUMPDEST, 1),
        opcode_values.SELFDESTRUCT: (selfdestruct, mnemonics.SELFDESTRUCT, _SELFDESTRUCT),
    }
    own = {
        value: as_opcode(gas_cost=gas, logic_fn=function, mnemonic=mnemonic)
        for value, (function, mnemonic, gas) in logic.items()
    }
    plain = type(own[opcode_values.JUMPDEST])
    table = faster({**PragueComputation.opcodes, **own})
    return {value: _paid(one) if type(one) is plain else one for value, one in table.items()}


def _paid(opcode: Any) -> Any:
    """An instruction that is no more than a price and a function, paid for in one step."""
    logic, gas, mnemonic = opcode.logic_fn, opcode.gas_cost, opcode.mnemonic

    def run(computation: Any) -> None:
        meter = computation._gas_meter  # noqa: SLF001 - as the frame itself does
        if gas > meter.gas_remaining:
            meter.consume_gas(gas, mnemonic)
        meter.gas_remaining -= gas
        logic(computation)

    run.mnemonic = mnemonic  # type: ignore[attr-defined]
    return run


_OPCODES = _opcodes()
_BY_BYTE: tuple[Any, ...] = tuple(_OPCODES.get(value) or InvalidOpcode(value) for value in range(256))


@lru_cache(_MOST_HELD_CODES)
def _positions(_code: bytes) -> tuple[set[int], set[int]]:
    """Positions in a contract's code that earlier frames found to be instructions, and pushed data."""
    return set(), set()


class Computation(PragueComputation):
    """One frame."""

    opcodes = _OPCODES
    _precompiles = cast("dict[Any, Any]", in_turns(TABLE))

    def consume_gas(self, amount: int, reason: str) -> None:
        """Pay for an instruction, without py-evm's detours: every instruction passes here."""
        meter = self._gas_meter
        if 0 <= amount <= meter.gas_remaining:
            meter.gas_remaining -= amount
        else:
            meter.consume_gas(amount, reason)

    def run_code(self) -> None:
        """Run the frame's instructions to their end, or to the error that one of them raises."""
        stream: Any = self.code
        code, listed = self.msg.code, _BY_BYTE
        if code and not self.msg.is_create:
            stream.valid_positions, stream.invalid_positions = _positions(code)
        end = len(code)
        try:
            while True:
                at = stream.program_counter
                stream.program_counter = at + 1
                listed[code[at] if at < end else opcode_values.STOP](self)
        except Halt:
            pass

    @classmethod
    def apply_computation(
        cls,
        state: StateAPI,
        message: MessageAPI,
        transaction_context: TransactionContextAPI,
        parent_computation: ComputationAPI | None = None,
    ) -> ComputationAPI:
        """Run a frame's code or precompile; what it raises is its error."""
        with cls(state, message, transaction_context) as computation:
            if message.depth == 0 and message.is_create:
                cls.consume_initcode_gas_cost(computation)
            made = [] if parent_computation is None else parent_computation.contracts_created
            computation.contracts_created = made
            if message.is_create:
                made.append(message.storage_address)
            precompile = cls._precompiles.get(message.code_address)
            if precompile is None:
                cast("Computation", computation).run_code()
            elif not message.is_delegation:
                precompile(computation)
        return computation

    @classmethod
    def apply_message(
        cls,
        state: StateAPI,
        message: MessageAPI,
        transaction_context: TransactionContextAPI,
        parent_computation: ComputationAPI | None = None,
    ) -> ComputationAPI:
        """Run a call's frame, or undo it where it fails."""
        if message.depth > STACK_LIMIT:
            raise StackDepthLimit("Stack depth limit reached")
        chain = cast("State", state)
        chain.pause()
        snapshot = state.snapshot()
        if message.should_transfer_value and message.value:
            try:
                chain.accounts.transfer(message.sender, message.storage_address, message.value)
            except DispatchError as error:
                state.revert(snapshot)
                return cls.refused(state, message, transaction_context, OutOfFund(str(error)))
        computation = cls.apply_computation(state, message, transaction_context, parent_computation)
        if computation.is_error:
            state.revert(snapshot)
        else:
            state.commit(snapshot)
        return computation

    @classmethod
    def apply_create_message(
        cls,
        state: StateAPI,
        message: MessageAPI,
        transaction_context: TransactionContextAPI,
        parent_computation: ComputationAPI | None = None,
    ) -> ComputationAPI:
        """Run a creation's frame, or undo it where it fails."""
        if message.value > cast("State", state).accounts.get_reducible(message.sender):
            return cls.refused(state, message, transaction_context, OutOfFund("Token.FundsUnavailable"))
        try:
            cls.validate_create_message(message)
        except OutOfGas as error:  # the creation code is too long
            return cls.refused(state, message, transaction_context, error)
        return super().apply_create_message(state, message, transaction_context, parent_computation)

    @classmethod
    def consume_initcode_gas_cost(cls, computation: ComputationAPI) -> None:
        """Charge a transaction's creation code by its length; CREATE inside a frame charges its own."""
        if computation.msg.depth == 0:
            super().consume_initcode_gas_cost(computation)

    @classmethod
    def refused(
        cls, state: StateAPI, message: MessageAPI, context: TransactionContextAPI, error: VMError
    ) -> ComputationAPI:
        """A frame that ended before it began."""
        computation = cls(state, message, context)
        with computation:
            raise error
        return computation
