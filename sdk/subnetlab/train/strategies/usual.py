"""What a run trains with that names neither strategy nor rate: by its model, its size and its data.

The demonstration's model has rates of its own, which were measured for it. Rows of a table (numbers, classes,
images, a loss of one's own) mostly train a small model for a few dozen rounds: its whole difference is cheap
to send, top-k would hold back what the last rounds need, and a rate for language models is far too low.
Everything else is a language model, where bytes count.
"""

from typing import TYPE_CHECKING, Final

from subnetlab.train.models.tiny_gpt import TinyGPT
from subnetlab.train.optimizer import AdamWConfig, OptimizerConfig
from subnetlab.train.strategies.base import Strategy
from subnetlab.train.strategies.diloco import DiLoCo
from subnetlab.train.strategies.muloco import MuLoCo
from subnetlab.train.strategies.sparseloco import SparseLoCo

if TYPE_CHECKING:
    from subnetlab.train.models.spec import ModelSpec

SMALL: Final = 1_000_000
"""Parameters up to which every one is sent each round: 4 MB."""
_ROWS_LR: Final = 2e-2


def usual(
    model: "ModelSpec", *, parameters: int, rows: bool, given: Strategy | None = None
) -> tuple[Strategy, OptimizerConfig]:
    """The strategy of a run and what it steps with, where a person names neither or the strategy alone.

    Args:
        model: what is trained.
        parameters: how many of them are trained.
        rows: whether the data is rows of a table, and not a text.
        given: the strategy that a person named.
    """
    if given is not None:
        return given, inner_optimizer(given)
    if isinstance(model, TinyGPT) and model.size == "demo":
        return MuLoCo(), MuLoCo().optimizer
    if rows and parameters <= SMALL:
        return DiLoCo(outer_lr=0.7, momentum=0.5), AdamWConfig(lr=_ROWS_LR)
    return SparseLoCo(), SparseLoCo().optimizer


def inner_optimizer(strategy: Strategy) -> OptimizerConfig:
    """What a run with a strategy steps with unless it says otherwise: Muon for MuLoCo, mostly AdamW."""
    return getattr(strategy, "optimizer", AdamWConfig())  # a strategy of one's own may leave it out
