"""Rules that make one update of many dense ones although some are hostile, each from its paper.

"trimmed_mean": per parameter, without the largest and smallest values; "median": per parameter (both Yin et
al. 2018, arXiv 1803.01498). "krum": the update nearest to its neighbours; "multi_krum": the mean
of those that are (Blanchard et al. 2017, arXiv 1703.02757). "centered_clip": what lies far from the centre is
drawn near before it is averaged (Karimireddy et al. 2021, arXiv 2012.10333); there the centre is the last
round's momentum and the radius an option, here the median and the median distance, so that a round's payloads
alone decide. On sparse payloads such rules leave almost nothing, because most positions have one sender.
Every sum is taken in the order of the updates, so that all peers get the same bits.
Shapes: M updates, P parameters.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subnetlab.train.aggregate import average, norm
from subnetlab.train.choices import Rule
from subnetlab.train.payload.update import Update

_STRETCH: Final = 1 << 16
"""Parameters that are sorted in one go."""
_ROUNDS_OF_CLIPPING: Final = 3


def combined(updates: Sequence[Update], size: int, rule: Rule, hostile: float) -> Update:
    """One update of many, in their order.

    Args:
        updates: dense, or taken as dense.
        size: parameters of the model.
        rule: how.
        hostile: share of the updates against which the rule is to hold, below a half.

    Raises:
        ValueError: there are no updates.
    """
    bad = int(hostile * len(updates))
    if rule == "mean" or len(updates) < 3:
        return average(updates, size, "all")
    dense = [update.dense(size) for update in updates]
    if rule == "trimmed_mean":
        return Update(None, _trimmed_mean(dense, min(bad, (len(dense) - 1) // 2)))
    if rule == "median":
        return Update(None, _trimmed_mean(dense, (len(dense) - 1) // 2))
    if rule == "centered_clip":
        return Update(None, _centered_clip(dense))
    bad = min(bad, (len(dense) - 3) // 2)  # Krum needs 2 f + 3 updates
    best = _krum_order(dense, bad)[: len(dense) - bad if rule == "multi_krum" else 1]
    return average([updates[place] for place in sorted(best)], size, "all")


def _trimmed_mean(dense: Sequence[Tensor], trimmed: int) -> Tensor:
    """Per parameter, the mean of what is left without so many of the largest and of the smallest values."""
    mean_P = torch.empty_like(dense[0])
    for start in range(0, len(mean_P), _STRETCH):
        stretch = slice(start, start + _STRETCH)
        sorted_MP = torch.stack([one_P[stretch] for one_P in dense]).sort(0).values
        kept_MP = sorted_MP[trimmed : len(dense) - trimmed]
        sum_P = kept_MP[0].clone()
        for values_P in kept_MP[1:]:
            sum_P += values_P
        mean_P[stretch] = sum_P / len(kept_MP)
    return mean_P


def _centered_clip(dense: Sequence[Tensor]) -> Tensor:
    """Iterate v + mean of (x - v), each shortened to the median distance from v, from the median on."""
    centre_P = _trimmed_mean(dense, (len(dense) - 1) // 2)
    for _ in range(_ROUNDS_OF_CLIPPING):
        apart = np.array([_norm(one_P - centre_P) for one_P in dense])
        radius = float(np.median(apart))
        moved_P = torch.zeros_like(centre_P)
        for one_P, distance in zip(dense, apart.tolist(), strict=True):
            moved_P += (one_P - centre_P) * (min(1.0, radius / distance) if distance > 0 else 1.0)
        centre_P = centre_P + moved_P / len(dense)
    return centre_P


def _krum_order(dense: Sequence[Tensor], bad: int) -> list[int]:
    """The places of the updates, the one with the nearest neighbours first; of two alike the earlier."""
    count = len(dense)
    squared_MM: NDArray[np.float64] = np.full((count, count), np.inf)
    for one in range(count):
        for other in range(one + 1, count):
            squared_MM[one, other] = squared_MM[other, one] = _norm(dense[one] - dense[other]) ** 2
    nearest_MM = np.sort(squared_MM, axis=1)[:, : count - bad - 2]
    scores = nearest_MM.cumsum(axis=1)[:, -1]
    return np.argsort(scores, kind="stable").tolist()


def _norm(vector_P: Tensor) -> float:
    return norm(Update(None, vector_P))
