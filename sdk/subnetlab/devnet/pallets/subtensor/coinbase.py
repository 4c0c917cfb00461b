"""The block step: emission into subnets, alpha set aside for people, epochs that fall due, prices after.

Runs at the start of every block in the chain's order: burn prices decay (100), coinbase (300), prices and
pending children follow (400); a hook that opens timelocked weights belongs between the first two. Conviction
does not change a subnet's owner, and root dividends are not claimed by themselves (fidelity table).

Source: `coinbase/{block_step,run_coinbase}.rs` of Subtensor at spec 425.
"""

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import on_initialize
from subnetlab.devnet.pallets.subtensor import children, emission, payout, schedule
from subnetlab.devnet.pallets.subtensor.entries import add, entries, event, netuids, number, read, write
from subnetlab.devnet.pallets.subtensor.payout import Pending
from subnetlab.units import ROOT_NETUID
from subnetlab.yuma import emission as rules
from subnetlab.yuma.fixed import U64F64

_PENDING_ITEMS = (
    "PendingServerEmission",
    "PendingValidatorEmission",
    "PendingRootAlphaDivs",
    "PendingOwnerCut",
)


@on_initialize(300)
def run_coinbase(ledger: Ledger) -> None:
    """Emit a block's TAO and alpha, and pay the subnets whose epoch is due."""
    known = netuids(ledger)
    subnets = emission.emitting(ledger, known)
    root_sells = sum(emission.moving_price(ledger, netuid) for netuid in subnets) > U64F64.one
    for netuid, alpha in emission.emit_tao(ledger, subnets).items():
        _set_aside(ledger, netuid, alpha, root_sells=root_sells)
    for netuid, pending in _drain_due(ledger, known):
        payout.distribute(ledger, netuid, pending)
        write(ledger, "LastMechansimStepBlock", netuid, value=ledger.block_number)


@on_initialize(400)
def follow_up(ledger: Ledger) -> None:
    """Move prices after they were used, and let children take effect where an epoch has just run."""
    known = netuids(ledger)
    emission.update_prices(ledger, emission.emitting(ledger, known))
    for netuid in known:
        if number(ledger, "LastEpochBlock", netuid) == ledger.block_number:
            children.apply_pending(ledger, netuid)


def _set_aside(ledger: Ledger, netuid: int, alpha: int, *, root_sells: bool) -> None:
    """Mint a block's alpha for people and add it to what waits for the next epoch."""
    write(ledger, "SubnetAlphaOutEmission", netuid, value=alpha)
    emission.mint_alpha(ledger, netuid, alpha)
    add(ledger, "SubnetAlphaOut", netuid, amount=alpha)
    cut = number(ledger, "SubnetOwnerCut") if read(ledger, "OwnerCutEnabled", netuid) else 0
    split = rules.split_alpha(alpha, owner_cut=cut, root_part=emission.root_share(ledger, netuid))
    add(ledger, "PendingOwnerCut", netuid, amount=split.owner)
    add(ledger, "PendingServerEmission", netuid, amount=split.miners)
    add(ledger, "PendingValidatorEmission", netuid, amount=split.validators)
    if root_sells:
        add(ledger, "PendingRootAlphaDivs", netuid, amount=split.root)
    else:
        emission.recycle_alpha(ledger, netuid, split.root)


def _drain_due(ledger: Ledger, known: list[int]) -> list[tuple[int, Pending]]:
    """Advance the schedule of every known subnet and take what waits where an epoch runs now."""
    drained: list[tuple[int, Pending]] = []
    for netuid in known:
        if netuid == ROOT_NETUID:
            continue
        add(ledger, "BlocksSinceLastStep", netuid, amount=1)
        if not schedule.is_epoch_due(ledger, netuid):
            continue
        if len(drained) >= number(ledger, "MaxEpochsPerBlock"):
            _defer(ledger, netuid)
            continue
        if _has_distinct_hotkeys(ledger, netuid):
            write(ledger, "BlocksSinceLastStep", netuid, value=0)
            drained.append((netuid, Pending(*(_emptied(ledger, item, netuid) for item in _PENDING_ITEMS))))
        else:
            event(ledger, "EpochSkipped", {"netuid": netuid, "block": ledger.block_number})
        write(ledger, "LastEpochBlock", netuid, value=ledger.block_number)
        write(ledger, "PendingEpochAt", netuid, value=0)
        add(ledger, "SubnetEpochIndex", netuid, amount=1)
    return drained


def _defer(ledger: Ledger, netuid: int) -> None:
    now = ledger.block_number
    write(ledger, "PendingEpochAt", netuid, value=now + 1)
    event(ledger, "EpochDeferred", {"netuid": netuid, "from_block": now, "to_block": now + 1})


def _emptied(ledger: Ledger, item: str, netuid: int) -> int:
    amount = number(ledger, item, netuid)
    write(ledger, item, netuid, value=0)
    return amount


def _has_distinct_hotkeys(ledger: Ledger, netuid: int) -> bool:
    hotkeys = [hotkey for _, hotkey in entries(ledger, "Keys", netuid)]
    return len(set(hotkeys)) == len(hotkeys)
