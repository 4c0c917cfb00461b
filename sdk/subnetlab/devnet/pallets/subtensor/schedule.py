"""When a subnet's next epoch falls, and when its owner may change it.

Shared by the rules that look ahead: the admin freeze window, commit-reveal, the root registration interval
and the runtime APIs. It runs no epoch. Source: `coinbase/run_coinbase.rs` (should_run_epoch and its
neighbours), `coinbase/tempo_control.rs`, `utils/misc.rs`.
"""

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import Origin, call
from subnetlab.devnet.pallets.subtensor import keys, limits
from subnetlab.devnet.pallets.subtensor.entries import event, is_subnet, number, read, require, write
from subnetlab.units import U64_MAX

MIN_TEMPO, MAX_TEMPO = 360, 50_400
"""Bounds of the tempo an owner may choose; root may choose any."""
MIN_CUTOFF_MILLI, MAX_CUTOFF_MILLI = 1_000, 50_000


def is_epoch_due(ledger: Ledger, netuid: int) -> bool:
    """Whether a subnet's epoch runs in this block."""
    tempo, now = number(ledger, "Tempo", netuid), ledger.block_number
    if tempo == 0:
        return False
    pending = number(ledger, "PendingEpochAt", netuid)
    if 0 < pending <= now or number(ledger, "BlocksSinceLastStep", netuid) > MAX_TEMPO:
        return True
    return now - number(ledger, "LastEpochBlock", netuid) >= tempo


def blocks_until_epoch(ledger: Ledger, netuid: int) -> int:
    """Blocks until the tempo alone brings the next epoch; the largest u64 where it never does."""
    tempo = number(ledger, "Tempo", netuid)
    if tempo == 0:
        return U64_MAX
    return max(number(ledger, "LastEpochBlock", netuid) + tempo - ledger.block_number, 0)


def next_epoch_block(ledger: Ledger, netuid: int) -> int | None:
    """The block of the next epoch, triggered or due, or None where none ever comes."""
    tempo = number(ledger, "Tempo", netuid)
    if tempo == 0:
        return None
    due = number(ledger, "LastEpochBlock", netuid) + tempo
    pending = number(ledger, "PendingEpochAt", netuid)
    return min(due, pending) if pending else due


def epoch_index(ledger: Ledger, netuid: int) -> int:
    """How many epochs a subnet has had, counting one that runs in this block."""
    return number(ledger, "SubnetEpochIndex", netuid) + is_epoch_due(ledger, netuid)


def is_frozen(ledger: Ledger, netuid: int) -> bool:
    """Whether the next epoch is so close that hyperparameters are frozen."""
    if number(ledger, "Tempo", netuid) == 0:
        return False
    if number(ledger, "PendingEpochAt", netuid) > ledger.block_number:
        return True
    return blocks_until_epoch(ledger, netuid) < number(ledger, "AdminFreezeWindow")


def ensure_window_open(ledger: Ledger, netuid: int) -> None:
    """Refuse a change inside the admin freeze window.

    Raises:
        DispatchError: AdminActionProhibitedDuringWeightsWindow.
    """
    require(not is_frozen(ledger, netuid), "AdminActionProhibitedDuringWeightsWindow")


def apply_tempo(ledger: Ledger, netuid: int, tempo: int) -> None:
    """Change the tempo and start a new cycle at this block."""
    write(ledger, "Tempo", netuid, value=tempo)
    event(ledger, "TempoSet", [netuid, tempo])
    write(ledger, "LastEpochBlock", netuid, value=ledger.block_number)


@call("SubtensorModule", "set_tempo")
def set_tempo(ledger: Ledger, origin: Origin, netuid: int, tempo: int) -> None:
    """Change a subnet's tempo: root to anything, its owner within the chain's bounds and now and then.

    Raises:
        DispatchError: in order BadOrigin, SubnetNotExists, TempoOutOfBounds,
            AdminActionProhibitedDuringWeightsWindow, TxRateLimitExceeded.
    """
    who = keys.ensure_owner_or_root(ledger, origin, netuid)
    require(is_subnet(ledger, netuid), "SubnetNotExists")
    require(who is None or MIN_TEMPO <= tempo <= MAX_TEMPO, "TempoOutOfBounds")
    ensure_window_open(ledger, netuid)
    if who is not None:
        passes = limits.passes_for(ledger, who, netuid, limits.TEMPO_UPDATE, MIN_TEMPO)
        require(passes, "TxRateLimitExceeded")
        limits.mark_for(ledger, who, netuid, limits.TEMPO_UPDATE)
    apply_tempo(ledger, netuid, tempo)


@call("SubtensorModule", "set_activity_cutoff_factor")
def set_activity_cutoff_factor(ledger: Ledger, origin: Origin, netuid: int, factor_milli: int) -> None:
    """Set after how many thousandths of a tempo a silent validator counts as inactive."""
    who = keys.ensure_owner_or_root(ledger, origin, netuid)
    require(MIN_CUTOFF_MILLI <= factor_milli <= MAX_CUTOFF_MILLI, "ActivityCutoffFactorMilliOutOfBounds")
    if who is not None:
        ensure_window_open(ledger, netuid)
        ensure_owner_limit(ledger, netuid, "ActivityCutoffFactorMilli")
        limits.mark(ledger, limits.owner_key(netuid, "ActivityCutoffFactorMilli"))
    write(ledger, "ActivityCutoffFactorMilli", netuid, value=factor_milli)
    event(ledger, "ActivityCutoffFactorMilliSet", {"netuid": netuid, "factor_milli": factor_milli})


@call("SubtensorModule", "trigger_epoch")
def trigger_epoch(ledger: Ledger, origin: Origin, netuid: int) -> None:
    """Let a subnet's owner bring the next epoch forward, one freeze window from now."""
    who = keys.ensure_owner(ledger, origin, netuid)
    require(not read(ledger, "CommitRevealWeightsEnabled", netuid), "DynamicTempoBlockedByCommitReveal")
    require(number(ledger, "PendingEpochAt", netuid) == 0, "EpochTriggerAlreadyPending")
    window = number(ledger, "AdminFreezeWindow")
    require(blocks_until_epoch(ledger, netuid) >= window, "AutoEpochAlreadyImminent")
    ensure_owner_limit(ledger, netuid, "TriggerEpoch")
    fires_at = ledger.block_number + window
    write(ledger, "PendingEpochAt", netuid, value=fires_at)
    limits.mark(ledger, limits.owner_key(netuid, "TriggerEpoch"))
    event(ledger, "EpochTriggered", {"netuid": netuid, "by": who, "fires_at": fires_at})


def ensure_owner_limit(ledger: Ledger, netuid: int, hyperparameter: str) -> None:
    """Refuse an owner who changed the same hyperparameter too few tempos ago.

    Raises:
        DispatchError: TxRateLimitExceeded.
    """
    blocks = number(ledger, "Tempo", netuid) * number(ledger, "OwnerHyperparamRateLimit")
    require(limits.passes(ledger, limits.owner_key(netuid, hyperparameter), blocks), "TxRateLimitExceeded")
