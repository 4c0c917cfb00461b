"""A finished run as one flat dictionary of numbers: what `subnetlab demo` writes and others compare.

Losses in nats per byte, money in rao or alpha-rao, times in seconds; a number that was not measured is None.
"""

from collections.abc import Sequence
from typing import Any

from subnetlab.lab.run import Run
from subnetlab.record.events import Spent


def summarise(
    run: Run, spent: Sequence[Spent] = (), *, val_loss_untrained: float | None = None
) -> dict[str, Any]:
    """The numbers of a run and of what was staked and paid beside it.

    Args:
        run: a run that has ended.
        spent: what was spent in its name, oldest first; the last stake and the last payment are shown.
        val_loss_untrained: of the model before its first step; the first recorded loss stands in for it.
    """
    tally, verdict = run.tally, run.verdict()
    miners = [
        {
            "uid": uid,
            "hotkey": tally.hotkey(uid),
            "role": tally.role(uid),
            "score": tally.miners[uid].mean_score if uid in tally.miners else None,
            "incentive": tally.incentive(uid),
            "emission_alpha_rao": tally.paid(uid),
        }
        for uid in tally.uids("miner", "free_rider", "validator")
    ]
    return {
        "run": run.id,
        "status": run.status,
        "rounds": verdict.rounds,
        "val_loss_first": verdict.loss_first if val_loss_untrained is None else val_loss_untrained,
        "val_loss_last": verdict.loss_last,
        "val_loss_alone": verdict.loss_alone,
        "wire_bytes_per_miner_round": verdict.wire_bytes,
        "dense_bytes_per_miner_round": verdict.dense_bytes,
        "chain_wait_share": verdict.chain_wait_share,
        "miners": miners,
        "paid": _last(spent, "pay"),
        "staked": _last(spent, "stake"),
        "blocks": tally.block,
        "run_wall_s": tally.ended.wall_s if tally.ended else None,
    }


def _last(spent: Sequence[Spent], what: str) -> dict[str, Any] | None:
    found = [spend for spend in spent if spend.what == what]
    return {"tx": found[-1].tx, "amount_rao": found[-1].amount_rao} if found else None
