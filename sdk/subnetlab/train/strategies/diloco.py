"""DiLoCo: local AdamW steps, the whole difference in fp32, Nesterov momentum outside.

Paper: "DiLoCo: Distributed Low-Communication Training of Language Models", arXiv 2311.08105. The effective
outer gain lr / (1 - momentum) = 7 suits rounds of 15 steps and more; with fewer it overshoots. Another
`aggregate` than the mean is not in the paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from subnetlab.train.choices import Clip, Rule
from subnetlab.train.strategies.base import Codec, OuterNesterov
from subnetlab.train.strategies.options import check_rule

if TYPE_CHECKING:
    from subnetlab.train.payload.update import Update
    from subnetlab.train.theta import Layout


@dataclass(frozen=True, slots=True, kw_only=True)
class DiLoCo(OuterNesterov):
    """The dense reference with local steps."""

    inner_steps: int = 15
    outer_lr: float = 0.7
    momentum: float = 0.9
    clip: Clip = "payload"
    aggregate: Rule = "mean"
    """How updates become one; the others hold against hostile miners (see `train.robust`)."""
    hostile: float = 0.3
    """Share of the miners against which such a rule holds."""

    def __post_init__(self) -> None:
        self.check()
        check_rule(self, self.aggregate, self.hostile)

    def codec(self, layout: Layout, round_: int = 0) -> Codec:
        """Plain fp32."""
        from subnetlab.train.payload.dense import DenseCodec  # noqa: PLC0415  (loads torch)

        del round_
        return DenseCodec(layout)

    def combine(self, updates: Sequence[Update], layout: Layout) -> Update:
        """Clip to the median norm, then combine by the rule."""
        from subnetlab.train.aggregate import clip_to_median  # noqa: PLC0415  (loads torch)
        from subnetlab.train.robust import combined  # noqa: PLC0415

        clipped = clip_to_median(updates, layout, self.clip)
        return combined(clipped, layout.size, self.aggregate, self.hostile)
