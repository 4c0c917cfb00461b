"""What an intent of the SDK takes out of a wallet, as the purse asks about it and the ledger keeps it."""

from typing import Any, Final

import bittensor

_KINDS: Final = {
    bittensor.Transfer: "pay",
    bittensor.FundEvmKey: "fund",
    bittensor.AddStake: "stake",
    bittensor.AddStakeLimit: "stake",
    bittensor.RemoveStake: "unstake",
    bittensor.RemoveStakeLimit: "unstake",
    bittensor.RegisterSubnet: "register",
    bittensor.BurnedRegister: "register",
}
"""What the ledger calls an intent; `execute` for any other."""


def outflow(
    intent: bittensor.Intent, plan: Any, *, most: int, known: int | None, own: bool
) -> dict[str, Any]:
    """Kind, receiver and amount of an intent, as fields of a `Spend`.

    Args:
        intent: any of the SDK.
        plan: what the SDK says of it beforehand.
        most: what the wallet could lose at most, in rao; the amount where the SDK cannot say it.
        known: what it costs in rao, where the caller knows it.
        own: whether the caller knows that it only moves between accounts of the same person.
    """
    exact = known is not None or plan.spend is None or isinstance(plan.spend, bittensor.Balance)
    if known is not None:
        amount = known
    elif plan.spend is None:
        amount = 0
    else:
        amount = int(plan.spend.rao) if isinstance(plan.spend, bittensor.Balance) else max(0, most)
    itself = _pays_itself(intent, str(plan.signer_address))
    kind = next((kind for cls, kind in _KINDS.items() if isinstance(intent, cls)), "execute")
    named = (str(getattr(intent, name, None) or "") for name in ("dest_ss58", "evm_address", "hotkey_ss58"))
    return {
        "what": kind,
        "to": next(filter(None, named), ""),
        "netuid": getattr(intent, "netuid", None),
        "amount_rao": amount,
        "most": not exact,
        "own": own or itself,
        "to_itself": itself,
    }


def transferred(intent: bittensor.Intent) -> tuple[tuple[str, int], ...]:
    """Whom an intent transfers TAO to and how many rao; empty for other intents, and for an amount of all."""
    told: Any = intent
    if not isinstance(intent, bittensor.Transfer | bittensor.FundEvmKey):
        return ()
    if not isinstance(told.amount_tao, bittensor.Balance):
        return ()
    return ((str(getattr(told, "dest_ss58", None) or told.mirror_ss58), int(told.amount_tao.rao)),)


def _pays_itself(intent: bittensor.Intent, signer: str) -> bool:
    """Whether an intent transfers TAO to the account that pays it."""
    if not isinstance(intent, bittensor.Transfer | bittensor.FundEvmKey):
        return False
    told: Any = intent
    return str(getattr(told, "dest_ss58", None) or told.mirror_ss58) == signer
