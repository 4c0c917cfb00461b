"""A message in the block being built: its sender pays, it runs, and what it left becomes events.

A payment, which reaches no code, runs no frame: it moves its value here and loads no engine. Source:
pallet-evm's runner.
"""

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import DispatchError
from subnetlab.devnet.evm import fees, gas
from subnetlab.devnet.evm.addresses import mirror
from subnetlab.devnet.evm.engine import Message, Outcome, engine
from subnetlab.devnet.pallets import balances, system

_NO_PRECOMPILE = bytes(18)
"""What the address of every precompile begins with."""


def apply(ledger: Ledger, message: Message) -> Outcome:
    """Run a message in the block being built: fees are paid, logs become events.

    Raises:
        DispatchError: it could not begin; nothing has changed.
    """
    if _has_code(ledger, message.sender):
        raise DispatchError("EVM", "TransactionMustComeFromEOA")
    with ledger.transaction():
        paid = fees.withdraw(ledger, message.sender, message.gas_limit * message.gas_price)
        if is_payment(ledger, message):
            outcome = pay(ledger, message)
        else:
            outcome = engine().run(ledger, message, ledger.pause)
        fees.settle(ledger, message.sender, outcome.gas_used, message.gas_price, paid)
        for log in outcome.logs:
            ledger.deposit_event("EVM", "Log", {"log": log.event_fields()})
    return outcome


def is_payment(ledger: Ledger, message: Message) -> bool:
    """Whether a message may begin and does nothing but move its value, because it reaches no code."""
    return (
        message.to is not None
        and not message.to.startswith(_NO_PRECOMPILE)
        and not message.authorizations
        and message.gas_limit >= gas.least(message)
        and not _has_code(ledger, message.to)
    )


def pay(ledger: Ledger, message: Message) -> Outcome:
    """Move the value of a payment and count it; what cannot be moved costs its gas all the same."""
    assert message.to is not None, "a payment has a target"
    sender, rao = mirror(message.sender), message.value // fees.WEI_PER_RAO
    system.increment_nonce(ledger, sender)
    ledger.pause()
    reason = {"Succeed": "Stopped"}
    try:
        with ledger.transaction():
            if rao:
                balances.transfer(ledger, sender, mirror(message.to), rao, keep_alive=False)
    except DispatchError:
        reason = {"Error": "OutOfFund"}
    return Outcome(reason=reason, output=b"", gas_used=gas.least(message))


def _has_code(ledger: Ledger, address: bytes) -> bool:
    return ledger.has("EVM", "AccountCodes", "0x" + address.hex())
