"""0x801: staking as it first was, with amounts in wei; kept for contracts that were written against it.

`addStake` stakes the value it is sent: the value goes back to the caller's account, which then signs the
stake. Source: `StakingPrecompile` in `staking.rs`.
"""

from collections.abc import Sequence
from typing import Any

from subnetlab.devnet.chain.registry import DispatchError, Origin
from subnetlab.devnet.evm.addresses import mirror
from subnetlab.devnet.evm.precompiles import staked
from subnetlab.devnet.evm.precompiles.frame import Failed, Frame, rao_of
from subnetlab.devnet.evm.precompiles.words import Arguments, Call, Precompile, Read
from subnetlab.devnet.pallets.subtensor import share_pool

_ADD = Call("SubtensorModule.add_stake", amount_staked="amount")
_REMOVE = Call("SubtensorModule.remove_stake", amount_unstaked="amount")


def add_stake(frame: Frame, arguments: Arguments) -> Sequence[Any]:
    """Stake the value that came with the call."""
    amount = rao_of(frame.value)
    if frame.value:
        _give_back(frame, amount)
    return _ADD(frame, {**arguments, "amount": amount})


def _give_back(frame: Frame, amount: int) -> None:
    """Return the value to the caller; as on the chain this costs no gas."""
    codec = frame.ledger.codec
    values = {"dest": frame.account, "value": amount}
    call = bytes(codec.runtime.compose_call("Balances", "transfer_allow_death", values))
    try:
        frame.ledger.dispatch(Origin(account=mirror(frame.address)), codec.runtime.decode_call(call))
    except DispatchError:
        raise Failed("Transfer back to caller failed") from None


def remove_stake(frame: Frame, arguments: Arguments) -> Sequence[Any]:
    """Unstake an amount of alpha that is spelled with eighteen decimals."""
    return _REMOVE(frame, {**arguments, "amount": rao_of(arguments["amount"])})


STAKING = Precompile(
    name="staking",
    switch="Staking",
    bodies={
        "addStake": add_stake,
        "removeStake": remove_stake,
        "getStake": Read(staked.READS_PER_STAKE, share_pool.stake_of, wei=True),
        "getTotalColdkeyStake": Read(staked.reads_of_coldkey, staked.total_of_coldkey, wei=True),
        "getTotalHotkeyStake": Read(staked.reads_of_hotkey, staked.total_of_hotkey, wei=True),
        **staked.PROXIES,
    },
    payable=frozenset({"removeStake", "addProxy", "removeProxy"}),
)
