"""SparseLoCo: local AdamW steps, then the largest 1.56 % of the difference in two bits each.

Paper: "Communication Efficient LLM Pre-training with SparseLoCo", arXiv 2508.15706. Defaults as in the
Covenant-72B run except `inner_steps` (30 there), `outer_lr` and `bins`. The mean over contributors follows
the released code; the paper writes the mean over all peers, which is `mean="all"`. `bins="sigma"` is the
released code's way to cut values into four; "sign" takes as many bytes and learned faster in our comparison.
`local=True` is not in the paper: it took 0.07 nats off at k=64 on `TinyGPT("demo")`. No outer momentum.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from torch import Tensor

from subnetlab.errors import ArgumentInvalid
from subnetlab.train.aggregate import Clip, Mean, average, clip_to_median
from subnetlab.train.payload.quantise import Bins
from subnetlab.train.payload.sparse import SparseCodec, State
from subnetlab.train.payload.update import Update
from subnetlab.train.strategies.base import Codec, LocalUpdate, OnStep, Progress, inner_loop
from subnetlab.train.tasks.base import Batch
from subnetlab.train.theta import FlatModel, Layout


@dataclass(frozen=True, slots=True, kw_only=True)
class SparseLoCo:
    """The default strategy."""

    inner_steps: int = 15
    k: int = 64
    """Values kept of each chunk."""
    chunk: int = 4096
    feedback: float = 0.95
    """Share of what was not sent that the next round still remembers."""
    bins: Bins = "sign"
    """How two bits are spent; "sigma" is the released code's way (see `payload.quantise`)."""
    mean: Mean = "contributors"
    clip: Clip = "tensor"
    outer_lr: float = 1.0
    local: bool = False
    """Whether a round's steps start from θ minus what the miner has not sent yet, instead of from θ."""

    def __post_init__(self) -> None:
        if not (self.inner_steps >= 1 and 1 <= self.k <= self.chunk <= 1 << 20):
            raise ArgumentInvalid("SparseLoCo needs inner_steps >= 1 and 1 <= k <= chunk")
        if not (0 <= self.feedback <= 1 and self.outer_lr > 0):
            raise ArgumentInvalid("SparseLoCo needs 0 <= feedback <= 1 and outer_lr > 0")

    @property
    def trial_rate(self) -> float:
        """How far a lone update moves θ when a validator tries it."""
        return self.outer_lr

    def start(self, theta_P: Tensor, layout: Layout, memory: State) -> Tensor:
        """Where a miner's inner steps start from."""
        rest_P = self._codec(layout).rest(memory) if self.local else None
        return theta_P if rest_P is None else theta_P - rest_P

    def learn(
        self, model: FlatModel, theta_P: Tensor, batches: Iterable[Batch], progress: Progress, on_step: OnStep
    ) -> LocalUpdate:
        """Take the inner steps."""
        return inner_loop(model, theta_P, batches, progress, on_step)

    def codec(self, layout: Layout) -> Codec:
        """Top-k, two bits, error feedback."""
        return self._codec(layout)

    def combine(self, updates: Sequence[Update], layout: Layout) -> Update:
        """Clip to the median norm, then average."""
        return average(clip_to_median(updates, layout, self.clip), layout.size, self.mean)

    def apply(self, theta_P: Tensor, aggregate: Update, outer: State, progress: Progress) -> None:  # noqa: ARG002
        """One step against the aggregate."""
        aggregate.subtract_from(theta_P, self.outer_lr)

    def _codec(self, layout: Layout) -> SparseCodec:
        return SparseCodec(layout, self.k, self.chunk, self.feedback, self.bins)
