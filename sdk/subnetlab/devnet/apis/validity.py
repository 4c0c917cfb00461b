"""TaggedTransactionQueue: whether an extrinsic would enter the pool, which PAPI asks before it sends one.

The answer is the pool's own, in SCALE. Source: `sp_runtime::transaction_validity`.
"""

from subnetlab.devnet.chain import transaction_error
from subnetlab.devnet.chain.extrinsic import Extrinsic
from subnetlab.devnet.chain.scale import Reader, compact, prefixed
from subnetlab.devnet.chain.transaction_error import TransactionError
from subnetlab.devnet.chain.transaction_pool import Pending
from subnetlab.units import U64_MAX

VALIDATE = "TaggedTransactionQueue_validate_transaction"
_REASONS = {
    transaction_error.PAYMENT: 1,
    transaction_error.FUTURE: 2,
    transaction_error.STALE: 3,
    transaction_error.BAD_PROOF: 4,
    transaction_error.ANCIENT_BIRTH: 5,
    transaction_error.EXHAUSTS: 6,
    transaction_error.BAD_SIGNER: 10,
}
"""`InvalidTransaction`, by the words of an error."""
_CALL, _CUSTOM = 0, 7
_CUSTOM_WORDS = "Custom error: "


def extrinsic_of(data: bytes) -> bytes:
    """The extrinsic in the arguments: a source, the extrinsic behind its length, a block's hash.

    Raises:
        ValueError: the arguments are cut short.
    """
    arguments = Reader(data)
    arguments.byte()
    raw = prefixed(arguments.prefixed())
    arguments.take(32)
    return raw


def valid(pending: Pending, nonce: int, height: int) -> bytes:
    """`Ok` of what the pool knows of an admitted extrinsic; `nonce` is its signer's next one."""
    extrinsic = pending.extrinsic
    waits = [_tag(extrinsic, extrinsic.nonce - 1)] if extrinsic.nonce > nonce else []
    longevity = U64_MAX if pending.dies_at is None else max(pending.dies_at - height, 0)
    return b"".join((
        b"\x00", extrinsic.tip.to_bytes(8, "little"),
        compact(len(waits)), *waits,
        compact(1), _tag(extrinsic, extrinsic.nonce),
        longevity.to_bytes(8, "little"), b"\x01",
    ))  # fmt: skip


def _tag(extrinsic: Extrinsic, nonce: int) -> bytes:
    return prefixed(extrinsic.account + nonce.to_bytes(4, "little"))


def invalid(refused: TransactionError) -> bytes:
    """`Err` of an invalid transaction."""
    words = refused.data or ""
    if words.startswith(_CUSTOM_WORDS):
        return bytes([1, 0, _CUSTOM, int(words.removeprefix(_CUSTOM_WORDS))])
    return bytes([1, 0, _REASONS.get(words, _CALL)])
