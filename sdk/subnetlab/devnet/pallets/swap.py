"""Swap: what alpha costs on each subnet, and what a trade would take and pay.

Reads reserves from SubtensorModule and weights from its own storage; the mathematics are `yuma.pool`. It
moves no reserve: SubtensorModule does that with the answer. User liquidity is gone from the runtime, so its
calls answer `Swap.Deprecated`, as on the chain. Source: `pallets/swap` at spec 425.
"""

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import DispatchError, Origin, call, ensure_signed
from subnetlab.units import ROOT_NETUID, U64_MAX
from subnetlab.yuma import pool as pools
from subnetlab.yuma.fixed import U64F64
from subnetlab.yuma.pool import Pool, Swap, SwapError

MAX_FEE_RATE = 1000
DYNAMIC = 1
"""`SubnetMechanism` of a subnet that has its own token and a pool."""
_SUBTENSOR = "SubtensorModule"


def is_dynamic(ledger: Ledger, netuid: int) -> bool:
    """Whether a subnet trades in a pool; root and stable subnets count one alpha as one TAO."""
    return int(ledger.get(_SUBTENSOR, "SubnetMechanism", netuid)) == DYNAMIC


def pool_of(ledger: Ledger, netuid: int) -> Pool:
    """A subnet's reserves and weights."""
    return Pool(
        tao=int(ledger.get(_SUBTENSOR, "SubnetTAO", netuid)),
        alpha=int(ledger.get(_SUBTENSOR, "SubnetAlphaIn", netuid)),
        tao_weight=int(ledger.get("Swap", "SwapBalancer", netuid)["quote"]),
    )


def price(ledger: Ledger, netuid: int) -> int:
    """TAO per alpha as U64F64 bits; one on root and stable subnets."""
    return pool_of(ledger, netuid).price if is_dynamic(ledger, netuid) else U64F64.one


def price_rao(ledger: Ledger, netuid: int) -> int:
    """Rao per whole alpha."""
    return U64F64.to_int(U64F64.mul(price(ledger, netuid), U64F64.of(10**9)))


def value_rao(ledger: Ledger, netuid: int, alpha: int) -> int:
    """What alpha-rao are worth at the current price, slippage aside."""
    return U64F64.to_int(U64F64.mul(price(ledger, netuid), U64F64.of(alpha)))


def fee(ledger: Ledger, netuid: int, amount: int) -> int:
    """Fee on an offered amount, in the offered token."""
    return pools.fee_of(amount, _fee_rate(ledger, netuid)) if is_dynamic(ledger, netuid) else 0


def buy(
    ledger: Ledger, netuid: int, tao: int, *, limit_rao: int = pools.MAX_PRICE_RAO, fees: bool = True
) -> Swap:
    """What offering TAO for alpha takes and pays.

    Raises:
        DispatchError: named by a SwapError.
    """
    if not is_dynamic(ledger, netuid):
        return _one_to_one(ledger, netuid, tao)
    limit = pools.price_limit(limit_rao)
    rate = _fee_rate(ledger, netuid) if fees else 0
    return _accepted(pools.buy(pool_of(ledger, netuid), tao, fee_rate=rate, limit=limit))


def sell(
    ledger: Ledger, netuid: int, alpha: int, *, limit_rao: int = pools.MIN_PRICE_RAO, fees: bool = True
) -> Swap:
    """What offering alpha for TAO takes and pays.

    Raises:
        DispatchError: named by a SwapError.
    """
    if not is_dynamic(ledger, netuid):
        return _one_to_one(ledger, netuid, alpha)
    limit = pools.price_limit(limit_rao)
    rate = _fee_rate(ledger, netuid) if fees else 0
    return _accepted(pools.sell(pool_of(ledger, netuid), alpha, fee_rate=rate, limit=limit))


def settle(ledger: Ledger, netuid: int) -> None:
    """Write down that a subnet's pool has begun to trade, with the weights it trades at."""
    if is_dynamic(ledger, netuid) and not ledger.get("Swap", "PalSwapInitialized", netuid):
        ledger.put("Swap", "SwapBalancer", netuid, value=ledger.get("Swap", "SwapBalancer", netuid))
        ledger.put("Swap", "PalSwapInitialized", netuid, value=True)


def _fee_rate(ledger: Ledger, netuid: int) -> int:
    return int(ledger.get("Swap", "FeeRate", netuid))


def _one_to_one(ledger: Ledger, netuid: int, amount: int) -> Swap:
    known = netuid == ROOT_NETUID or ledger.get(_SUBTENSOR, "NetworksAdded", netuid)
    moved = amount if known else 0
    return Swap(taken=moved, fee=0, paid=moved, after=pool_of(ledger, netuid))


def _accepted(answer: Swap | SwapError) -> Swap:
    if isinstance(answer, SwapError):
        raise DispatchError("Swap", answer.value)
    if answer.paid > U64_MAX:
        raise DispatchError("Swap", SwapError.INSUFFICIENT_LIQUIDITY.value)
    return answer


@call("Swap", "set_fee_rate")
def set_fee_rate(ledger: Ledger, origin: Origin, netuid: int, rate: int) -> None:
    """Change a subnet's trading fee (parts of 65535); for root and the subnet's owner."""
    owner = ledger.get(_SUBTENSOR, "SubnetOwner", netuid)
    if not origin.root and ensure_signed(origin) != owner:
        raise DispatchError("BadOrigin")
    if not ledger.get(_SUBTENSOR, "NetworksAdded", netuid):
        raise DispatchError("Swap", "MechanismDoesNotExist")
    if rate > MAX_FEE_RATE:
        raise DispatchError("Swap", "FeeRateTooHigh")
    ledger.put("Swap", "FeeRate", netuid, value=rate)
    ledger.deposit_event("Swap", "FeeRateSet", {"netuid": netuid, "rate": rate})


@call("Swap", "toggle_user_liquidity", "add_liquidity", "remove_liquidity", "modify_position", "disable_lp")
def user_liquidity(ledger: Ledger, origin: Origin, **_arguments: object) -> None:  # noqa: ARG001 - shape of a call
    """Refuse: the runtime keeps these calls in its metadata only."""
    raise DispatchError("Swap", "Deprecated")
