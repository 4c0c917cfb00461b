"""From accepted updates to one: clip to the median norm, then average, so that anyone gets the same bits.

Updates come in uid order and are added in that order in fp32; norms are summed in float64 over tensors.
`mean="contributors"` divides each parameter by the number of peers that sent it, as SparseLoCo's released
code does; `mean="all"` by the number of peers. Clipping bounds what one peer can do, gating must exclude it.
Shapes: M peers, N moved parameters, P parameters, T tensors.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subnetlab.train.choices import Clip, Mean
from subnetlab.train.payload import container
from subnetlab.train.payload.update import Update
from subnetlab.train.theta import Layout

FORM: Final = "aggregate/1"
_LARGEST: Final = 1e6
_STRETCH: Final = 1 << 15
"""Values whose squares are added in one go."""


def tensor_norms(update: Update, layout: Layout) -> NDArray[np.float64]:
    """The norm of an update in each tensor of the layout."""
    return _norms(update, _tensor_of(update, layout), layout)


def norm(update: Update) -> float:
    """The norm of a whole update."""
    return float(np.sqrt((update.values_N.numpy().astype(np.float64) ** 2).sum()))


def clip_to_median(updates: Sequence[Update], layout: Layout, clip: Clip) -> list[Update]:
    """Shorten every update to the median norm of all, per tensor or as a whole."""
    if clip == "none" or len(updates) < 2:
        return list(updates)
    if clip == "payload":
        norms_M = np.array([norm(update) for update in updates])
        factors_M = _factors(norms_M, np.median(norms_M))
        return [
            update.scaled(torch.tensor(float(f), dtype=torch.float32))
            for update, f in zip(updates, factors_M, strict=True)
        ]
    tensors = [_tensor_of(update, layout) for update in updates]
    norms_MT = np.stack([_norms(update, t, layout) for update, t in zip(updates, tensors, strict=True)])
    factors_MT = _factors(norms_MT, np.median(norms_MT, axis=0)).astype(np.float32)
    return [
        _scaled(update, factors_T, tensor_N, layout)
        for update, factors_T, tensor_N in zip(updates, factors_MT, tensors, strict=True)
    ]


def average(updates: Sequence[Update], size: int, mean: Mean) -> Update:
    """The mean of updates, in their order; sparse if all of them are.

    Raises:
        ValueError: there are no updates.
    """
    if not updates:
        raise ValueError("nothing to average")
    sum_P = torch.zeros(size)
    if any(update.positions_N is None for update in updates):
        return _dense_average(updates, sum_P, mean)
    senders_P = np.zeros(size, dtype=np.min_scalar_type(len(updates)))
    for update in updates:
        assert update.positions_N is not None
        # Positions are unique within a peer, so the order inside one addition does not matter.
        sum_P.index_add_(0, update.positions_N, update.values_N)
        senders_P[update.positions_N.numpy()] += 1
    moved = np.flatnonzero(senders_P != 0)
    positions_N = torch.from_numpy(moved)
    divisor = len(updates) if mean == "all" else torch.from_numpy(senders_P[moved].astype(np.float32))
    return Update(positions_N, sum_P[positions_N] / divisor)


def _dense_average(updates: Sequence[Update], sum_P: Tensor, mean: Mean) -> Update:
    """The mean where some updates move every parameter, added to a vector of zeros."""
    senders_P = torch.zeros_like(sum_P) if mean == "contributors" else None
    for update in updates:
        places: Tensor | slice = slice(None) if update.positions_N is None else update.positions_N
        if isinstance(places, slice):
            sum_P += update.values_N
        else:
            sum_P.index_add_(0, places, update.values_N)
        if senders_P is not None:
            senders_P[places] += 1
    return Update(None, sum_P.div_(len(updates) if senders_P is None else senders_P.clamp_(min=1)))


def write(aggregate: Update, layout: Layout) -> bytes:
    """The aggregate as an object: a bit per parameter that moves, then the values in order of position."""
    values_N = aggregate.values_N.numpy().astype("<f4", copy=False)
    if aggregate.positions_N is None:
        return container.write({"values": values_N}, {"form": FORM, "moved": "all"})
    moved_P = np.zeros(layout.size, dtype=np.uint8)
    moved_P[aggregate.positions_N.numpy()] = 1
    return container.write(
        {"values": values_N, "moved": np.packbits(moved_P)}, {"form": FORM, "moved": "some"}
    )


def read(data: bytes, layout: Layout) -> Update:
    """Read an aggregate; its hash says who wrote it, not that it is well formed.

    Raises:
        PayloadRejected: anything that `write` would not make for this layout.
    """
    size = layout.size
    mask = -(-size // 8)
    values_part = container.Part("F32", 0, size)
    moved_form = container.metadata(data).get("moved")
    if moved_form not in ("all", "some"):
        raise container.malformed("it does not say which parameters move")
    sparse = moved_form == "some"
    parts = (
        {"values": values_part, "moved": container.Part("U8", mask, mask)}
        if sparse
        else {"values": values_part}
    )
    arrays, _ = container.read(data, parts, FORM)
    values_N = torch.from_numpy(container.finite(arrays["values"], _LARGEST).astype(np.float32))
    if not sparse:
        if len(values_N) != size:
            raise container.malformed("a dense aggregate of another size")
        return Update(None, values_N)
    moved = np.unpackbits(arrays["moved"])
    positions = np.flatnonzero(moved)
    if moved[size:].any() or len(positions) != len(values_N):
        raise container.malformed("its positions and values do not match")
    return Update(torch.from_numpy(positions), values_N)


def limit(layout: Layout) -> int:
    """Most bytes an aggregate of this layout can take."""
    return 8 + container.HEADER_LIMIT + layout.dense_bytes + -(-layout.size // 8)


def _factors(norms: NDArray[np.float64], median: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
    limits = np.broadcast_to(median, norms.shape)
    return np.where(norms > limits, limits / np.where(norms > 0, norms, 1.0), 1.0)


def _tensor_of(update: Update, layout: Layout) -> NDArray[np.int64] | None:
    """Which tensor each moved parameter belongs to; None where every parameter moves."""
    if update.positions_N is None:
        return None
    ends = np.array([end for _, end in layout.spans()])
    return np.searchsorted(ends, update.positions_N.numpy(), side="right")


def _norms(update: Update, tensor_N: NDArray[np.int64] | None, layout: Layout) -> NDArray[np.float64]:
    if tensor_N is None:
        return np.array([_norm(update.values_N[start:end]) for start, end in layout.spans()])
    squares_N = update.values_N.numpy().astype(np.float64) ** 2
    return np.sqrt(np.bincount(tensor_N, weights=squares_N, minlength=len(layout.tensors)))


def _norm(values_N: Tensor) -> float:
    """The norm of a part, its squares added one after the other, a stretch that fits the cache at a time."""
    total = 0.0
    for stretch in values_N.split(_STRETCH) if len(values_N) else ():
        squares = stretch.double().square_()
        squares[0] += total
        total = float(squares.cumsum(0)[-1])
    return math.sqrt(total)


def _scaled(
    update: Update, factors_T: NDArray[np.float32], tensor_N: NDArray[np.int64] | None, layout: Layout
) -> Update:
    """The update with every tensor multiplied by its factor."""
    if tensor_N is not None:
        return update.scaled(torch.from_numpy(factors_T[tensor_N]))
    values_P = torch.empty_like(update.values_N)
    for (start, end), factor in zip(layout.spans(), factors_T.tolist(), strict=True):
        torch.mul(update.values_N[start:end], factor, out=values_P[start:end])
    return Update(None, values_P)
