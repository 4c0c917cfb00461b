"""The engine by py-evm: one message on the chain's state, by the Prague rules that Frontier runs.

Of py-evm only frames, opcodes and gas are used: no blocks, no tries, no transactions. Source for what happens
around the first frame: pallet-evm's stack runner.
"""

import os
from typing import Any, cast

from eth.abc import ComputationAPI
from eth.exceptions import (
    ContractCreationCollision,
    FullStack,
    InsufficientStack,
    InvalidInstruction,
    InvalidJumpDestination,
    OutOfBoundsRead,
    OutOfGas,
    Revert,
    StackDepthLimit,
    VMError,
)
from eth.vm.execution_context import ExecutionContext
from eth.vm.message import Message as FrameMessage
from eth_hash.auto import keccak

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.evm import fees, gas
from subnetlab.devnet.evm.addresses import created, created_by_salt
from subnetlab.devnet.evm.computation import Computation, OutOfFund
from subnetlab.devnet.evm.engine import BLOCK_GAS_LIMIT, Log, Message, Outcome, Pause
from subnetlab.devnet.evm.keccak import keccak_256
from subnetlab.devnet.evm.state import State
from subnetlab.devnet.evm.transaction import CURVE_ORDER, Authorization
from subnetlab.devnet.pallets.base_fee import base_fee

_HASHES_BY = "ETH_HASH_BACKEND"
if keccak_256 is not None and _HASHES_BY not in os.environ:
    # Contracts hash by the module that the node has loaded, five times as fast. The library reads its choice
    # with its first hash; processes that this one starts may have another.
    os.environ[_HASHES_BY] = "pysha3"
    keccak(b"")
    del os.environ[_HASHES_BY]
DELEGATION = b"\xef\x01\x00"
"""What the code of an account begins with that runs another's."""
_DELEGATION_BYTES = 23
_NEW_AUTHORITY_REFUND = 12_500
_MOST_NONCE = 2**64 - 1
_EXIT_ERRORS: tuple[tuple[type[VMError], str], ...] = (
    (OutOfGas, "OutOfGas"),
    (OutOfFund, "OutOfFund"),
    (InsufficientStack, "StackUnderflow"),
    (FullStack, "StackOverflow"),
    (InvalidJumpDestination, "InvalidJump"),
    (InvalidInstruction, "DesignatedInvalid"),
    (StackDepthLimit, "CallTooDeep"),
    (ContractCreationCollision, "CreateCollision"),
    (OutOfBoundsRead, "OutOfOffset"),
)


class Prague:
    """`EvmEngine` by py-evm."""

    def run(self, ledger: Ledger, message: Message, pause: Pause) -> Outcome:
        """Run a message whose fee is paid; see `EvmEngine`."""
        return _run(_state(ledger, pause), message)


def is_delegation(code: bytes) -> bool:
    """Whether an account's code only names the account whose code it runs."""
    return len(code) == _DELEGATION_BYTES and code.startswith(DELEGATION)


def _state(ledger: Ledger, pause: Pause) -> State:
    context = ExecutionContext(
        coinbase=cast("Any", fees.author(ledger)), timestamp=ledger.now_ms // 1000,
        block_number=cast("Any", ledger.block_number), difficulty=0, mix_hash=cast("Any", bytes(32)),
        gas_limit=BLOCK_GAS_LIMIT, prev_hashes=(), chain_id=int(ledger.get("EVMChainId", "ChainId")),
        base_fee_per_gas=base_fee(ledger), excess_blob_gas=0,
    )  # fmt: skip
    return State(ledger, context, pause)


def _run(state: State, message: Message) -> Outcome:
    """Run a message whose fee is paid; one that may not even begin has used up what it was given."""
    if message.gas_limit < gas.least(message):
        return Outcome(reason={"Error": "OutOfGas"}, output=b"", gas_used=message.gas_limit)
    nonce = state.accounts.get_nonce(message.sender)
    state.accounts.increment_nonce(message.sender)
    refund = sum(_authorize(state, one) for one in message.authorizations)
    computation = _first_frame(state, message, nonce, refund)
    used = message.gas_limit - computation.get_gas_remaining()
    used -= min(computation.get_gas_refund(), used // 5)
    for address in computation.get_accounts_for_deletion():
        state.accounts.delete_account(address)
    logs = tuple(
        Log(bytes(address), tuple(topic.to_bytes(32, "big") for topic in topics), bytes(data))
        for address, topics, data in computation.get_log_entries()
    )
    return Outcome(
        reason=_exit_reason(computation), output=computation.output,
        gas_used=max(used, gas.floor(message)), logs=logs,
        contract=computation.msg.storage_address if message.to is None else None,
    )  # fmt: skip


def _first_frame(state: State, message: Message, nonce: int, refund: int) -> ComputationAPI:
    given = message.gas_limit - gas.intrinsic(message)
    origin: Any = message.sender
    context = state.get_transaction_context_class()(gas_price=state.base_fee, origin=origin)
    for address, keys in message.access_list:
        state.accounts.mark_address_warm(address)
        for key in keys:
            state.accounts.mark_storage_warm(address, int.from_bytes(key, "big"))
    shared: dict[str, Any] = {
        "gas": given,
        "sender": message.sender,
        "value": message.value,
        "refund": refund,
    }
    state.accounts.mark_address_warm(message.sender)
    if message.to is not None:
        code = state.accounts.get_code(message.to)
        delegated = is_delegation(code)
        if delegated:
            state.accounts.mark_address_warm(code[3:])
            code = state.accounts.get_code(code[3:])
        state.accounts.mark_address_warm(message.to)
        shared["to"] = message.to
        frame = FrameMessage(data=message.data, code=code, is_delegation=delegated, **shared)
        return Computation.apply_message(state, frame, context)
    if message.salt is None:
        address = created(message.sender, nonce)
    else:
        address = created_by_salt(message.sender, message.salt, message.data)
    state.accounts.mark_address_warm(address)
    shared |= {"to": b"", "create_address": address}
    frame = FrameMessage(data=b"", code=message.data, **shared)
    if state.accounts.account_has_code_or_nonce(address):
        return Computation.refused(state, frame, context, ContractCreationCollision("the address is taken"))
    return Computation.apply_create_message(state, frame, context)


def _authorize(state: State, one: Authorization) -> int:
    """Let an account run another's code where it said so (EIP-7702); the gas that comes back."""
    state.pause()  # a signature takes longer than most instructions, and a block holds three thousand
    if one.chain_id not in (0, state.execution_context.chain_id) or one.nonce >= _MOST_NONCE:
        return 0
    authority = one.authority() if one.s <= CURVE_ORDER // 2 else None
    if authority is None:
        return 0
    state.accounts.mark_address_warm(authority)
    code = state.accounts.get_code(authority)
    if (code and not is_delegation(code)) or state.accounts.get_nonce(authority) != one.nonce:
        return 0
    known = state.accounts.account_exists(authority)
    state.accounts.set_delegation(authority, DELEGATION + one.address if any(one.address) else None)
    state.accounts.increment_nonce(authority)
    return _NEW_AUTHORITY_REFUND if known else 0


def _exit_reason(computation: ComputationAPI) -> Any:
    if computation.is_success:
        return {"Succeed": "Returned" if computation.output else "Stopped"}
    error = computation.error
    if isinstance(error, Revert):
        return {"Revert": "Reverted"}
    for kind, name in _EXIT_ERRORS:
        if isinstance(error, kind):
            return {"Error": name}
    return {"Error": {"Other": str(error)}}
