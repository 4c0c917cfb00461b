"""Why an extrinsic is refused before it reaches a block, in Substrate's own words and codes.

Clients classify by these words, so they are kept to the letter. Source: Substrate's `sc-rpc-api` author
errors and `sp_runtime::transaction_validity`.
"""

from dataclasses import dataclass


@dataclass(eq=False)
class TransactionError(Exception):
    """An extrinsic is refused: JSON-RPC code, message and data."""

    code: int
    message: str
    data: str | None = None

    def __str__(self) -> str:
        return f"{self.code} {self.message}: {self.data}" if self.data else f"{self.code} {self.message}"


BAD_FORMAT, VERIFICATION, INVALID, UNKNOWN = 1001, 1002, 1010, 1011
BANNED, ALREADY_IMPORTED, TOO_LOW_PRIORITY, DROPPED = 1012, 1013, 1014, 1016

STALE = "Transaction is outdated"
FUTURE = "Transaction will be valid in the future"
BAD_PROOF = "Transaction has a bad signature"
ANCIENT_BIRTH = "Transaction has an ancient birth block"
PAYMENT = "Inability to pay some fees (e.g. account balance too low)"
EXHAUSTS = "Transaction would exhaust the block limits"
NOT_EXPECTED = "Transaction call is not expected"
BAD_SIGNER = "Invalid signing address"


def invalid(reason: str) -> TransactionError:
    """The runtime calls the transaction invalid."""
    return TransactionError(INVALID, "Invalid Transaction", reason)


CUSTOM = {
    "StakeAmountTooLow": 1,
    "BalanceTooLow": 2,
    "SubnetNotExists": 3,
    "HotkeyAccountDoesntExist": 4,
    "NotEnoughStakeToWithdraw": 5,
    "RateLimitExceeded": 6,
    "InsufficientLiquidity": 7,
    "SlippageTooHigh": 8,
    "TransferDisallowed": 9,
    "HotKeyNotRegisteredInNetwork": 10,
    "InvalidIpAddress": 11,
    "ServingRateLimitExceeded": 12,
    "InvalidPort": 13,
    "ZeroMaxAmount": 14,
    "InvalidRevealRound": 15,
    "CommitNotFound": 16,
    "CommitBlockNotInRevealRange": 17,
    "InputLengthsUnequal": 18,
    "UidNotFound": 19,
    "EvmKeyAssociateRateLimitExceeded": 20,
    "ColdkeySwapDisputed": 21,
    "InvalidRealAccount": 22,
    "FailedShieldedTxParsing": 23,
    "InvalidShieldedTxPubKeyHash": 24,
    "NonAssociatedColdKey": 25,
    "DelegateTakeTooLow": 26,
    "DelegateTakeTooHigh": 27,
    "BadRequest": 255,
}
"""Subtensor's own reasons, by name."""


def custom(name: str) -> TransactionError:
    """The runtime refuses with one of Subtensor's numbers (`common/src/transaction_error.rs`)."""
    return invalid(f"Custom error: {CUSTOM[name]}")


def bad_format(reason: str) -> TransactionError:
    """The bytes are no extrinsic at all."""
    return TransactionError(BAD_FORMAT, f"Extrinsic has invalid format: {reason}")


def undecodable(reason: str) -> TransactionError:
    """The bytes are an extrinsic, but the runtime cannot read it."""
    return TransactionError(
        VERIFICATION,
        "Verification Error: Runtime error: Execution failed: Bad input data provided to "
        f"validate_transaction: {reason}",
        'RuntimeApi("Execution failed")',
    )


def already_imported(extrinsic_hash: bytes) -> TransactionError:
    """The pool holds this very extrinsic."""
    return TransactionError(ALREADY_IMPORTED, "Transaction Already Imported", f'["0x{extrinsic_hash.hex()}"]')


def too_low_priority(offered: int, held: int) -> TransactionError:
    """Another extrinsic of the same signer and nonce pays at least as well."""
    return TransactionError(
        TOO_LOW_PRIORITY,
        f"Priority is too low: ({held} vs {offered})",
        "The transaction has too low priority to replace another transaction already in the pool.",
    )


def pool_full() -> TransactionError:
    """The pool holds as much as it may."""
    return TransactionError(
        DROPPED, "Immediately Dropped", "The transaction couldn't enter the pool because of the limit"
    )
