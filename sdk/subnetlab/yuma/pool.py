"""The weighted pool that prices a subnet's alpha in TAO: price, buy, sell, fees, injections.

A pool holds a TAO reserve y and an alpha reserve x with weights that sum to 1. Its price is
`(w_alpha·y)/(w_tao·x)`; a buy of dy pays `x·(1 - (y/(y+dy))^(w_tao/w_alpha))` alpha and a sale of dx pays
`y·(1 - (x/(x+dx))^(w_alpha/w_tao))` TAO. Weights start at one half each (a constant-product pool) and move
when emission injects the two tokens out of proportion, so that the injection leaves the price alone.

Everything is exact: reserves are integers of rao and alpha-rao, prices are U64F64 bits (`price / 2**64` rao
per alpha-rao), the stored weight counts parts of 10^18. Nothing here moves money: `buy` and `sell` say what
a swap pays, takes and leaves behind, or why the swap pallet would refuse it.

Two sides of every swap: `taken` enters the reserve, `fee` is owed to the block's author (it never enters
the reserve), and `taken + fee` may be less than what was offered where the price limit stops the swap.

Source: `pallets/swap` of Subtensor (balancer, swap step) at spec 425.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from subnetlab.units import RAO_PER_TAO, U16_MAX, U64_MAX
from subnetlab.yuma.fixed import U64F64
from subnetlab.yuma.powers import power_scaled

WEIGHT_UNIT: Final = 10**18
"""One whole weight, as `SwapBalancer` stores it."""
MIN_WEIGHT: Final = WEIGHT_UNIT // 100
DEFAULT_FEE_RATE: Final = 33
"""Fee as parts of 65535 of what is offered: about 0.05 %."""
MIN_RESERVE: Final = 1_000_000
MAX_INPUT_MULTIPLE: Final = 1_000
MIN_PRICE_RAO: Final = 1_000
"""Lowest price limit a sale may name, rao per whole alpha."""
MAX_PRICE_RAO: Final = 1_000_000_000_000_000
"""Highest price limit a buy may name, rao per whole alpha."""

_ONE: Final = U64F64.one


class SwapError(StrEnum):
    """Why the swap pallet refuses a swap, by the name of its error."""

    RESERVES_TOO_LOW = "ReservesTooLow"
    PRICE_LIMIT_EXCEEDED = "PriceLimitExceeded"
    SWAP_INPUT_TOO_LARGE = "SwapInputTooLarge"
    INSUFFICIENT_LIQUIDITY = "InsufficientLiquidity"


class Pool(NamedTuple):
    """One subnet's reserves and weights: `tao` in rao, `alpha` in alpha-rao, `tao_weight` parts of 10^18."""

    tao: int
    alpha: int
    tao_weight: int = WEIGHT_UNIT // 2

    @property
    def alpha_weight(self) -> int:
        """What the TAO weight leaves, parts of 10^18."""
        return WEIGHT_UNIT - self.tao_weight

    @property
    def price(self) -> int:
        """TAO per alpha as U64F64 bits; zero without an alpha reserve."""
        if self.alpha == 0:
            return 0
        weights = U64F64.ratio(self.alpha_weight, self.tao_weight)
        return U64F64.mul(weights, U64F64.ratio(self.tao, self.alpha))

    def injected(self, tao: int, alpha: int) -> "Pool | None":
        """Add emission to both reserves with weights that keep the price; None where the weights would tip.

        The chain then injects nothing at all.
        """
        grown_tao, grown_alpha = self.tao + tao, self.alpha + alpha
        left = _round_weight(self.alpha_weight, self.tao * grown_alpha)
        right = _round_weight(self.tao_weight, self.alpha * grown_tao)
        weight = WEIGHT_UNIT * right // (left + right) if left + right else WEIGHT_UNIT // 2
        if not MIN_WEIGHT <= weight <= WEIGHT_UNIT - MIN_WEIGHT:
            return None
        return Pool(tao=grown_tao, alpha=grown_alpha, tao_weight=weight)


class Swap(NamedTuple):
    """What a swap does: `taken` and `fee` of the token offered, `paid` of the other, the pool `after`."""

    taken: int
    fee: int
    paid: int
    after: Pool


def pool_at_price(*, tao: int, alpha: int, price: int) -> Pool | None:
    """A pool with these reserves whose weights make this price (U64F64 bits); None if no weights can."""
    value = (price >> 64) * alpha + U64F64.to_int(U64F64.mul(U64F64.of(alpha), price & (_ONE - 1)), 128)
    if value + tao == 0:
        return None
    weight = WEIGHT_UNIT * tao // (value + tao)
    if not MIN_WEIGHT <= weight <= WEIGHT_UNIT - MIN_WEIGHT:
        return None
    return Pool(tao=tao, alpha=alpha, tao_weight=weight)


def price_limit(rao_per_alpha: int) -> int:
    """Turn a limit in rao per whole alpha, as extrinsics carry it, into U64F64 bits."""
    return U64F64.ratio(rao_per_alpha, RAO_PER_TAO)


def fee_of(amount: int, fee_rate: int = DEFAULT_FEE_RATE) -> int:
    """Fee on an offered amount, in the offered token; `fee_rate` counts parts of 65535."""
    return U64F64.to_int(U64F64.mul(U64F64.of(amount), U64F64.ratio(fee_rate, U16_MAX)))


def alpha_for_tao(pool: Pool, tao: int) -> int:
    """Alpha paid for TAO that enters the reserve, no fee and no limit."""
    kept = _kept(pool.tao, tao, (pool.tao_weight, pool.alpha_weight))
    return pool.alpha * (_ONE - kept) >> 64


def tao_for_alpha(pool: Pool, alpha: int) -> int:
    """TAO paid for alpha that enters the reserve, no fee and no limit."""
    kept = _kept(pool.alpha, alpha, (pool.alpha_weight, pool.tao_weight))
    return pool.tao * (_ONE - kept) >> 64


def buy(
    pool: Pool, tao: int, *, fee_rate: int = DEFAULT_FEE_RATE, limit: int | None = None
) -> Swap | SwapError:
    """Offer TAO for alpha.

    Args:
        pool: the reserves before the swap.
        tao: rao offered, the fee included.
        fee_rate: parts of 65535; zero for the chain's own fee-less buys.
        limit: U64F64 price the swap may not pass (see `price_limit`); the chain's highest if None.
    """
    stop = price_limit(MAX_PRICE_RAO) if limit is None else limit
    offered = tao - fee_of(tao, fee_rate)
    error = _error(offered=offered, reserve_in=pool.tao, reserve_out=pool.alpha)
    if error or pool.price >= stop:
        return error or SwapError.PRICE_LIMIT_EXCEEDED
    target = pool._replace(tao=pool.tao + offered, alpha=pool.alpha - alpha_for_tao(pool, offered)).price
    if target <= stop:
        taken, fee = offered, tao - offered
    else:
        taken = _to_reach((stop, pool.price), pool.alpha_weight, pool.tao)
        fee = _fee_on_top(taken, fee_rate)
    paid = alpha_for_tao(pool, taken)
    if taken and not paid:
        return SwapError.RESERVES_TOO_LOW
    after = pool._replace(tao=pool.tao + taken, alpha=pool.alpha - paid)
    return Swap(taken=taken, fee=fee, paid=paid, after=after)


def sell(
    pool: Pool, alpha: int, *, fee_rate: int = DEFAULT_FEE_RATE, limit: int | None = None
) -> Swap | SwapError:
    """Offer alpha for TAO; arguments as for `buy`, the default limit is the chain's lowest price."""
    stop = price_limit(MIN_PRICE_RAO) if limit is None else limit
    offered = alpha - fee_of(alpha, fee_rate)
    error = _error(offered=offered, reserve_in=pool.alpha, reserve_out=pool.tao)
    if error or pool.price <= stop:
        return error or SwapError.PRICE_LIMIT_EXCEEDED
    target = pool._replace(alpha=pool.alpha + offered, tao=pool.tao - tao_for_alpha(pool, offered)).price
    if target >= stop:
        taken, fee = offered, alpha - offered
    else:
        taken = _to_reach((pool.price, stop), pool.tao_weight, pool.alpha)
        fee = _fee_on_top(taken, fee_rate)
    paid = tao_for_alpha(pool, taken)
    if taken and not paid:
        return SwapError.RESERVES_TOO_LOW
    after = pool._replace(alpha=pool.alpha + taken, tao=pool.tao - paid)
    return Swap(taken=taken, fee=fee, paid=paid, after=after)


def _error(*, offered: int, reserve_in: int, reserve_out: int) -> SwapError | None:
    if offered > reserve_in * MAX_INPUT_MULTIPLE:
        return SwapError.SWAP_INPUT_TOO_LARGE
    return SwapError.RESERVES_TOO_LOW if reserve_out < MIN_RESERVE else None


def _kept(reserve: int, delta: int, exponent: tuple[int, int]) -> int:
    """Share of the other reserve that stays in the pool: `(reserve/(reserve+delta)) ** exponent`, U64F64."""
    grown = min(reserve + delta, U64_MAX)
    if grown == 0:
        return 0
    parts = power_scaled((reserve, grown), exponent, WEIGHT_UNIT)
    return min(_ONE, U64F64.ratio(parts, WEIGHT_UNIT)) if parts <= U64_MAX else 0


def _to_reach(prices: tuple[int, int], weight: int, reserve: int) -> int:
    """How much must enter a reserve for the price to move by the ratio `prices`."""
    parts = min(power_scaled(prices, (weight, WEIGHT_UNIT), WEIGHT_UNIT), U64_MAX)
    growth = U64F64.sub(U64F64.ratio(parts, WEIGHT_UNIT), _ONE)
    return U64F64.to_int(U64F64.mul(U64F64.of(reserve), growth))


def _fee_on_top(taken: int, fee_rate: int) -> int:
    """Fee on what a limit lets in: the rate is of the whole, so the part taken carries it on top."""
    return U64F64.to_int(U64F64.mul(U64F64.of(taken), U64F64.ratio(fee_rate, U16_MAX - fee_rate)))


def _round_weight(weight: int, product: int) -> int:
    return (product * weight + WEIGHT_UNIT // 2) // WEIGHT_UNIT
