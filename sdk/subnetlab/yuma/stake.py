"""What a hotkey's stake weighs on a subnet, its children and parents counted, and how they share pay.

Alpha counts whole, TAO staked on root counts `TaoWeight`. A parent hands a proportion of both to a child
hotkey, which weighs more for it and passes dividends back, less its take. Proportions are parts of 2^64 - 1.

Source: `staking/stake_utils.rs` and `coinbase/run_coinbase.rs` of Subtensor at spec 425.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from subnetlab.units import U16_MAX, U64_MAX
from subnetlab.yuma.fixed import I64F64, U96F32


def tao_weight(stored: int) -> int:
    """Read `TaoWeight` (parts of 2^64 - 1) as U96F32 bits."""
    return U96F32.ratio(stored, U64_MAX)


def inherited(own: int, given: Iterable[int], received: Iterable[tuple[int, int]]) -> int:
    """Stake after family ties: own, less the proportions given to children, plus parents' `(part, stake)`."""
    mine = U96F32.of(own)
    to_children = sum(U96F32.mul(mine, U96F32.ratio(part, U64_MAX)) for part in given)
    from_parents = sum(U96F32.mul(U96F32.of(stake), U96F32.ratio(part, U64_MAX)) for part, stake in received)
    return U96F32.to_int(U96F32.add(U96F32.sub(mine, to_children), from_parents))


def stake_weight(alpha: int, tao: int, weight: int) -> int:
    """Total stake as I64F64 bits: alpha-rao plus rao on root at `weight` (U96F32 bits)."""
    factor = I64F64.convert(weight, U96F32)
    return I64F64.add(I64F64.of(alpha), I64F64.mul(I64F64.of(tao), factor))


class Parent(NamedTuple):
    """One parent of a validator: what it lent, and whether the same coldkey owns both."""

    hotkey: str
    proportion: int
    alpha: int
    root: int
    same_owner: bool


class FamilyPay(NamedTuple):
    """A validator's dividends after its family took part: alpha-rao it keeps, owes to parents, and burns."""

    own: int
    parents: tuple[tuple[str, int], ...]
    burned: int


class Validator(NamedTuple):
    """A validator's own alpha and root stake, the proportions it gave away, its parents and its take."""

    alpha: int
    root: int
    given: tuple[int, ...] = ()
    parents: tuple[Parent, ...] = ()
    take: int = 0


def family_pay(dividends: int, who: Validator, *, weight: int, burn: int) -> FamilyPay:
    """Share a validator's dividends with the parents whose stake earned them.

    Args:
        dividends: alpha-rao earned.
        who: the validator; its childkey take counts parts of 65535.
        weight: TAO weight as U96F32 bits.
        burn: part of 2^64 - 1 of foreign parents' pay that is recycled.
    """
    left = U96F32.one
    for part in who.given:
        left = U96F32.sub(left, U96F32.ratio(part, U64_MAX))
    own_part = U96F32.of(U96F32.to_int(_contribution(who.alpha, who.root, left, weight)))
    lent = [_contribution(p.alpha, p.root, U96F32.ratio(p.proportion, U64_MAX), weight) for p in who.parents]
    total = own_part + sum(lent)

    earned = U96F32.of(dividends)
    take, burnt_part = U96F32.ratio(who.take, U16_MAX), U96F32.ratio(burn, U64_MAX)
    remaining, taken, burned = earned, 0, 0
    paid: list[tuple[str, int]] = []
    for parent, contribution in zip(who.parents, lent, strict=True):
        share = U96F32.mul(earned, U96F32.div(contribution, total))
        remaining = U96F32.sub(remaining, share)
        if not parent.same_owner:
            lost, kept = U96F32.mul(burnt_part, share), U96F32.mul(take, share)
            share = U96F32.sub(U96F32.sub(share, lost), kept)
            taken += kept
            burned += U96F32.to_int(lost)
        paid.append((parent.hotkey, U96F32.to_int(share)))
    return FamilyPay(own=U96F32.to_int(remaining + taken), parents=tuple(paid), burned=burned)


def _contribution(alpha: int, root: int, part: int, weight: int) -> int:
    lent = U96F32.mul(U96F32.of(alpha), part)
    return U96F32.add(lent, U96F32.mul(U96F32.mul(U96F32.of(root), part), weight))


class Earner(NamedTuple):
    """One hotkey with dividends (alpha-rao) and the stakes that decide which part of them is root's."""

    hotkey: str
    dividends: int
    alpha: int
    root: int


def shared_dividends(
    earners: Sequence[Earner], *, alpha: int, root: int, weight: int
) -> list[tuple[str, int, int]]:
    """Share out an epoch's validator alpha and root alpha among earners.

    Each earner's dividends split by its own mix of alpha and weighted root stake; the two pots are then
    shared in proportion to the two parts.

    Args:
        earners: everybody with dividends.
        alpha: alpha-rao for alpha stake.
        root: alpha-rao for root stake.
        weight: TAO weight as U96F32 bits.

    Returns:
        `(hotkey, alpha part, root part)` in U96F32 bits of alpha-rao.
    """
    parts: list[tuple[int, int]] = []
    for earner in earners:
        weighted = U96F32.mul(U96F32.of(earner.root), weight)
        earned = U96F32.of(earner.dividends)
        to_root = U96F32.mul(earned, U96F32.div(weighted, U96F32.add(U96F32.of(earner.alpha), weighted)))
        parts.append((U96F32.sub(earned, to_root), to_root))
    alpha_total, root_total = sum(a for a, _ in parts), sum(r for _, r in parts)
    return [
        (
            earner.hotkey,
            U96F32.mul(U96F32.of(alpha), U96F32.div(alpha_part, alpha_total)),
            U96F32.mul(U96F32.of(root), U96F32.div(root_part, root_total)),
        )
        for earner, (alpha_part, root_part) in zip(earners, parts, strict=True)
    ]
