"""Training algorithms, one file per paper, and how they travel in a manifest."""

from dataclasses import asdict
from typing import Any, cast

from subnetlab.errors import ManifestInvalid
from subnetlab.train import optimizer
from subnetlab.train.optimizer import AdamWConfig, OptimizerConfig
from subnetlab.train.strategies.base import Strategy
from subnetlab.train.strategies.ddp import DDP
from subnetlab.train.strategies.diloco import DiLoCo
from subnetlab.train.strategies.muloco import MuLoCo
from subnetlab.train.strategies.sparseloco import SparseLoCo

__all__ = [
    "DDP",
    "DiLoCo",
    "MuLoCo",
    "SparseLoCo",
    "Strategy",
    "alone_optimizer",
    "ddp_optimizer",
    "from_json",
    "inner_optimizer",
    "to_json",
]

_KINDS: dict[str, type[DDP] | type[DiLoCo] | type[MuLoCo] | type[SparseLoCo]] = {
    "DDP": DDP, "DiLoCo": DiLoCo, "MuLoCo": MuLoCo, "SparseLoCo": SparseLoCo,
}  # fmt: skip


def inner_optimizer(strategy: Strategy) -> OptimizerConfig:
    """What a strategy's miners step with unless a run says otherwise: Muon for MuLoCo, AdamW else."""
    return strategy.optimizer if isinstance(strategy, MuLoCo) else AdamWConfig()


def alone_optimizer(strategy: Strategy, config: OptimizerConfig) -> OptimizerConfig:
    """A run's optimizer at the rate at which one miner by itself does best, for the baseline."""
    return strategy.alone_optimizer(config) if isinstance(strategy, MuLoCo) else config


def ddp_optimizer(strategy: Strategy, config: OptimizerConfig) -> OptimizerConfig:
    """A run's optimizer at the rate at which synchronous data parallelism does best, for the baseline."""
    return strategy.ddp_optimizer(config) if isinstance(strategy, MuLoCo) else config


def to_json(strategy: Strategy) -> dict[str, Any]:
    """A strategy with every option in JSON types."""
    options = {"kind": type(strategy).__name__, **asdict(cast("Any", strategy))}
    if isinstance(strategy, DDP):
        options["optimizer"] = strategy.optimizer.to_json()
    if not options.get("local", True):
        # An option that manifests did not have at first is left out at its default: their hashes stay.
        del options["local"]
    return options


def from_json(data: dict[str, Any]) -> Strategy:
    """Read a strategy back.

    Raises:
        ManifestInvalid: an unknown kind or option, or a value out of range.
    """
    kind = _KINDS.get(str(data.get("kind")))
    if kind is None:
        raise ManifestInvalid(
            f"No strategy is called {data.get('kind')!r}.", hint=f"Known: {', '.join(_KINDS)}."
        )
    options = {key: value for key, value in data.items() if key != "kind"}
    try:
        if isinstance(options.get("optimizer"), dict):
            options["optimizer"] = optimizer.from_json(options["optimizer"])
        return kind(**options)
    except (TypeError, ValueError) as error:
        raise ManifestInvalid(f"The strategy's description does not fit: {error}.") from error
