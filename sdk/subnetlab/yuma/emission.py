"""What a block mints and who it is for: halvings, subnets' shares, injections, and the split of alpha.

TAO is emitted by one curve over all TAO, each subnet's alpha by the same curve over its own alpha. A
subnet's part of the TAO goes into its pool together with alpha at the pool's price; alpha for people is
split between owner, miners, validators and root stakers. Amounts are rao and alpha-rao, proportions and
unfinished amounts U96F32 bits.

A subnet's share is its moving price times what its miners are not denied, passed through the emission gate:
`share · share^h / (share^h + bar^h)`, which holds back subnets below the bar, the share of the Nth largest.

Source: `coinbase/{block_emission,subnet_emissions,run_coinbase,block_step}.rs` of Subtensor at spec 425; the
gate came with spec 440 and is written from its description in words.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from subnetlab.units import U16_MAX
from subnetlab.yuma.fixed import I96F32, U64F64, U96F32, floor_log2
from subnetlab.yuma.powers import power_scaled

TOTAL_SUPPLY: Final = 21_000_000_000_000_000
FULL_BLOCK_EMISSION: Final = 1_000_000_000
_HALF: Final = U96F32.one // 2


def block_emission(issuance: int) -> int:
    """Rao (or alpha-rao) that a block mints at an issuance; it halves at 1/2, 3/4, 7/8, … of the supply."""
    if issuance >= TOTAL_SUPPLY:
        return 0
    issued = I96F32.ratio(issuance, TOTAL_SUPPLY)
    halvings = floor_log2(I96F32, I96F32.div(I96F32.one, I96F32.one - issued))
    rate = I96F32.div(I96F32.one, I96F32.of(1 << halvings))
    return I96F32.to_int(I96F32.mul(rate, I96F32.of(FULL_BLOCK_EMISSION)))


class Candidate(NamedTuple):
    """A subnet that may be emitted to.

    `moving_price` is U64F64 bits, `withheld` the part of miner pay kept from miners (U96F32 bits), `enabled`
    whether root lets TAO flow to it.
    """

    netuid: int
    moving_price: int
    withheld: int = 0
    enabled: bool = True


class Gate(NamedTuple):
    """The emission gate: its bar, a share (U64F64 bits, zero if none is known), and its exponent."""

    bar: int
    exponent: int = 3 * U64F64.one


def demand(candidates: Sequence[Candidate]) -> list[int]:
    """Share of each subnet (U64F64 bits) by moving price and by what is not withheld from its miners.

    Prices alone decide where every subnet withholds everything.
    """
    total = sum(candidate.moving_price for candidate in candidates)
    shares = [U64F64.div(candidate.moving_price, total) for candidate in candidates]
    weighted = [
        U64F64.mul(share, U64F64.one - min(U64F64.convert(candidate.withheld, U96F32), U64F64.one))
        for share, candidate in zip(shares, candidates, strict=True)
    ]
    return [U64F64.div(weight, sum(weighted)) for weight in weighted] if sum(weighted) else shares


def gate_bar(shares: Sequence[int], *, rank: int, quantile: int) -> int:
    """The gate's threshold: the `rank`th largest positive share, or the smallest where there are fewer.

    With rank zero, the smallest of the largest shares that together reach `quantile` (U64F64 bits).
    """
    ranked = sorted((share for share in shares if share > 0), reverse=True)
    if not ranked:
        return 0
    if rank:
        return ranked[min(rank, len(ranked)) - 1]
    reached = 0
    for share in ranked:
        reached += share
        if reached >= quantile:
            return share
    return ranked[-1]


def gated(shares: Sequence[int], gate: Gate) -> list[int]:
    """Pass shares through the gate and share out anew; unchanged without a bar."""
    if gate.bar == 0:
        return list(shares)
    one = U64F64.one
    passed = [
        U64F64.mul(share, one * one // (one + power_scaled((gate.bar, share), (gate.exponent, one), one)))
        if share
        else 0
        for share in shares
    ]
    return [U64F64.div(share, sum(passed)) for share in passed] if sum(passed) else list(shares)


def subnet_emissions(candidates: Sequence[Candidate], emission: int, gate: Gate) -> dict[int, int]:
    """Share a block's TAO between subnets; U96F32 bits of rao by netuid, zero for those not enabled."""
    shares = gated(demand(candidates), gate)
    if not all(candidate.enabled for candidate in candidates):
        enabled = sum(share for share, c in zip(shares, candidates, strict=True) if c.enabled)
        shares = [
            U64F64.div(share, enabled) if candidate.enabled else 0
            for share, candidate in zip(shares, candidates, strict=True)
        ]
    return {
        candidate.netuid: U96F32.convert(U64F64.mul(U64F64.of(emission), share), U64F64)
        for candidate, share in zip(candidates, shares, strict=True)
    }


def root_share(root_tao: int, weight: int, alpha_issuance: int) -> int:
    """Part of a subnet's validator pay that belongs to root stakers; `weight` is the TAO weight."""
    weighted = U96F32.mul(U96F32.of(root_tao), weight)
    return U96F32.div(weighted, U96F32.add(weighted, U96F32.of(alpha_issuance)))


class Injection(NamedTuple):
    """What enters a pool in a block: TAO and alpha side by side, and TAO that buys alpha instead."""

    tao: int
    alpha: int
    excess_tao: int


def injection(tao_emission: int, *, alpha_emission: int, price: int, root_part: int) -> Injection:
    """Turn a subnet's TAO (U96F32 bits) into an injection at the pool's price.

    Args:
        tao_emission: the subnet's share of the block.
        alpha_emission: alpha-rao its own curve mints in this block.
        price: TAO per alpha, U64F64 bits.
        root_part: cap on injected alpha as a part of `alpha_emission`; what it keeps out buys alpha.
    """
    at_price = U96F32.convert(price, U64F64)
    tao, alpha = tao_emission, U96F32.div(tao_emission, at_price)
    cap = U96F32.mul(root_part, U96F32.of(alpha_emission))
    if alpha > cap:
        alpha = cap
        tao = U96F32.mul(alpha, at_price)
    excess = U96F32.sub(tao_emission, tao)
    return Injection(tao=U96F32.to_int(tao), alpha=U96F32.to_int(alpha), excess_tao=U96F32.to_int(excess))


class AlphaSplit(NamedTuple):
    """A block's alpha for people, in alpha-rao; truncation may lose a few of them."""

    owner: int
    miners: int
    validators: int
    root: int


def split_alpha(alpha: int, *, owner_cut: int, root_part: int) -> AlphaSplit:
    """Split a block's alpha: the owner's cut (parts of 65535), then half to miners, half to validators.

    Root stakers' part comes out of the validators' half.
    """
    owner = U96F32.mul(U96F32.of(alpha), U96F32.ratio(owner_cut, U16_MAX))
    rest = U96F32.of(alpha) - owner
    root = U96F32.mul(U96F32.mul(root_part, rest), _HALF)
    miners = U96F32.mul(rest, _HALF)
    validators = U96F32.sub(rest - miners, root)
    return AlphaSplit(
        owner=U96F32.to_int(owner),
        miners=U96F32.to_int(miners),
        validators=U96F32.to_int(validators),
        root=U96F32.to_int(root),
    )


def moving_price(
    previous: int, price: int, *, smoothing: int, blocks_since_start: int, halving_blocks: int
) -> int:
    """Next moving price as I96F32 bits.

    Args:
        previous: the last one, I96F32 bits.
        price: the pool's price, U64F64 bits; above 1 it counts as 1.
        smoothing: `SubnetMovingAlpha`, I96F32 bits.
        blocks_since_start: age of the subnet since it was started.
        halving_blocks: age at which the smoothing has reached half its strength.
    """
    blocks = U64F64.of(blocks_since_start)
    age = U64F64.div(blocks, U64F64.add(blocks, U64F64.of(halving_blocks)))
    alpha = U64F64.mul(U64F64.convert(smoothing, I96F32), age)
    fresh = U64F64.mul(alpha, min(price, U64F64.one))
    kept = U64F64.mul(U64F64.sub(U64F64.one, alpha), U64F64.convert(previous, I96F32))
    return I96F32.convert(U64F64.add(fresh, kept), U64F64)


def split_mechanisms(alpha: int, count: int, split: Sequence[int] | None) -> list[int]:
    """Share an epoch's alpha between mechanisms, evenly or by parts of 65535; the first takes the rest."""
    if split is None:
        parts = [alpha // count] * count
    else:
        parts = [alpha * part // U16_MAX for part in split][:count]
        parts += [0] * (count - len(parts))
    parts[0] += max(0, alpha - sum(parts))
    return parts
