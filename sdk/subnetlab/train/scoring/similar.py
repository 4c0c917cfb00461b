"""Near copies: payloads closer to another one than honest work ever comes, in this round or the one before.

Payloads stay sealed until every miner has committed, so two that nearly agree come from one work under two
hotkeys, and one that nearly agrees with a payload of the round before is that payload again. How close
honest payloads come depends on model, data and step, so closeness is measured in the round itself: by the
distance, 1 - cosine, to the nearest other payload, at the median miner. Work that is taken from elsewhere
and disguised better is for `evidence` to find.
Shapes: M miners, P parameters, S sampled positions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median_high
from typing import Final

import numpy as np
import torch
from torch import Tensor

from subnetlab.errors import PayloadRejected
from subnetlab.train.hashing import stream
from subnetlab.train.payload.update import Update

SAMPLE: Final = 1 << 16
"""Positions that are compared; of a larger model the beacon chooses so many."""
_FEWEST: Final = 4
"""Miners without whom a round has no typical distance, and equal payloads alone are copies."""
_EQUAL: Final = 1e-6
"""Distance that the rounding of equal payloads leaves."""


@dataclass(slots=True)
class NearCopies:
    """What one validator keeps of a round's payloads to compare the next round's with."""

    share: float
    """Of the typical distance; what is closer counts as copied."""
    _positions_S: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.int64))
    _before: dict[int, Tensor] = field(default_factory=dict[int, Tensor])
    """Directions of the last round's payloads at those positions, by uid."""

    def found(
        self, updates: Mapping[int, Update], order: Sequence[int], size: int, beacon: str
    ) -> dict[int, PayloadRejected]:
        """The miners whose payload nearly equals another, each with the reason.

        Args:
            updates: the round's sound payloads, by uid.
            order: their uids; of two alike the first stays.
            size: parameters of the model.
            beacon: hash of the block that the positions are drawn from.
        """
        before, positions_S = self._before, self._positions_S
        self._positions_S = _drawn(list(updates.values()), size, beacon)
        self._before = {uid: _direction(update, size, self._positions_S) for uid, update in updates.items()}
        direction_MS = torch.stack([self._before[uid] for uid in order]) if order else torch.zeros(0, 0)
        limit = max(_EQUAL, self.share * _typical(direction_MS) if len(order) >= _FEWEST else 0.0)
        old = {uid: _direction(updates[uid], size, positions_S) for uid in order} if before else {}
        copies: dict[int, PayloadRejected] = {}
        for place, uid in enumerate(order):
            alike = _nearest(self._before[uid], {o: self._before[o] for o in order[:place]}, limit)
            if alike is not None:
                copies[uid] = _refused(f"uid {alike} in the same round")
                continue
            alike = _nearest(old[uid], before, limit) if before else None
            if alike is not None:
                copies[uid] = _refused(f"uid {alike} in an earlier round")
        return copies


def _typical(direction_MS: Tensor) -> float:
    """The median miner's distance to the payload nearest to its own."""
    distance_MM = 1 - direction_MS @ direction_MS.T
    distance_MM.fill_diagonal_(float("inf"))
    return median_high(distance_MM.min(1).values.tolist())


def _nearest(direction_S: Tensor, others: Mapping[int, Tensor], limit: float) -> int | None:
    """The uid of the nearest other payload; None where it is no nearer than the limit."""
    distances = {uid: 1 - float(direction_S @ other_S) for uid, other_S in others.items()}
    uid = min(distances, key=lambda uid: distances[uid], default=None)
    return uid if uid is not None and distances[uid] < limit else None


def _drawn(updates: Sequence[Update], size: int, beacon: str) -> Tensor:
    """The positions to compare: all that any payload moves, or as many of them as are sampled."""
    moved_P = torch.zeros(size, dtype=torch.bool)
    for update in updates:
        if update.positions_N is None:
            moved_P[:] = True
            break
        moved_P[update.positions_N] = True
    moved_N = moved_P.nonzero().flatten()
    if len(moved_N) <= SAMPLE:
        return moved_N
    drawn_S = np.frombuffer(stream("near-copies", SAMPLE * 8, beacon), dtype="<u8") % np.uint64(len(moved_N))
    return moved_N[torch.from_numpy(np.unique(drawn_S).astype(np.int64))]


def _direction(update: Update, size: int, positions_S: Tensor) -> Tensor:
    values_S = update.dense(size)[positions_S]
    return values_S / values_S.norm().clamp(min=1e-30)


def _refused(whose: str) -> PayloadRejected:
    return PayloadRejected(f"The payload nearly equals that of {whose}.", reason="copied")
