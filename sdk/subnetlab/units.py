"""Money and chain numbers as integers with names.

Amounts are integers of the smallest unit (rao, or alpha-rao of a subnet's own token); fractions of a TAO
exist only where a person types or reads them. Source: the chain's `TaoBalance` and `AlphaBalance` are u64.
"""

from decimal import Decimal
from typing import NewType

from subnetlab.errors import InvalidAmount

Rao = NewType("Rao", int)
"""TAO in its smallest unit; 1 TAO = 1,000,000,000 rao."""
AlphaRao = NewType("AlphaRao", int)
"""A subnet's token in its smallest unit; 1 alpha = 1,000,000,000 alpha-rao."""
BlockNumber = NewType("BlockNumber", int)
Netuid = NewType("Netuid", int)
Uid = NewType("Uid", int)

RAO_PER_TAO = 1_000_000_000
U16_MAX = 2**16 - 1
U64_MAX = 2**64 - 1
ROOT_NETUID = Netuid(0)


def rao(amount_tao: float | str | Decimal) -> Rao:
    """Turn a typed amount of TAO (or alpha) into rao, refusing what the chain cannot carry.

    Args:
        amount_tao: a positive number of whole tokens, at most nine decimals.

    Raises:
        InvalidAmount: not a number, not positive, more than nine decimals, or above 2^64 rao.

    Example:
        >>> rao(0.5)
        500000000
    """
    try:
        value = Decimal(str(amount_tao)) * RAO_PER_TAO
    except (ArithmeticError, ValueError):  # `1e999999999` overflows even a Decimal
        raise InvalidAmount(f"{amount_tao!r} is not an amount.", hint="Give a number such as 0.5.") from None
    if isinstance(amount_tao, bool) or not value.is_finite() or value <= 0:
        raise InvalidAmount(f"{amount_tao!r} is not a positive amount.", hint="Give a number such as 0.5.")
    if value != value.to_integral_value():
        raise InvalidAmount(f"{amount_tao} has more than nine decimals.", hint="The smallest unit is 1e-9.")
    if value > U64_MAX:
        raise InvalidAmount(f"{amount_tao} is more than the chain can count.", hint="Give a smaller amount.")
    return Rao(int(value))


def tao(amount_rao: int) -> Decimal:
    """Turn rao into an exact decimal number of TAO, for people to read."""
    return Decimal(amount_rao) / RAO_PER_TAO


def format_tao(amount_rao: int, unit: str = "τ") -> str:
    """Write an amount as a person reads it: `12.5 τ`, never in scientific notation."""
    text = f"{tao(amount_rao):.9f}".rstrip("0").rstrip(".")
    return f"{text} {unit}"
