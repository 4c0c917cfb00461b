"""A finished run as one flat dictionary of numbers: what `subnetlab demo` writes and others compare.

Losses in the run's own unit, money in rao or alpha-rao, times in seconds; a number that was not measured is
None.
"""

from collections.abc import Sequence
from typing import Any

from subnetlab.record.events import Spent
from subnetlab.record.view import RunView
from subnetlab.report.verdict import verdict


def summarise(
    view: RunView, spent: Sequence[Spent] = (), *, name: str, initial_loss: float | None = None
) -> dict[str, Any]:
    """The numbers of a run and of what was staked and paid beside it.

    Args:
        view: of a run that has ended.
        spent: what was spent in its name, oldest first; the last stake and the last payment are shown.
        name: the run's.
        initial_loss: of the model before its first step; the first recorded loss is its fallback.
    """
    found = verdict(view)
    sooner = found.speed_up
    miners = [
        {
            "uid": uid,
            "hotkey": view.hotkey(uid),
            "role": view.role(uid),
            "score": view.miners[uid].score if uid in view.miners else None,
            "incentive": view.pay.incentive(uid),
            "emission_alpha_rao": view.pay.total(uid),
        }
        for uid in view.peers
    ]
    return {
        "run": name,
        "status": str(view.status()),
        "rounds": found.rounds,
        "val_loss_first": found.loss_first if initial_loss is None else initial_loss,
        "val_loss_last": found.loss_last,
        "val_loss_alone": found.loss_baseline,
        "val_loss_ddp": found.loss_ddp,
        "gap_closed": found.gap_closed,
        "gap_closed_why_not": found.gap.why_not or None,
        "speed_up": sooner.ratio if sooner else None,
        "speed_up_bound": sooner.bound if sooner else None,
        "speed_up_processor": found.processor_speed_up,
        "baselines": {name: curve.final for name, curve in view.baselines.items()},
        "processor_s": found.cpu_s.to_json(),
        "energy_j": found.energy_j,
        "wire_bytes_per_miner_round": found.wire_bytes,
        "dense_bytes_per_miner_round": found.dense_bytes,
        "chain_wait_share": found.chain_wait_share,
        "miners": miners,
        "paid": _last(spent, "pay"),
        "staked": _last(spent, "stake"),
        "blocks": view.block,
        "run_wall_s": view.ended.wall_s if view.ended else None,
    }


def _last(spent: Sequence[Spent], what: str) -> dict[str, Any] | None:
    found = [spend for spend in spent if spend.what == what]
    return {"tx": found[-1].tx, "amount_rao": found[-1].amount_rao} if found else None
