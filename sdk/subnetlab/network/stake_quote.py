"""What a stake would buy, before it is bought: amount, fee and slippage as the chain itself simulates them.

Source: the runtime API `SwapRuntimeApi`, `sim_swap_tao_for_alpha` and back. Staking turns TAO into the
subnet's own token at the pool's price and moves that price; on the root network both are the same.
"""

from dataclasses import dataclass
from typing import Any

from subnetlab.errors import InvalidAmount
from subnetlab.network.wire_client import WireClient
from subnetlab.units import ROOT_NETUID, AlphaRao, Rao, format_tao

_SIM_STAKE = ("SwapRuntimeApi", "sim_swap_tao_for_alpha")
_SIM_UNSTAKE = ("SwapRuntimeApi", "sim_swap_alpha_for_tao")


@dataclass(frozen=True, slots=True, kw_only=True)
class StakeQuote:
    """A simulated swap at the head; the pool may move before it is carried out."""

    netuid: int
    staking: bool
    """True from TAO to alpha, False back."""
    given: int
    """What goes in: rao when staking, alpha-rao when unstaking."""
    received: int
    """What comes out: alpha-rao when staking, rao when unstaking."""
    fee: int
    """The pool's fee, in the unit of `given`; the extrinsic's own fee comes on top."""
    slippage: int
    """What moving the price costs, in the unit of `received`."""

    @property
    def price_tao(self) -> float:
        """TAO per alpha that this swap would get; 0 where nothing comes out."""
        tao, alpha = (self.given, self.received) if self.staking else (self.received, self.given)
        return tao / alpha if alpha else 0.0

    @property
    def slippage_share(self) -> float:
        """Slippage as a share of what would come out without it, 0 to 1."""
        whole = self.received + self.slippage
        return self.slippage / whole if whole else 0.0

    def __str__(self) -> str:
        units = ("τ", "α") if self.staking else ("α", "τ")
        given, received = format_tao(self.given, units[0]), format_tao(self.received, units[1])
        fee = format_tao(self.fee, units[0])
        return f"{given} → {received} on subnet {self.netuid} (fee {fee}, slippage {self.slippage_share:.2%})"


def stake_quote(client: WireClient, amount: Rao, netuid: int) -> StakeQuote:
    """Simulate staking TAO into a subnet.

    Raises:
        NodeUnreachable: the node does not answer.
        ChainRejected: the chain cannot simulate it.
    """
    return _quote(client, int(amount), netuid, staking=True)


def unstake_quote(client: WireClient, amount: AlphaRao, netuid: int) -> StakeQuote:
    """Simulate taking alpha out of a subnet; errors as `stake_quote`."""
    return _quote(client, int(amount), netuid, staking=False)


def _quote(client: WireClient, amount: int, netuid: int, *, staking: bool) -> StakeQuote:
    if netuid == ROOT_NETUID:
        return StakeQuote(netuid=netuid, staking=staking, given=amount, received=amount, fee=0, slippage=0)
    method, unit = (_SIM_STAKE, "tao") if staking else (_SIM_UNSTAKE, "alpha")

    async def ask() -> dict[str, int]:
        # The SDK's own quote takes a float; amounts stay integers here.
        found: dict[str, int] = await client.substrate.runtime_call(
            *method,
            {"netuid": netuid, unit: amount},  # pyright: ignore[reportArgumentType]
        )
        return found

    answer = client.run(ask())
    given, received = ("tao", "alpha") if staking else ("alpha", "tao")
    return StakeQuote(
        netuid=netuid,
        staking=staking,
        given=amount,
        received=int(answer[f"{received}_amount"]),
        fee=int(answer[f"{given}_fee"]),
        slippage=int(answer[f"{received}_slippage"]),
    )


def protection(rate_tolerance: float | None) -> dict[str, Any]:
    """How an intent of the SDK bounds the price it takes: by a share, or not at all.

    Raises:
        InvalidAmount: it is no share.
    """
    if rate_tolerance is None:
        return {"slippage_protection": False}
    plain = isinstance(rate_tolerance, int | float) and not isinstance(rate_tolerance, bool)  # pyright: ignore[reportUnnecessaryIsInstance] - notebooks are untyped
    if not plain or not 0 <= rate_tolerance <= 1:
        raise InvalidAmount(
            f"rate_tolerance={rate_tolerance!r} is not a share between 0 and 1.",
            hint="0.05 lets the price move by 5 %; None takes any price.",
        )
    return {"rate_tolerance": rate_tolerance}
