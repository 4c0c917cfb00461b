"""DiLoCo: local AdamW steps, the whole difference in fp32, Nesterov momentum outside.

Paper: "DiLoCo: Distributed Low-Communication Training of Language Models", arXiv 2311.08105. The effective
outer gain lr / (1 - momentum) = 7 suits rounds of 15 steps and more; with fewer it overshoots.
"""

from dataclasses import dataclass

from subnetlab.train.aggregate import Clip
from subnetlab.train.payload.dense import DenseCodec
from subnetlab.train.strategies.base import Codec, OuterNesterov
from subnetlab.train.theta import Layout


@dataclass(frozen=True, slots=True, kw_only=True)
class DiLoCo(OuterNesterov):
    """The dense reference with local steps."""

    inner_steps: int = 15
    outer_lr: float = 0.7
    momentum: float = 0.9
    clip: Clip = "payload"

    def __post_init__(self) -> None:
        self.check()

    def codec(self, layout: Layout, round_: int = 0) -> Codec:
        """Plain fp32."""
        del round_
        return DenseCodec(layout)
