"""Near copies: payloads closer to another one than honest work ever comes, in this round or the one before.

Payloads stay sealed until every miner has committed, so two that nearly agree come from one work under two
hotkeys, and one that nearly agrees with a payload of the round before is that payload again. How close
honest payloads come depends on model, data and step, so closeness is measured in the round itself: by the
distance, 1 - cosine, to the nearest other payload, at the median miner. Work that is taken from elsewhere
and disguised better is for `evidence` to find.
Shapes: M miners, P parameters, S sampled positions.
"""

import math
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
    _before_MS: Tensor = field(default_factory=lambda: torch.zeros(0, 0))
    """Directions of the last round's payloads at those positions."""
    _uids_before: tuple[int, ...] = ()

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
        before_MS, uids_before, positions_S = self._before_MS, self._uids_before, self._positions_S
        self._positions_S = _drawn(list(updates.values()), size, beacon)
        now_MS, then_MS = _directions([updates[uid] for uid in order], size, self._positions_S, positions_S)
        self._before_MS, self._uids_before = now_MS, tuple(order)
        now_MM = _distances(now_MS, now_MS).fill_diagonal_(math.inf)
        old_MM = _distances(then_MS, before_MS) if uids_before else None
        typical = median_high(now_MM.min(1).values.tolist()) if len(order) >= _FEWEST else 0.0
        limit = max(_EQUAL, self.share * typical)
        copies: dict[int, PayloadRejected] = {}
        for place, uid in enumerate(order):
            alike = _nearest(now_MM[place, :place], order, limit)
            if alike is not None:
                copies[uid] = _refused(f"uid {alike} in the same round")
                continue
            alike = _nearest(old_MM[place], uids_before, limit) if old_MM is not None else None
            if alike is not None:
                copies[uid] = _refused(f"uid {alike} in an earlier round")
        return copies


def _distances(one_MS: Tensor, other_MS: Tensor) -> Tensor:
    """One minus the cosine, between every direction and every other."""
    return 1 - one_MS @ other_MS.T


def _nearest(distance_M: Tensor, uids: Sequence[int], limit: float) -> int | None:
    """The uid of the nearest payload; None where none is nearer than the limit."""
    if not len(distance_M):
        return None
    place = int(distance_M.argmin())
    return uids[place] if float(distance_M[place]) < limit else None


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


def _directions(updates: Sequence[Update], size: int, *places: Tensor) -> list[Tensor]:
    """Every update's direction at each of these sets of positions; one update is laid out at a time."""
    found = [torch.zeros(len(updates), len(positions_S)) for positions_S in places]
    for miner, update in enumerate(updates):
        update_P = update.dense(size)
        for values_MS, positions_S in zip(found, places, strict=True):
            values_MS[miner] = update_P[positions_S]
    return [values_MS / values_MS.norm(dim=1, keepdim=True).clamp(min=1e-30) for values_MS in found]


def _refused(whose: str) -> PayloadRejected:
    return PayloadRejected(f"The payload nearly equals that of {whose}.", reason="copied")
