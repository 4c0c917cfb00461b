"""Putting one extrinsic into the block being built: fee, nonce, call, and the events around them.

The order of events is the chain's, because clients read fees and failures from it. Fees have no author to go
to unless `ledger.author` names one; then they are burned. Source: Substrate's `frame-executive`; the golden
receipt for the order.
"""

from contextlib import suppress
from typing import Any

from subnetlab.devnet.chain import admission, transaction_error
from subnetlab.devnet.chain.containment import contained
from subnetlab.devnet.chain.extrinsic import bare
from subnetlab.devnet.chain.fees import BASE_REF_TIME, CallWeight
from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import NONE, DispatchError, Origin
from subnetlab.devnet.chain.transaction_pool import Pending
from subnetlab.devnet.evm.transaction import Transaction
from subnetlab.devnet.pallets import balances, system, transaction_payment

TIMESTAMP_WEIGHT = CallWeight(213_816_000, 1_493)


def dispatch_info(weight: CallWeight, kind: str = "Normal", *, pays: bool = True) -> dict[str, Any]:
    """What an ExtrinsicSuccess or ExtrinsicFailed event says about the call."""
    total = weight.with_base()
    return {
        "weight": {"ref_time": total.ref_time, "proof_size": total.proof_size},
        "class": kind,
        "pays_fee": "Yes" if pays else "No",
    }


def apply_inherent(ledger: Ledger, index: int, pallet: str, function: str, **arguments: Any) -> bytes:
    """Run an inherent and return its extrinsic; a failing one is the node's own error."""
    ledger.phase = {"ApplyExtrinsic": index}
    listed = [{"name": name, "value": value} for name, value in arguments.items()]
    ledger.dispatch(NONE, {"call_module": pallet, "call_function": function, "call_args": listed})
    ledger.ref_time += TIMESTAMP_WEIGHT.with_base().ref_time
    info = dispatch_info(TIMESTAMP_WEIGHT, "Mandatory")
    ledger.deposit_event("System", "ExtrinsicSuccess", {"dispatch_info": info})
    return bare(bytes(ledger.codec.runtime.compose_call(pallet, function, arguments)))


def apply_extrinsic(ledger: Ledger, index: int, pending: Pending) -> None:
    """Charge for, count and run a signed extrinsic. A failing call keeps its fee and its nonce.

    Raises:
        TransactionError: it is no longer valid; nothing of it remains.
    """
    extrinsic = pending.extrinsic
    admission.recheck(pending, ledger, ledger.block_number)
    if extrinsic.nonce != system.nonce(ledger, extrinsic.signer):
        raise transaction_error.invalid(transaction_error.FUTURE)
    ledger.phase = {"ApplyExtrinsic": index}
    if pending.transaction is not None:
        _apply_transaction(ledger, pending, pending.transaction)
        return
    with ledger.transaction():
        _charge(ledger, pending)
        system.increment_nonce(ledger, extrinsic.signer)
    failure = _dispatch(ledger, Origin(account=extrinsic.signer), pending)
    free = failure is None and transaction_payment.is_free(pending.call)
    refund = pending.fee - extrinsic.tip if free else 0
    _refund(ledger, pending.payer, refund)
    paid = {"who": pending.payer, "actual_fee": pending.fee - refund, "tip": extrinsic.tip}
    ledger.deposit_event("TransactionPayment", "TransactionFeePaid", paid)
    ledger.ref_time += pending.weight.with_base().ref_time
    _conclude(ledger, failure, dispatch_info(pending.weight, pays=not free))


def _apply_transaction(ledger: Ledger, pending: Pending, transaction: Transaction) -> None:
    """Run an Ethereum transaction, which pays by its gas and counts its own nonce."""
    before = ledger.ref_time
    failure = _dispatch(ledger, Origin(ethereum=transaction.sender), pending)
    weight = CallWeight(ledger.ref_time - before, 0)
    ledger.ref_time += BASE_REF_TIME
    _conclude(ledger, failure, dispatch_info(weight, pays=failure is not None))


def _dispatch(ledger: Ledger, origin: Origin, pending: Pending) -> Any:
    """Run the call; its error as the codec encodes it, None where it succeeds."""
    name = f"{pending.call['call_module']}.{pending.call['call_function']}"
    try:
        with contained(name, passes=(DispatchError,)) as outcome:
            ledger.dispatch(origin, pending.call)
    except DispatchError as error:
        return ledger.error_value(error)
    return "Other" if outcome.failed else None


def _conclude(ledger: Ledger, failure: Any, info: dict[str, Any]) -> None:
    if failure is None:
        ledger.deposit_event("System", "ExtrinsicSuccess", {"dispatch_info": info})
    else:
        fields = {"dispatch_error": failure, "dispatch_info": info}
        ledger.deposit_event("System", "ExtrinsicFailed", fields)


def _refund(ledger: Ledger, payer: str, amount: int) -> None:
    """Give back what was charged too much, where it can be held; the event comes even for nothing."""
    with suppress(DispatchError), ledger.transaction():
        if amount and ledger.author is not None:
            balances.withdraw(ledger, ledger.author, amount, keep_alive=False)
        elif amount:
            balances.issue(ledger, amount)
        balances.deposit(ledger, payer, amount)
    ledger.deposit_event("Balances", "Deposit", {"who": payer, "amount": amount})


def _charge(ledger: Ledger, pending: Pending) -> None:
    balances.withdraw(ledger, pending.payer, pending.fee)
    ledger.deposit_event("Balances", "Withdraw", {"who": pending.payer, "amount": pending.fee})
    if ledger.author is None:
        balances.reduce_issuance(ledger, pending.fee)
    else:
        balances.deposit(ledger, ledger.author, pending.fee)
