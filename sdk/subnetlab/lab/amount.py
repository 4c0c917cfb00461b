"""Balances as a person reads them: an integer of rao that prints as TAO."""

from subnetlab.units import format_tao


class Amount(int):
    """Rao, shown as `12.5 τ`; arithmetic on it is integer arithmetic on rao."""

    __slots__ = ()

    def __repr__(self) -> str:
        return format_tao(int(self))

    __str__ = __repr__
