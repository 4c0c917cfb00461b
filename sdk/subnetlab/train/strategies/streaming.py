"""Streaming DiLoCo: a fragment of the model each round, while the miners' own weights train on.

Paper: "Streaming DiLoCo with overlapping communication", arXiv 2501.18512. As there: fragments of layers,
strided; each is synchronised every `fragments` rounds, in turn; a miner trains on while a fragment travels,
and mixes what comes back with what it has; four bits a value; Nesterov outside, for each fragment alone.
Different: a round of this protocol is the time between two fragments, so that H is `fragments * inner_steps`;
a tensor outside numbered layers counts as a layer of its module; what was judged and saved is the weights
that all peers agree on, never a miner's own. A payload goes through its whole round, from the store to the
aggregate that is read back, during the last `overlap` steps; what comes back is mixed in before the next
round's first step. Fragments are clipped to the median norm of each tensor.
Shapes: P parameters, N parameters of a fragment.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from subnetlab.errors import ArgumentInvalid
from subnetlab.train.choices import Clip
from subnetlab.train.strategies.base import Codec, LocalUpdate, OnFixed, OnStep, OuterNesterov, Progress

if TYPE_CHECKING:
    from torch import Tensor

    from subnetlab.train.payload.float4 import Float4Codec
    from subnetlab.train.payload.sparse import State
    from subnetlab.train.payload.update import Update
    from subnetlab.train.tasks.base import Batch
    from subnetlab.train.theta import FlatModel, Layout

_MOST_FRAGMENTS: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamingDiLoCo(OuterNesterov):
    """DiLoCo that never sends the whole model at once."""

    inner_steps: int = 5
    """Between two payloads; a fragment comes round every `fragments` times as many."""
    fragments: int = 3
    overlap: int = 1
    """Steps that a miner trains on while its fragment travels, τ."""
    mixing: float = 0.5
    """Share that a miner keeps of its own weights where a fragment comes back, α."""
    clip: Clip = "tensor"
    outer_lr: float = 0.4
    momentum: float = 0.9

    def __post_init__(self) -> None:
        self.check()
        if type(self.fragments) is not int or not 1 <= self.fragments <= _MOST_FRAGMENTS:
            raise ArgumentInvalid(
                "StreamingDiLoCo needs fragments >= 1, a whole number.",
                hint="Give fragments=4, for instance: the parts that are sent in turn.",
            )
        if type(self.overlap) is not int or not 0 <= self.overlap < self.inner_steps:
            raise ArgumentInvalid(
                "StreamingDiLoCo needs 0 <= overlap < inner_steps, a whole number.",
                hint="Give overlap=1, for instance, or more inner_steps.",
            )
        if not 0 <= self.mixing < 1:
            raise ArgumentInvalid(
                "StreamingDiLoCo needs 0 <= mixing < 1.",
                hint="Give mixing=0.5, for instance; 0 takes all of what comes back.",
            )

    def learn(
        self, model: FlatModel, theta_P: Tensor, batches: Iterable[Batch], progress: Progress,
        on_step: OnStep, *, memory: State, on_fixed: OnFixed | None = None,
    ) -> LocalUpdate:  # fmt: skip
        """Train on from the miner's own weights; the difference is taken before the last `overlap` steps."""
        import torch  # noqa: PLC0415  (a strategy is an option before it trains)

        from subnetlab.train.devices import CPU  # noqa: PLC0415  (loads torch)

        model.load(self._own(theta_P, model.layout, progress.round, memory))
        delta_P: Tensor | None = None
        losses: list[float] = []
        for index, batch in enumerate(batches):
            losses.append(model.differentiate(batch))
            rate = model.config.rate(progress.first_step + index, progress.steps)
            model.optimizer.step(model.theta_P, model.gradient_P, rate)
            on_step(index, losses[-1])
            if index == progress.inner_steps - 1 - self.overlap:
                delta_P = model.moved_from(theta_P)
                if on_fixed is not None:
                    on_fixed(delta_P)
        memory["own"], memory["round"] = model.theta_P.to(CPU, copy=True), torch.tensor(progress.round)
        return LocalUpdate(model.moved_from(theta_P) if delta_P is None else delta_P, losses)

    def codec(self, layout: Layout, round_: int = 0) -> Codec:
        """Four bits for each value of the round's fragment."""
        return self._fragment(layout, round_)

    def apply(self, theta_P: Tensor, aggregate: Update, outer: State, progress: Progress) -> None:
        """One Nesterov step of the fragment that moves; the velocity of the others stays as it is."""
        del progress
        velocity_P = outer.setdefault("velocity", theta_P.new_zeros(theta_P.shape))
        at_N = aggregate.positions_N
        assert at_N is not None
        velocity_N = velocity_P[at_N] * self.momentum
        velocity_N += aggregate.values_N
        velocity_P[at_N] = velocity_N
        theta_P[at_N] -= (velocity_N * self.momentum + aggregate.values_N) * self.outer_lr

    def _own(self, theta_P: Tensor, layout: Layout, round_: int, memory: State) -> Tensor:
        """Where a miner goes on: its own weights, mixed with θ in the fragment of the round before.

        A miner that missed a round starts from θ, as one does that has just come.
        """
        own_P, last = memory.get("own"), memory.get("round")
        if own_P is None or last is None or int(last) != round_ - 1 or not bool(own_P.isfinite().all()):
            return theta_P
        at_N = self._fragment(layout, round_ - 1).positions()
        mixed_P = own_P.clone()
        mixed_P[at_N] = own_P[at_N] * self.mixing + theta_P[at_N] * (1 - self.mixing)
        return mixed_P

    def _fragment(self, layout: Layout, round_: int) -> Float4Codec:
        from subnetlab.train.payload.float4 import Float4Codec  # noqa: PLC0415  (loads torch)

        parts = fragments_of(layout, self.fragments)
        return Float4Codec(layout, parts[round_ % len(parts)])


@functools.lru_cache(maxsize=8)
def fragments_of(layout: Layout, count: int) -> tuple[tuple[int, ...], ...]:
    """The tensors of each fragment, by their place in the layout: layer i is in fragment i modulo `count`.

    A model of fewer layers has as many fragments as layers.
    """
    layers = [_layer(name) for name, _ in layout.tensors]
    order = list(dict.fromkeys(layers))
    count = min(count, len(order))
    return tuple(
        tuple(index for index, layer in enumerate(layers) if order.index(layer) % count == fragment)
        for fragment in range(count)
    )


def _layer(name: str) -> str:
    """What a tensor belongs to: its numbered layer (`blocks.0`), else its module."""
    *modules, _ = parts = name.split(".")
    for place, part in enumerate(modules):
        if part.isdecimal():
            return ".".join(modules[: place + 1])
    return ".".join(modules) or parts[-1]
