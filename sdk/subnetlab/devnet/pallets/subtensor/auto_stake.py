"""Where a coldkey's miner pay is staked by itself; the payout obeys it.

Source: `macros/dispatches.rs` (set_coldkey_auto_stake_hotkey).
"""

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import Origin, call, ensure_signed
from subnetlab.devnet.pallets.subtensor import uids
from subnetlab.devnet.pallets.subtensor.entries import event, is_subnet, read, require, write


@call("SubtensorModule", "set_coldkey_auto_stake_hotkey")
def set_coldkey_auto_stake_hotkey(ledger: Ledger, origin: Origin, netuid: int, hotkey: str) -> None:
    """Choose the hotkey with which the signer's miner pay on a subnet is staked.

    Raises:
        DispatchError: SubnetNotExists, HotKeyNotRegisteredInSubNet, SameAutoStakeHotkeyAlreadySet.
    """
    coldkey = ensure_signed(origin)
    require(is_subnet(ledger, netuid), "SubnetNotExists")
    require(uids.uid_of(ledger, netuid, hotkey) is not None, "HotKeyNotRegisteredInSubNet")
    former: str | None = read(ledger, "AutoStakeDestination", coldkey, netuid)
    require(former != hotkey, "SameAutoStakeHotkeyAlreadySet")
    if former is not None:
        others = [who for who in _followers(ledger, former, netuid) if who != coldkey]
        write(ledger, "AutoStakeDestinationColdkeys", former, netuid, value=others)
    write(ledger, "AutoStakeDestination", coldkey, netuid, value=hotkey)
    followers = [*_followers(ledger, hotkey, netuid), coldkey]
    write(ledger, "AutoStakeDestinationColdkeys", hotkey, netuid, value=followers)
    fields = {"coldkey": coldkey, "netuid": netuid, "hotkey": hotkey}
    event(ledger, "AutoStakeDestinationSet", fields)


def _followers(ledger: Ledger, hotkey: str, netuid: int) -> list[str]:
    return read(ledger, "AutoStakeDestinationColdkeys", hotkey, netuid)
