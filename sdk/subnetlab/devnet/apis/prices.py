"""SwapRuntimeApi: what alpha costs, and what a trade would pay.

Source: `runtime/src/lib.rs` (SwapRuntimeApi). A trade that would be refused quotes zeros, as on the chain.
"""

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import DispatchError, runtime_api
from subnetlab.devnet.pallets import swap
from subnetlab.devnet.pallets.subtensor.entries import netuids
from subnetlab.yuma.fixed import U64F64

_NO_QUOTE: dict[str, int] = dict.fromkeys(
    ("tao_amount", "alpha_amount", "tao_fee", "alpha_fee", "tao_slippage", "alpha_slippage"), 0
)


@runtime_api("SwapRuntimeApi", "current_alpha_price")
def current_alpha_price(ledger: Ledger, netuid: int) -> int:
    """Rao per whole alpha."""
    return swap.price_rao(ledger, netuid)


@runtime_api("SwapRuntimeApi", "current_alpha_price_all")
def current_alpha_price_all(ledger: Ledger) -> list[dict[str, int]]:
    """Rao per whole alpha of every subnet."""
    return [{"netuid": netuid, "price": swap.price_rao(ledger, netuid)} for netuid in netuids(ledger)]


@runtime_api("SwapRuntimeApi", "sim_swap_tao_for_alpha")
def sim_swap_tao_for_alpha(ledger: Ledger, netuid: int, tao: int) -> dict[str, int]:
    """What staking an amount of rao would take and pay."""
    ideal = U64F64.to_int(U64F64.div(U64F64.of(tao), swap.price(ledger, netuid)))
    try:
        done = swap.buy(ledger, netuid, tao)
    except DispatchError:
        return _NO_QUOTE
    lost = max(ideal - done.paid, 0)
    amounts = {"tao_amount": done.taken, "alpha_amount": done.paid, "tao_fee": done.fee}
    return {**_NO_QUOTE, **amounts, "alpha_slippage": lost}


@runtime_api("SwapRuntimeApi", "sim_swap_alpha_for_tao")
def sim_swap_alpha_for_tao(ledger: Ledger, netuid: int, alpha: int) -> dict[str, int]:
    """What unstaking an amount of alpha-rao would take and pay."""
    ideal = swap.value_rao(ledger, netuid, alpha)
    try:
        done = swap.sell(ledger, netuid, alpha)
    except DispatchError:
        return _NO_QUOTE
    lost = max(ideal - done.paid, 0)
    amounts = {"tao_amount": done.paid, "alpha_amount": done.taken, "alpha_fee": done.fee}
    return {**_NO_QUOTE, **amounts, "tao_slippage": lost}
