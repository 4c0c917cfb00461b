"""What an account holds: the SDK's `Balance`, with the arithmetic that a person does with money.

The SDK's own adds and subtracts, but cannot be halved, multiplied or summed, and takes an integer beside it
for rao. Here a number is always a factor, and only a balance is added to a balance or compared with it. The
part of a rao that a division leaves is dropped: a share is never more than it should be.
"""

from typing import Any, SupportsIndex

import bittensor

from subnetlab.units import exact_factor


class Balance(bittensor.Balance):
    """`bittensor.Balance` that keeps its unit through halves, products, sums and differences.

    Example:
        >>> sum([Balance(3), Balance(5)]) / 2
        τ0.000000004
    """

    __slots__ = ()
    __array_ufunc__ = None
    """A numpy scalar on the left leaves the product to this class."""

    def __add__(self, other: Any) -> "Balance":
        return self._with(self.rao + self._rao_of(other))

    __radd__ = __add__

    def __sub__(self, other: Any) -> "Balance":
        return self._with(self.rao - self._rao_of(other))

    def __rsub__(self, other: Any) -> "Balance":
        return self._with(self._rao_of(other) - self.rao)

    def __neg__(self) -> "Balance":
        return self._with(-self.rao)

    def __abs__(self) -> "Balance":
        return self._with(abs(self.rao))

    def __round__(self, digits: SupportsIndex = 9) -> "Balance":
        """The balance to so many decimals of a token."""
        return self._with(round(self.rao, int(digits) - 9))

    def __mul__(self, factor: Any) -> "Balance":
        exact = exact_factor(factor)
        return NotImplemented if exact is None else self._with(int(self.rao * exact))

    __rmul__ = __mul__

    def __truediv__(self, divisor: Any) -> Any:
        if isinstance(divisor, bittensor.Balance):
            return self.rao / self._rao_of(divisor)
        exact = exact_factor(divisor)
        return NotImplemented if exact is None else self._with(int(self.rao / exact))

    def __rtruediv__(self, other: Any) -> float:
        return self._rao_of(other) / self.rao

    def __format__(self, spec: str) -> str:
        """The balance as text, or its amount in tokens by a number's format: `f"{balance:,.2f}"`."""
        return format(self.tao, spec) if spec else str(self)

    def _with(self, amount_rao: int) -> "Balance":
        return Balance(amount_rao, self.netuid, self.symbol)

    def _rao_of(self, other: Any) -> int:
        """The rao of what a balance is added to or compared with: another balance, or the 0 of `sum`."""
        if isinstance(other, bittensor.Balance):
            self._same_unit(other)
            return other.rao
        if type(other) is int and other == 0:
            return 0
        raise TypeError(
            f"{other!r} beside a balance may be TAO or rao. "
            "Use bittensor.tao(…) or bittensor.Balance.from_rao(…)."
        )
