"""Stake too small for the chain, refused before it is sent: the chain would take its fee and do nothing.

Covers every intent of the SDK that buys, sells or moves an amount of stake. The pool may move before the
block, so what passes here may still be refused there. Source: `staking/stake_utils.rs` at spec 425 and the
constant `InitialMinStake`.
"""

from typing import Any, Final

import bittensor

from subnetlab.errors import InsufficientBalance, InvalidAmount
from subnetlab.network.stake_quote import stake_quote, unstake_quote
from subnetlab.network.wire_client import WireClient
from subnetlab.units import AlphaRao, Rao, format_tao

_MIN_STAKE: Final = ("SubtensorModule", "InitialMinStake")
_MIN_TRANSFER_RAO: Final = 100_000
"""The least rao that stake which changes its coldkey is worth; no constant of the chain says it."""
_BUYS: Final = (bittensor.AddStake, bittensor.AddStakeLimit)
_SELLS: Final = (bittensor.RemoveStake, bittensor.RemoveStakeLimit)
_MOVES: Final = (bittensor.MoveStake, bittensor.SwapStake, bittensor.MoveSwapStake, bittensor.TransferStake)


def check_stake(client: WireClient, intent: Any, coldkey: str) -> None:
    """Refuse an intent whose amount of stake the chain cannot take; others, and an amount of "all", pass.

    Args:
        client: the connection.
        intent: any of the SDK.
        coldkey: who signs (ss58).

    Raises:
        InvalidAmount: below the chain's minimum.
        InsufficientBalance: more stake than the coldkey has there.
        NodeUnreachable: the node does not answer.
        ChainRejected: the chain cannot simulate it.
    """
    if isinstance(intent, _BUYS):
        amount = _amount(intent, "amount_tao")
        if amount is not None:
            _check_bought(client, amount, int(_field(intent, "netuid")))
    elif isinstance(intent, _SELLS):
        amount = _amount(intent, "amount_alpha")
        if amount is not None:
            netuid = int(_field(intent, "netuid"))
            rest = _rest(client, coldkey, str(_field(intent, "hotkey_ss58")), netuid, amount)
            if rest:
                _check_worth(
                    client, amount, netuid, _least(client), hint='"all" takes back whatever is there.'
                )
    elif isinstance(intent, _MOVES):
        _check_moved(client, intent, coldkey)


def _check_bought(client: WireClient, amount: int, netuid: int) -> None:
    least = _least(client)
    fee = stake_quote(client, Rao(least), netuid).fee
    if amount < least + fee or amount - stake_quote(client, Rao(amount), netuid).fee < least:
        raise InvalidAmount(
            f"{format_tao(amount)} is less than the least stake, {format_tao(least)} beside the pool's fee.",
            hint=f"Stake {format_tao(least + fee)} or more.",
        )


def _check_moved(client: WireClient, intent: Any, coldkey: str) -> None:
    amount = _amount(intent, "amount_alpha")
    if amount is None:
        return
    origin, dest = int(_field(intent, "origin_netuid")), int(_field(intent, "dest_netuid"))
    hotkey = str(_field(intent, "origin_hotkey_ss58", "hotkey_ss58"))
    _rest(client, coldkey, hotkey, origin, amount)
    if origin != dest:
        transfers = isinstance(intent, bittensor.TransferStake)
        least = _MIN_TRANSFER_RAO if transfers else _least(client)
        _check_worth(client, amount, origin, least + 1, hint="Move more at once.")


def _check_worth(client: WireClient, amount: int, netuid: int, least: int, *, hint: str) -> None:
    worth = unstake_quote(client, AlphaRao(amount), netuid).received
    if worth < least:
        raise InvalidAmount(
            f"{format_tao(amount, 'α')} of subnet {netuid} brings {format_tao(worth)}; "
            f"the chain takes no less than {format_tao(least)}.",
            hint=hint,
        )


def _rest(client: WireClient, coldkey: str, hotkey: str, netuid: int, amount: int) -> int:
    """What stays staked afterwards, in alpha-rao."""
    found = client.read("stake", coldkey_ss58=coldkey, hotkey_ss58=hotkey, netuid=netuid)
    held = int(found.rao)
    if amount > held:
        raise InsufficientBalance(
            f"{coldkey} has {format_tao(held, 'α')} staked behind {hotkey} on subnet {netuid}, "
            f"not {format_tao(amount, 'α')}.",
            hint='"all" takes whatever is there.',
        )
    return held - amount


def _least(client: WireClient) -> int:
    return int(client.constant(_MIN_STAKE))


def _field(intent: Any, *names: str) -> Any:
    return next(getattr(intent, name) for name in names if hasattr(intent, name))


def _amount(intent: Any, name: str) -> int | None:
    """The amount of an intent in its smallest unit; None for "all"."""
    value = getattr(intent, name)
    return int(value.rao) if isinstance(value, bittensor.Balance) else None
