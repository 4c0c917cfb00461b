"""From which model a miner trained, by the values it states at positions that its round's first block drew.

The positions are unknown before the round opens, and what an earlier round drew says nothing of them. A
miner that fell behind states what it has, and is told by how many rounds; one that states the right values
and trains from others is for an audit to find.
Shapes: S probed positions.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subnetlab.errors import PayloadRejected
from subnetlab.train.audit.report import WorkReport


def check_origin(
    report: WorkReport, theta_P: Tensor, earlier: Sequence[Tensor], positions_S: NDArray[np.int64]
) -> None:
    """Refuse a payload that was trained from another model than the round's.

    Args:
        report: what its miner states.
        theta_P: the model of the round.
        earlier: those of the rounds before, the newest last.
        positions_S: what the block that opened the round drew.

    Raises:
        PayloadRejected: `stale` with the number of rounds behind, or `foreign`.
    """
    at_S = torch.from_numpy(positions_S)
    if _same(report.probes_S, theta_P[at_S]):
        return
    for behind, theirs_P in enumerate(reversed(earlier), 1):
        if _same(report.probes_S, theirs_P[at_S]):
            rounds = "1 round" if behind == 1 else f"{behind} rounds"
            raise PayloadRejected(f"Trained from the model of {rounds} ago.", reason="stale")
    known, far = len(earlier) + 1, _distance(report, theta_P, earlier, at_S)
    raise PayloadRejected(
        f"Trained from a model that is none of this run's last {known}{far}.", reason="foreign"
    )


def _same(stated_S: NDArray[np.float32], values_S: Tensor) -> bool:
    return stated_S.tobytes() == values_S.numpy().astype("<f4", copy=False).tobytes()


def _distance(report: WorkReport, theta_P: Tensor, earlier: Sequence[Tensor], at_S: Tensor) -> str:
    """How far off a model is, in steps of the last round, as Templar's validators estimate it."""
    if not earlier:
        return ""
    now_S = theta_P[at_S].double().numpy()
    step = float(np.abs(now_S - earlier[-1][at_S].double().numpy()).mean())
    apart = float(np.median(np.abs(report.probes_S.astype(np.float64) - now_S)))
    return f": about {apart / step:.0f} rounds' steps away" if step > 0 and np.isfinite(apart) else ""
