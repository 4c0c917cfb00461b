"""Gas that a transaction costs whatever it runs: before its first instruction, and at the least.

Source: EIP-2028, 2930, 3860, 7623 and 7702.
"""

from typing import Protocol

from subnetlab.devnet.evm.transaction import AccessList, Authorization

_TRANSACTION, _CREATION, AUTHORIZATION = 21_000, 32_000, 25_000
LISTED_ADDRESS, LISTED_KEY, _INITCODE_WORD = 2_400, 1_900, 2
_TOKEN, _FLOOR_TOKEN = 4, 10


class Asked(Protocol):
    """What gas is asked for: a message, or the transaction it is in."""

    @property
    def to(self) -> bytes | None:
        """The target; None creates a contract."""
        ...

    @property
    def data(self) -> bytes:
        """Call data, or creation code."""
        ...

    @property
    def access_list(self) -> AccessList:
        """Addresses and keys that are warm from the beginning."""
        ...

    @property
    def authorizations(self) -> tuple[Authorization, ...]:
        """Accounts that let others' code run as theirs."""
        ...


def intrinsic(asked: Asked) -> int:
    """Gas before the first instruction, apart from that of creation code's length."""
    keys = sum(len(keys) for _, keys in asked.access_list) if asked.access_list else 0
    return (
        _TRANSACTION
        + _TOKEN * _tokens(asked.data)
        + (_CREATION if asked.to is None else 0)
        + LISTED_ADDRESS * len(asked.access_list)
        + LISTED_KEY * keys
        + AUTHORIZATION * len(asked.authorizations)
    )


def floor(asked: Asked) -> int:
    """The least that data costs, whatever runs (EIP-7623)."""
    return _TRANSACTION + _FLOOR_TOKEN * _tokens(asked.data)


def least(asked: Asked) -> int:
    """The lowest limit with which a message may begin."""
    words = (len(asked.data) + 31) // 32 if asked.to is None else 0
    return max(intrinsic(asked) + _INITCODE_WORD * words, floor(asked))


def _tokens(data: bytes) -> int:
    if not data:
        return 0
    zeros = data.count(0)
    return zeros + 4 * (len(data) - zeros)
