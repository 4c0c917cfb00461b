"""Stake in storage: who holds how much alpha with which hotkey on which subnet.

The only place that writes `TotalHotkeyAlpha`, `TotalHotkeySharesV2`, `AlphaV2`, `TotalAlphaStaked` and
`StakingHotkeys`. It moves stake only: reserves, outstanding alpha and balances belong to its callers.
The superseded `Alpha` and `TotalHotkeyShares` maps do not exist on a chain that starts here.

Source: `staking/stake_utils.rs` of Subtensor at spec 425; `TotalAlphaStaked` is spec 461's sum per subnet.
"""

from typing import Any

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.yuma import shares
from subnetlab.yuma.shares import Shares

PALLET = "SubtensorModule"


def hotkey_stake(ledger: Ledger, hotkey: str, netuid: int) -> int:
    """Alpha-rao that all coldkeys together hold with a hotkey (rao on root)."""
    return int(ledger.get(PALLET, "TotalHotkeyAlpha", hotkey, netuid))


def stake_of(ledger: Ledger, hotkey: str, coldkey: str, netuid: int) -> int:
    """Alpha-rao that one coldkey holds with a hotkey."""
    held = _read(ledger, "AlphaV2", hotkey, coldkey, netuid)
    if not held:
        return 0
    value, outstanding = hotkey_stake(ledger, hotkey, netuid), _outstanding(ledger, hotkey, netuid)
    return shares.stake_of(held, value=value, outstanding=outstanding)


def holders(ledger: Ledger, hotkey: str, netuid: int) -> list[tuple[str, int]]:
    """Every coldkey with shares of a hotkey on a subnet, and its alpha-rao."""
    value, outstanding = hotkey_stake(ledger, hotkey, netuid), _outstanding(ledger, hotkey, netuid)
    return [
        (coldkey, shares.stake_of(_shares(raw), value=value, outstanding=outstanding))
        for (coldkey, of_netuid), raw in ledger.items(PALLET, "AlphaV2", hotkey)
        if of_netuid == netuid
    ]


def can_credit(ledger: Ledger, hotkey: str, netuid: int, amount: int) -> bool:
    """Whether an amount would buy any share at all; the chain refuses the stake otherwise."""
    value, outstanding = hotkey_stake(ledger, hotkey, netuid), _outstanding(ledger, hotkey, netuid)
    return not outstanding or bool(shares.shares_for(amount, value=value, outstanding=outstanding))


def credit(ledger: Ledger, hotkey: str, coldkey: str, netuid: int, amount: int) -> None:
    """Give one coldkey alpha-rao with a hotkey."""
    if amount == 0:
        return
    _remember(ledger, coldkey, hotkey)
    value, outstanding = hotkey_stake(ledger, hotkey, netuid), _outstanding(ledger, hotkey, netuid)
    bought = shares.shares_for(amount, value=value, outstanding=outstanding)
    held = _read(ledger, "AlphaV2", hotkey, coldkey, netuid)
    _write(ledger, "TotalHotkeySharesV2", hotkey, netuid, amount=outstanding + bought)
    _write(ledger, "AlphaV2", hotkey, coldkey, netuid, amount=held + bought)
    _change_value(ledger, hotkey, netuid, amount)


def debit(ledger: Ledger, hotkey: str, coldkey: str, netuid: int, amount: int) -> bool:
    """Take alpha-rao from one coldkey; False, and nothing changes, where it holds less."""
    if amount == 0:
        return True
    if stake_of(ledger, hotkey, coldkey, netuid) < amount:
        return False
    value, outstanding = hotkey_stake(ledger, hotkey, netuid), _outstanding(ledger, hotkey, netuid)
    returned = shares.shares_for(amount, value=value, outstanding=outstanding)
    held = _read(ledger, "AlphaV2", hotkey, coldkey, netuid)
    _write(ledger, "TotalHotkeySharesV2", hotkey, netuid, amount=outstanding - returned)
    _write(ledger, "AlphaV2", hotkey, coldkey, netuid, amount=held - returned)
    _change_value(ledger, hotkey, netuid, -amount)
    return True


def credit_all(ledger: Ledger, hotkey: str, netuid: int, amount: int) -> None:
    """Raise a hotkey's stake for all its nominators at once, in proportion to what each holds."""
    if amount:
        _change_value(ledger, hotkey, netuid, amount)


def _change_value(ledger: Ledger, hotkey: str, netuid: int, change: int) -> None:
    value = max(0, hotkey_stake(ledger, hotkey, netuid) + change)
    if value:
        ledger.put(PALLET, "TotalHotkeyAlpha", hotkey, netuid, value=value)
    else:
        ledger.remove(PALLET, "TotalHotkeyAlpha", hotkey, netuid)
    total = max(0, int(ledger.get(PALLET, "TotalAlphaStaked", netuid)) + change)
    ledger.put(PALLET, "TotalAlphaStaked", netuid, value=total)


def _remember(ledger: Ledger, coldkey: str, hotkey: str) -> None:
    known: list[str] = ledger.get(PALLET, "StakingHotkeys", coldkey)
    if hotkey not in known:
        ledger.put(PALLET, "StakingHotkeys", coldkey, value=[*known, hotkey])


def _outstanding(ledger: Ledger, hotkey: str, netuid: int) -> Shares:
    return _read(ledger, "TotalHotkeySharesV2", hotkey, netuid)


def _shares(raw: dict[str, int]) -> Shares:
    return Shares(int(raw["mantissa"]), int(raw["exponent"]))


def _read(ledger: Ledger, item: str, *keys: Any) -> Shares:
    return _shares(ledger.get(PALLET, item, *keys))


def _write(ledger: Ledger, item: str, *keys: Any, amount: Shares) -> None:
    if amount:
        value = {"mantissa": amount.mantissa, "exponent": amount.exponent}
        ledger.put(PALLET, item, *keys, value=value)
    else:
        ledger.remove(PALLET, item, *keys)
