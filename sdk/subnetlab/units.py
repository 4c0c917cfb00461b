"""Money and chain numbers as integers with names.

Amounts are integers of the smallest unit (rao, or alpha-rao of a subnet's own token); fractions of a TAO
exist only where a person types or reads them. `rao` is the one reader of what a person has in hand; it knows
numbers by their protocol, so that neither numpy, torch nor the SDK is loaded for it. Source: the chain's
`TaoBalance` and `AlphaBalance` are u64.
"""

import math
import re
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction
from typing import Any, NewType, Protocol, TypeAlias

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


class BalanceLike(Protocol):
    """`bittensor.Balance` by its shape: an amount that knows its own unit."""

    rao: int
    netuid: int


class ScalarLike(Protocol):
    """A number in an array library's own type: a numpy scalar, a torch tensor or a polars series of one."""

    def item(self) -> Any:
        """The number as Python has it."""
        ...


Amount: TypeAlias = float | str | Decimal | Fraction | BalanceLike | ScalarLike
"""Whole tokens in whatever form a person has them in hand."""

_FLOAT_NOISE = Fraction(1, 10**11)
"""A binary float that is off by less than this many tokens, a hundredth of a rao, was meant to be exact."""
_LONGEST_TEXT = 60
_WHOLE = "Amounts are whole tokens: one is 1e9 rao, and 1e18 wei on the EVM."
_TEXT = re.compile(
    r"(?P<sign>τ)?\s*(?P<number>[-+.0-9][-+.,0-9eE]*)\s*(?P<unit>(?:play )?(?:tao|τ)|alpha|α[₀-₉]*)?",
    re.IGNORECASE,
)
_GROUPED = re.compile(r"[-+]?[0-9]{1,3}(,[0-9]{3})+\.[0-9]+")
"""Groups of three are read only in front of a decimal point: `1,500` means 1.5 in half of the world."""


def rao(amount: Amount, *, netuid: int = ROOT_NETUID, zero: bool = False) -> Rao:
    """Read an amount of whole tokens as rao, exactly, refusing what the chain cannot carry.

    A float is read by its shortest decimal, and what it is off a whole rao by rounding errors is dropped:
    `0.1 + 0.2` is 0.3. Every other type has to be exact to nine decimals.

    Args:
        amount: an int, float, Decimal, Fraction, a scalar of numpy, torch or polars, a text such as "0.5" or
            "0.5 TAO", or a `bittensor.Balance`.
        netuid: whose token is asked for: 0 for TAO, a subnet's number for its alpha.
        zero: whether an amount of 0 has a meaning here.

    Raises:
        InvalidAmount: no number, not positive, of another unit, finer than a rao, or above 2^64 rao.

    Example:
        >>> rao(0.1 + 0.2), rao("0.5 TAO")
        (300000000, 500000000)
    """
    exact, noise = _read(amount, netuid)
    scaled = exact * RAO_PER_TAO
    whole = round(scaled)
    if scaled < 0 or (scaled == 0 and not zero):
        raise InvalidAmount(f"{_shown(amount)} is not a positive amount.", hint="Give a number such as 0.5.")
    if abs(scaled - whole) > noise * RAO_PER_TAO or (whole == 0 and scaled > 0):
        raise InvalidAmount(
            f"{_shown(amount)} has more than nine decimals.",
            hint="The smallest unit is 1e-9; round(amount, 9) rounds to it.",
        )
    if whole > U64_MAX:
        raise InvalidAmount(f"{_shown(amount)} is more than the chain can count.", hint=_WHOLE)
    return Rao(whole)


def exact_factor(number: Any) -> Fraction | None:
    """A plain number as a fraction, a float by its shortest decimal; None for anything else."""
    with suppress(InvalidAmount):
        return _number(number, number)[0]
    return None


def tao(amount_rao: int) -> Decimal:
    """Turn rao into an exact decimal number of TAO, for people to read."""
    return Decimal(amount_rao) / RAO_PER_TAO


def format_tao(amount_rao: int, unit: str = "τ") -> str:
    """Write an amount as a person reads it: `12.5 τ`, never in scientific notation."""
    text = f"{tao(amount_rao):.9f}".rstrip("0").rstrip(".")
    return f"{text} {unit}"


# -- reading what a person has in hand ---------------------------------------------------------------------


def _read(amount: Any, netuid: int) -> tuple[Fraction, Fraction]:
    """The amount in whole tokens, and by how much it may be off because it is a binary float."""
    if type(getattr(amount, "rao", None)) is int and type(getattr(amount, "netuid", None)) is int:
        if amount.netuid != netuid:
            raise InvalidAmount(
                f"{_shown(amount)} is {_token(amount.netuid)}, where {_token(netuid)} is asked for.",
                hint="A price or a quote says what one is worth in the other.",
            )
        return Fraction(amount.rao, RAO_PER_TAO), Fraction(0)
    if isinstance(amount, str):
        return _written(amount, netuid), Fraction(0)
    return _number(amount, amount)


def _number(number: Any, given: Any) -> tuple[Fraction, Fraction]:
    """A number of Python or of an array library; `given` is what a refusal names."""
    if isinstance(number, bool) or (isinstance(number, float | Decimal) and not math.isfinite(number)):
        raise InvalidAmount(f"{_shown(given)} is not a positive amount.", hint="Give a number such as 0.5.")
    if isinstance(number, int | Fraction):
        return Fraction(number), Fraction(0)
    if isinstance(number, Decimal):
        return _decimal(number, given), Fraction(0)
    if isinstance(number, float):
        # An array library's own float may be a Python float too, and then writes itself with its name.
        return Fraction(float.__repr__(number)), max(_FLOAT_NOISE, 4 * Fraction(math.ulp(number)))
    if callable(getattr(number, "item", None)):
        return _scalar(number, given)
    raise InvalidAmount(f"{_shown(given)} is not an amount.", hint="Give a number such as 0.5.")


def _scalar(number: Any, given: Any) -> tuple[Fraction, Fraction]:
    try:
        plain = number.item()
    except (TypeError, ValueError, RuntimeError):
        raise InvalidAmount(f"{_shown(given)} is not one number.", hint="Pick one of them.") from None
    if not isinstance(plain, float):
        if not isinstance(plain, int | Decimal):
            raise InvalidAmount(f"{_shown(given)} is not an amount.", hint="Give a number such as 0.5.")
        return _number(plain, given)
    exact, noise = _number(plain, given)
    narrowed = _narrowing(number)
    for digits in range(1, 17):
        shorter = f"{plain:.{digits}g}"
        if narrowed(float(shorter)) == plain:
            return Fraction(shorter), noise
    return exact, noise


def _narrowing(number: Any) -> Callable[[float], Any]:
    """How the number's own type rounds: 0.1 in 32 bits is 0.10000000149, and was typed as 0.1."""
    if hasattr(number, "new_tensor"):
        return lambda value: number.new_tensor(value).item()
    kind = getattr(getattr(number, "dtype", None), "type", None)
    return (lambda value: float(kind(value))) if kind is not None else float


def _decimal(number: Decimal, given: Any) -> Fraction:
    """A decimal as a fraction; an exponent that would fill the memory is looked at first."""
    if number and number.adjusted() > 20:
        raise InvalidAmount(f"{_shown(given)} is more than the chain can count.", hint=_WHOLE)
    if number and number.adjusted() < -20:
        return Fraction(1 if number > 0 else -1, 10**20)  # finer than a rao in any case
    return Fraction(number)


def _written(text: str, netuid: int) -> Fraction:
    found = _TEXT.fullmatch(text.strip()) if len(text) <= _LONGEST_TEXT else None
    if found is None:
        if text.strip().lstrip("+-").lower() in ("nan", "inf", "infinity"):
            raise InvalidAmount(f"{text!r} is not a positive amount.", hint="Give a number such as 0.5.")
        raise InvalidAmount(f"{_shown(text)} is not an amount.", hint="Give a number such as 0.5.")
    named = (found["sign"] or found["unit"] or "").lower()
    if named and named.startswith(("α", "alpha")) is not (netuid != ROOT_NETUID):
        raise InvalidAmount(f"{text!r} is not an amount of {_token(netuid)}.", hint="Give the number alone.")
    number = found["number"]
    if "," in number and not _GROUPED.fullmatch(number):
        raise InvalidAmount(
            f"{text!r} can be read in two ways.", hint="Write it without commas, such as 1500.5."
        )
    try:
        return _decimal(Decimal(number.replace(",", "")), text)
    except ArithmeticError:
        raise InvalidAmount(f"{text!r} is not an amount.", hint="Give a number such as 0.5.") from None


def _token(netuid: int) -> str:
    return "TAO" if netuid == ROOT_NETUID else f"alpha of subnet {netuid}"


def _shown(amount: Any) -> str:
    """What was given, in a refusal; never a long text, which may be a secret."""
    try:
        text = str(amount) if isinstance(amount, int | float | Decimal | Fraction) else repr(amount)
    except ValueError:  # Python writes no integer of thousands of digits
        return "That number"
    return text if len(text) <= 40 else "That number" if not isinstance(amount, str) else "That text"
