"""Which Ethereum transactions may enter the pool and the block: Frontier's checks in Frontier's order.

They travel in extrinsics without a signature of the chain's own; the one inside says who sent them. Refusals
have the runtime's numbers, which JSON-RPC puts into words. Source: pallet-ethereum, `fp_evm`'s validation.
"""

from enum import IntEnum

from subnetlab.devnet.chain import transaction_error
from subnetlab.devnet.chain.extrinsic import BARE_V5, Extrinsic, digest
from subnetlab.devnet.chain.fees import MOST_EXTRINSIC_REF_TIME, REF_TIME_PER_GAS, CallWeight
from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.scale import Reader, prefixed
from subnetlab.devnet.chain.transaction_error import TransactionError
from subnetlab.devnet.chain.transaction_pool import Pending
from subnetlab.devnet.evm import gas
from subnetlab.devnet.evm.addresses import mirror
from subnetlab.devnet.evm.engine import BLOCK_GAS_LIMIT
from subnetlab.devnet.evm.fees import WEI_PER_RAO
from subnetlab.devnet.evm.scale import decode_transaction, encode_transaction
from subnetlab.devnet.evm.transaction import SET_CODE, Transaction, Undecodable
from subnetlab.devnet.pallets import balances
from subnetlab.devnet.pallets.base_fee import base_fee

_BARE_V4 = 0x04
MOST_AUTHORIZATIONS = 255


class Refusal(IntEnum):
    """Frontier's own reasons, as the runtime numbers them."""

    GAS_LIMIT_TOO_LOW = 0
    GAS_LIMIT_TOO_HIGH = 1
    GAS_PRICE_TOO_LOW = 2
    PRIORITY_FEE_TOO_HIGH = 3
    INVALID_CHAIN_ID = 8
    INVALID_SIGNATURE = 9
    EMPTY_AUTHORIZATION_LIST = 10
    AUTHORIZATION_LIST_TOO_LARGE = 11

    def error(self) -> TransactionError:
        """The refusal as the pool words it."""
        return transaction_error.invalid(f"Custom error: {self.value}")


def wrapped(ledger: Ledger, transaction: Transaction) -> bytes:
    """The extrinsic that carries a transaction."""
    return prefixed(bytes([BARE_V5]) + _prefix(ledger) + encode_transaction(transaction))


def _prefix(ledger: Ledger) -> bytes:
    return bytes([ledger.codec.pallet_index["Ethereum"], 0])


def carried(raw: bytes, ledger: Ledger) -> Transaction | None:
    """The transaction that an extrinsic carries, None where it is of another kind.

    Raises:
        TransactionError: it carries one that cannot be read.
    """
    body = Reader(Reader(raw).prefixed())
    if body.left < 3 or body.byte() not in (_BARE_V4, BARE_V5) or body.take(2) != _prefix(ledger):
        return None
    try:
        transaction = decode_transaction(body)
    except Undecodable as error:
        raise transaction_error.undecodable(str(error)) from error
    if body.left:
        raise transaction_error.undecodable(f"{body.left} bytes after the transaction's end")
    return transaction


def admit(raw: bytes, transaction: Transaction, ledger: Ledger) -> Pending:
    """Check a transaction against the head.

    Raises:
        TransactionError: it can never be included as it is.
    """
    sender = transaction.sender
    if sender is None:
        raise Refusal.INVALID_SIGNATURE.error()
    weight = CallWeight(transaction.gas_limit * REF_TIME_PER_GAS, 0)
    if weight.ref_time > MOST_EXTRINSIC_REF_TIME:
        raise transaction_error.invalid(transaction_error.EXHAUSTS)
    account = mirror(sender)
    extrinsic = Extrinsic(
        raw=raw, hash=digest(raw), signer=account, scheme=0, signature=b"", era=None,
        nonce=transaction.nonce, tip=0, metadata_mode=0, extra=b"", call=_prefix(ledger),
    )  # fmt: skip
    argument = {"name": "transaction", "value": transaction}
    pending = Pending(
        extrinsic=extrinsic, weight=weight, fee=0, payer=account, dies_at=None, transaction=transaction,
        call={"call_module": "Ethereum", "call_function": "transact", "call_args": [argument]},
    )  # fmt: skip
    check(transaction, sender, account, ledger)
    return pending


def check(transaction: Transaction, sender: bytes, account: str, ledger: Ledger) -> None:
    """The checks that a block in between can change.

    Raises:
        TransactionError: the transaction is or has become invalid.
    """
    held = ledger.get("System", "Account", account)
    if transaction.nonce < held["nonce"]:
        raise transaction_error.invalid(transaction_error.STALE)
    fee = base_fee(ledger)
    refusal = _refusal(transaction, ledger, fee)
    if refusal is not None:
        raise refusal.error()
    reducible = max(held["data"]["free"] - balances.EXISTENTIAL_DEPOSIT, 0) * WEI_PER_RAO
    if reducible < transaction.value + transaction.max_fee_per_gas * transaction.gas_limit:
        raise transaction_error.invalid(transaction_error.PAYMENT)
    if transaction.kind == SET_CODE and not transaction.authorizations:
        raise Refusal.EMPTY_AUTHORIZATION_LIST.error()
    if len(transaction.authorizations) > MOST_AUTHORIZATIONS:
        raise Refusal.AUTHORIZATION_LIST_TOO_LARGE.error()
    if ledger.has("EVM", "AccountCodes", "0x" + sender.hex()):
        raise transaction_error.invalid(transaction_error.BAD_SIGNER)


def _refusal(transaction: Transaction, ledger: Ledger, fee: int) -> Refusal | None:
    """What is wrong with the transaction's gas, chain or prices."""
    if transaction.gas_limit < gas.least(transaction):
        return Refusal.GAS_LIMIT_TOO_LOW
    if transaction.gas_limit > BLOCK_GAS_LIMIT:
        return Refusal.GAS_LIMIT_TOO_HIGH
    if transaction.chain_id not in (None, int(ledger.get("EVMChainId", "ChainId"))):
        return Refusal.INVALID_CHAIN_ID
    if transaction.max_priority_fee_per_gas > transaction.max_fee_per_gas:
        return Refusal.PRIORITY_FEE_TOO_HIGH
    if transaction.max_fee_per_gas < fee:
        return Refusal.GAS_PRICE_TOO_LOW
    return None
