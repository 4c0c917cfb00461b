"""Coldkeys and their hotkeys, and who may act for a subnet.

Source: `staking/helpers.rs` (accounts), `utils/misc.rs` (owner and root origins).
"""

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import DispatchError, Origin, call, ensure_signed
from subnetlab.devnet.pallets.subtensor.entries import event, exists, read, require, write
from subnetlab.devnet.pallets.subtensor.money import is_subnet_account


def owns(ledger: Ledger, coldkey: str, hotkey: str) -> bool:
    """Whether a coldkey owns a hotkey that the chain knows."""
    return exists(ledger, "Owner", hotkey) and read(ledger, "Owner", hotkey) == coldkey


def pair(ledger: Ledger, coldkey: str, hotkey: str) -> None:
    """Make a coldkey the owner of a hotkey that has none yet.

    Raises:
        DispatchError: CannotUseSystemAccount for a subnet's own account.
    """
    require(not is_subnet_account(hotkey), "CannotUseSystemAccount")
    if exists(ledger, "Owner", hotkey):
        return
    write(ledger, "Owner", hotkey, value=coldkey)
    for item in ("OwnedHotkeys", "StakingHotkeys"):
        known: list[str] = read(ledger, item, coldkey)
        if hotkey not in known:
            write(ledger, item, coldkey, value=[*known, hotkey])


def ensure_owner(ledger: Ledger, origin: Origin, netuid: int) -> str:
    """The signer, who must own the subnet.

    Raises:
        DispatchError: BadOrigin for anybody else.
    """
    who = ensure_signed(origin)
    if read(ledger, "SubnetOwner", netuid) != who:
        raise DispatchError("BadOrigin")
    return who


def ensure_owner_or_root(ledger: Ledger, origin: Origin, netuid: int) -> str | None:
    """The subnet's owner who signed, or None for root.

    Raises:
        DispatchError: BadOrigin for anybody else.
    """
    return None if origin.root else ensure_owner(ledger, origin, netuid)


def set_owner_hotkey(ledger: Ledger, netuid: int, hotkey: str) -> None:
    """Make a hotkey the one that earns a subnet owner's cut."""
    require(not is_subnet_account(hotkey), "CannotUseSystemAccount")
    write(ledger, "SubnetOwnerHotkey", netuid, value=hotkey)
    event(ledger, "SubnetOwnerHotkeySet", [netuid, hotkey])


@call("SubtensorModule", "try_associate_hotkey")
def try_associate_hotkey(ledger: Ledger, origin: Origin, hotkey: str) -> None:
    """Pair a new hotkey with the signer; a known hotkey stays as it is."""
    pair(ledger, ensure_signed(origin), hotkey)
