"""Training algorithms, one file per paper, and how they travel in a manifest."""

from dataclasses import asdict, replace
from typing import Any, Final, cast

from subnetlab.errors import ManifestInvalid, ManifestOfAnotherVersion
from subnetlab.signatures import known_fields
from subnetlab.train import optimizer
from subnetlab.train.optimizer import OptimizerConfig
from subnetlab.train.strategies.base import Strategy
from subnetlab.train.strategies.ddp import DDP
from subnetlab.train.strategies.demo import DeMo
from subnetlab.train.strategies.diloco import DiLoCo
from subnetlab.train.strategies.muloco import MuLoCo
from subnetlab.train.strategies.sparseloco import SparseLoCo
from subnetlab.train.strategies.streaming import StreamingDiLoCo
from subnetlab.train.strategies.usual import inner_optimizer, usual

__all__ = [
    "DDP",
    "DeMo",
    "DiLoCo",
    "MuLoCo",
    "SparseLoCo",
    "Strategy",
    "StreamingDiLoCo",
    "alone_optimizer",
    "ddp_optimizer",
    "from_json",
    "inner_optimizer",
    "stepping_with",
    "to_json",
    "usual",
]

_KINDS: Final = {kind.__name__: kind for kind in (DDP, DeMo, DiLoCo, MuLoCo, SparseLoCo, StreamingDiLoCo)}
for _name, _kind in _KINDS.items():
    known_fields(f"sl.strategies.{_name}")(_kind)  # a misspelt option is refused with the one that was meant

_LATER: Final = {"local": False, "outer_schedule": "constant"}
"""Options that came after the first manifests, with their defaults."""


def stepping_with(strategy: Strategy, config: OptimizerConfig) -> Strategy:
    """The strategy, with a run's optimizer outside where its outer step is the optimizer.

    Raises:
        ManifestInvalid: it takes that step with another optimizer.
    """
    if not isinstance(strategy, DDP | DeMo):
        return strategy
    if type(config) is not type(strategy.optimizer):
        raise ManifestInvalid(
            f"{type(strategy).__name__} steps with {type(strategy.optimizer).__name__}.",
            hint=f"Leave out optimizer=, or give sl.optimizers.{type(strategy.optimizer).__name__}(…).",
        )
    return replace(cast("Any", strategy), optimizer=config)


def alone_optimizer(strategy: Strategy, config: OptimizerConfig) -> OptimizerConfig:
    """A run's optimizer at the rate at which one miner by itself does best, for the baseline."""
    return strategy.alone_optimizer(config) if isinstance(strategy, MuLoCo) else config


def ddp_optimizer(strategy: Strategy, config: OptimizerConfig) -> OptimizerConfig:
    """A run's optimizer at the rate at which synchronous data parallelism does best, for the baseline."""
    return strategy.ddp_optimizer(config) if isinstance(strategy, MuLoCo) else config


def to_json(strategy: Strategy) -> dict[str, Any]:
    """A strategy with every option in JSON types."""
    options = {"kind": type(strategy).__name__, **asdict(cast("Any", strategy))}
    if isinstance(strategy, DDP | DeMo):
        options["optimizer"] = strategy.optimizer.to_json()
    # An option that manifests did not have at first is left out at its default: their hashes stay.
    options = {name: value for name, value in options.items() if (name, value) not in _LATER.items()}
    if options.get("aggregate") == "mean":
        del options["aggregate"], options["hostile"]
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
        raise ManifestOfAnotherVersion(f"The strategy's description does not fit: {error}.") from error
