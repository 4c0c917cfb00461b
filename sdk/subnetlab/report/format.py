"""Numbers as a person reads them: sizes, shares, pay and small counts."""

from collections.abc import Sequence

from subnetlab.units import RAO_PER_TAO

_COUNTS = (
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)
_THOUSAND = 1000
_LARGE = 1e6
_SMALL = 0.1
"""Below it two decimals say too little of a loss."""


def count_word(number: int) -> str:
    """Small counts as a word, larger ones as digits."""
    return _COUNTS[number] if 0 <= number < len(_COUNTS) else str(number)


def bytes_text(size: float) -> str:
    """A size in decimal units: `28.7 kB`, `4.1 MB`."""
    if size < _THOUSAND:
        return f"{size:.0f} B"
    if size < _THOUSAND**2:
        return f"{size / _THOUSAND:.1f} kB"
    return f"{size / _THOUSAND**2:.1f} MB"


def percent(share: float) -> str:
    """A share of one as `16.3 %`; zero is `0 %`, what would round to zero keeps a digit."""
    if share == 0:
        return "0 %"
    points, size = share * 100, abs(share) * 100
    return f"{points:.0f} %" if size >= 99.95 else f"{points:.1f} %" if size >= 0.05 else f"{points:.2g} %"


def amount_alpha(alpha_rao: float) -> str:
    """Pay in the subnet's own token, three decimals: `17.104 α`."""
    return f"{alpha_rao / RAO_PER_TAO:.3f} α"


def loss_text(loss: float, digits: int = 2) -> str:
    """A loss in any unit: so many decimals, or as many figures where it is small: `1.61`, `0.0034`."""
    if abs(loss) >= _THOUSAND:
        return f"{loss:,.0f}" if abs(loss) < _LARGE else f"{loss:.2e}".replace("e+0", "e").replace("e+", "e")
    return f"{loss:.{digits}f}" if loss == 0 or abs(loss) >= _SMALL else f"{loss:#.{digits}g}"


def seconds_text(seconds: float) -> str:
    """A time as `0.4 s` or `128 s`."""
    return f"{seconds:,.0f} s" if seconds >= 10 else f"{seconds:.1f} s"


def age_text(seconds: float) -> str:
    """A longer time as its largest whole unit: `40 s`, `5 min`, `3 h`, `2 days`."""
    for unit, name in ((86_400, "day"), (3_600, "h"), (60, "min")):
        if seconds >= unit:
            count = int(seconds // unit)
            return counted(count, name) if name == "day" else f"{count} {name}"
    return f"{max(seconds, 0):.0f} s"


def short(address: str) -> str:
    """An address as its first and last letters: `5Fqr…aV4k`."""
    return f"{address[:4]}…{address[-4:]}" if len(address) > 12 else address


def counted(number: int, thing: str, *, plural: str = "") -> str:
    """A count with its noun: `1 payload`, `20 payloads`."""
    return f"{number} {thing if number == 1 else plural or thing + 's'}"


def listed(words: Sequence[str]) -> str:
    """Words as a list in a sentence: `6`, `6 and 7`, `6, 7 and 8`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
