"""Who may enter the pool: signature, mortality, nonce and fee, checked as the runtime's extensions do.

The order of checks decides which error a client sees, so it is Substrate's. Source: the thirteen signed
extensions of spec 461; the four that carry bytes and the two that look at money are the ones that refuse.
"""

from functools import lru_cache
from typing import Any

import bittensor_core as core

from subnetlab.devnet.chain import ethereum_admission, transaction_error
from subnetlab.devnet.chain.block import Blocks
from subnetlab.devnet.chain.call_weights import weight_of
from subnetlab.devnet.chain.codec import Codec
from subnetlab.devnet.chain.extrinsic import Era, Extrinsic, Malformed, is_signature, parse, signed_payload
from subnetlab.devnet.chain.fees import MOST_EXTRINSIC_REF_TIME, fee
from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import ADMISSIONS
from subnetlab.devnet.chain.scale import Reader, Truncated
from subnetlab.devnet.chain.transaction_pool import Pending
from subnetlab.devnet.chain.version import SPEC_NAME
from subnetlab.devnet.evm.transaction import Transaction
from subnetlab.devnet.pallets import balances, mev_shield, system, transaction_payment

MAX_EXTRINSIC_BYTES = 5 * 2**20 * 3 // 4
"""Three quarters of a block's length are for extrinsics like these."""
OPAQUE_BLOCKS = 2400
"""How far back an era may reach: the chain remembers this many block hashes."""


def admit(raw: bytes, ledger: Ledger, blocks: Blocks) -> Pending:
    """Check an extrinsic against the head and say what it will cost.

    Raises:
        TransactionError: it can never be included as it is.
    """
    _check_frame(raw)
    _check_length(raw)
    transaction = ethereum_admission.carried(raw, ledger)
    if transaction is not None:
        return ethereum_admission.admit(raw, transaction, ledger)
    try:
        extrinsic = parse(raw)
        call = ledger.codec.runtime.decode_call(extrinsic.call)
    except (Malformed, ValueError) as error:
        raise transaction_error.undecodable(str(error)) from error
    height = blocks.head.number
    birth_hash = _birth_hash(extrinsic.era, height, blocks)
    _check_signature(extrinsic, ledger, blocks.genesis.hash, birth_hash)
    _check_carrier(extrinsic.era, call)
    weight = weight_of(call)
    if weight.ref_time > MOST_EXTRINSIC_REF_TIME:
        raise transaction_error.invalid(transaction_error.EXHAUSTS)
    pending = Pending(
        extrinsic=extrinsic, call=call, weight=weight,
        fee=fee(len(raw), weight, extrinsic.tip),
        payer=transaction_payment.payer(ledger, extrinsic.signer, call),
        dies_at=extrinsic.era.death(height) if extrinsic.era else None,
    )  # fmt: skip
    recheck(pending, ledger, height)
    return pending


def admit_transaction(transaction: Transaction, ledger: Ledger) -> Pending:
    """The same for an Ethereum transaction that is in no extrinsic yet.

    Raises:
        TransactionError: it can never be included as it is.
    """
    raw = ethereum_admission.wrapped(ledger, transaction)
    _check_length(raw)
    return ethereum_admission.admit(raw, transaction, ledger)


def recheck(pending: Pending, ledger: Ledger, height: int) -> None:
    """The checks that a block in between can change.

    Raises:
        TransactionError: the extrinsic has become invalid.
    """
    extrinsic, transaction = pending.extrinsic, pending.transaction
    if transaction is not None and transaction.sender is not None:
        ethereum_admission.check(transaction, transaction.sender, extrinsic.signer, ledger)
        return
    if pending.dies_at is not None and pending.dies_at <= height:
        raise transaction_error.invalid(transaction_error.ANCIENT_BIRTH)
    if extrinsic.nonce < system.nonce(ledger, extrinsic.signer):
        raise transaction_error.invalid(transaction_error.STALE)
    if not _can_pay(ledger, pending.payer, pending.fee):
        raise transaction_error.invalid(transaction_error.PAYMENT)
    check = ADMISSIONS.get((pending.call["call_module"], pending.call["call_function"]))
    if check is not None:
        arguments: dict[str, Any] = {a["name"]: a["value"] for a in pending.call["call_args"]}
        check(ledger, extrinsic.signer, **arguments)


def _check_frame(raw: bytes) -> None:
    outer = Reader(raw)
    try:
        outer.prefixed()
    except Truncated as error:
        raise transaction_error.bad_format("Not enough data to fill buffer") from error
    if outer.left:
        raise transaction_error.bad_format("Input buffer has still data left after decoding!")


def _check_length(raw: bytes) -> None:
    if len(raw) > MAX_EXTRINSIC_BYTES:
        raise transaction_error.invalid(transaction_error.EXHAUSTS)


def _birth_hash(era: Era | None, height: int, blocks: Blocks) -> bytes:
    if era is None:
        return blocks.genesis.hash
    birth = era.birth(height)
    block = blocks.at(birth)
    if block is None or birth + OPAQUE_BLOCKS < height:
        raise transaction_error.invalid(transaction_error.ANCIENT_BIRTH)
    return block.hash


def _check_carrier(era: Era | None, call: dict[str, Any]) -> None:
    """What is sealed must be included soon: its carrier lives for few blocks."""
    sealed = (call["call_module"], call["call_function"]) == mev_shield.CARRIER
    if sealed and (era is None or era.period > mev_shield.MAX_ERA_PERIOD):
        raise transaction_error.invalid(transaction_error.STALE)


def _check_signature(extrinsic: Extrinsic, ledger: Ledger, genesis_hash: bytes, birth_hash: bytes) -> None:
    codec = ledger.codec
    metadata_hash = _metadata_hash(codec) if extrinsic.metadata_mode else None
    payload = signed_payload(
        extrinsic, spec_version=codec.spec_version, transaction_version=codec.transaction_version,
        genesis_hash=genesis_hash, birth_hash=birth_hash, metadata_hash=metadata_hash,
    )  # fmt: skip
    if not is_signature(extrinsic.signature, payload, extrinsic.signer, extrinsic.scheme):
        raise transaction_error.invalid(transaction_error.BAD_PROOF)


@lru_cache(maxsize=1)
def _metadata_hash(codec: Codec) -> bytes:
    """The hash of the whole runtime's description, which takes milliseconds."""
    return bytes(core.metadata_digest(codec.metadata_v15, codec.spec_version, SPEC_NAME))


def _can_pay(ledger: Ledger, payer: str, amount: int) -> bool:
    left = balances.free(ledger, payer) - amount
    return left >= balances.EXISTENTIAL_DEPOSIT
