"""Inner optimizers on flat vectors, and how they travel in a manifest.

`AdamWConfig`, `MuonConfig` and `SignumConfig` are configurations; `start` makes what steps. AdamW's
description carries no kind, as manifests had it before there was a second optimizer, so that their hashes
stay what they were.
"""

from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from subnetlab.errors import ManifestInvalid
from subnetlab.signatures import known_fields
from subnetlab.text import kind_of
from subnetlab.train.matrices import Tensors, size
from subnetlab.train.optimizer.configs import AdamWConfig, MuonConfig, SignumConfig
from subnetlab.train.optimizer.schedule import SCHEDULES, Schedule

if TYPE_CHECKING:
    from torch import Tensor

    from subnetlab.train.optimizer.adamw import AdamW, clip_norm_
    from subnetlab.train.optimizer.muon import Muon
    from subnetlab.train.optimizer.signum import Signum, descend

__all__ = [
    "AdamW",
    "AdamWConfig",
    "Muon",
    "MuonConfig",
    "Optimizer",
    "OptimizerConfig",
    "Schedule",
    "Signum",
    "SignumConfig",
    "chosen",
    "clip_norm_",
    "descend",
    "from_json",
    "start",
]

OptimizerConfig = AdamWConfig | MuonConfig | SignumConfig

_WORDS: Final[dict[str, type[AdamWConfig] | type[MuonConfig] | type[SignumConfig]]] = {
    "adamw": AdamWConfig, "muon": MuonConfig, "signum": SignumConfig,
}  # fmt: skip
for _config in _WORDS.values():
    known_fields(f"sl.optimizers.{_config.__name__}")(_config)  # refuses a misspelt option

_STEPPING: Final = {
    "AdamW": "adamw", "clip_norm_": "adamw", "Muon": "muon", "Signum": "signum", "descend": "signum",
}  # fmt: skip
"""What loads torch, by the module that holds it."""


def __getattr__(name: str) -> Any:
    """Load what steps when it is asked for: a configuration needs no torch."""
    if name not in _STEPPING:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_STEPPING[name]}"), name)


class Optimizer(Protocol):
    """What steps one flat vector; its moments stay with one miner."""

    def step(self, theta_P: "Tensor", gradient_P: "Tensor", rate: float) -> None:
        """Clip the gradient in place and move `theta_P` in place by one step at `config.rate`."""
        ...

    def moments(self) -> "list[Tensor]":
        """All that it remembers, to be read and written in place, always in one order."""
        ...


def start(config: OptimizerConfig, tensors: Tensors) -> Optimizer:
    """An optimizer with zero moments for the tensors of a layout."""
    from subnetlab.train.optimizer.adamw import AdamW  # noqa: PLC0415  (loads torch)
    from subnetlab.train.optimizer.muon import Muon  # noqa: PLC0415
    from subnetlab.train.optimizer.signum import Signum  # noqa: PLC0415

    if isinstance(config, MuonConfig):
        return Muon(config, tensors)
    if isinstance(config, SignumConfig):
        return Signum(config, size(tensors))
    return AdamW(config, size(tensors))


def from_json(data: Mapping[str, Any]) -> OptimizerConfig:
    """Read a configuration back.

    Raises:
        TypeError, ValueError: an unknown kind or option, or a value out of range.
    """
    options = dict(data)
    kind = str(options.pop("kind", "AdamW"))
    config = _WORDS.get(kind.lower())
    if config is None:
        raise ValueError(f"no optimizer is called {kind!r}")
    return config(**options)


def chosen(
    optimizer: "str | OptimizerConfig | None",
    lr: float | None,
    schedule: str | None,
    *,
    default: OptimizerConfig,
) -> OptimizerConfig:
    """The configuration that the arguments of `train` describe.

    Args:
        optimizer: a configuration, or one of the words "adamw", "muon" and "signum"; `default` if None.
        lr: replaces the configuration's largest learning rate (Muon's: that of the hidden matrices).
        schedule: replaces its schedule; "wsd" and "linear" then end at 0.
        default: what the strategy trains with.

    Raises:
        ManifestInvalid: no such optimizer or schedule, or a rate that is no positive number.
    """
    known = f"Give one of {', '.join(map(repr, _WORDS))}, or a configuration such as AdamWConfig(…)."
    if optimizer is None:
        config = default
    elif isinstance(optimizer, OptimizerConfig):
        config = optimizer
    elif isinstance(optimizer, str) and optimizer.lower() in _WORDS:  # pyright: ignore[reportUnnecessaryIsInstance]
        named = _WORDS[optimizer.lower()]
        config = default if isinstance(default, named) else named()
    else:
        given = cast("object", optimizer)
        shown = repr(given) if isinstance(given, str) else kind_of(given)
        raise ManifestInvalid(f"optimizer={shown} is no optimizer.", hint=known)
    if schedule is not None and schedule not in SCHEDULES:
        raise ManifestInvalid(
            f"schedule={schedule!r} is no schedule.", hint=f"Give one of {', '.join(map(repr, SCHEDULES))}."
        )
    if lr is not None and (isinstance(lr, bool) or not isinstance(lr, int | float)):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ManifestInvalid(f"lr={lr!r} is no number.", hint="Give a learning rate such as 1e-3.")
    try:
        if lr is not None:
            config = replace(config, lr=float(lr))
        if schedule is not None:
            floor = 0.0 if schedule in ("wsd", "linear") else config.floor
            config = replace(config, schedule=schedule, floor=floor)
    except ValueError as error:
        said = str(error.args[0]).rstrip(".")  # without its own hint
        raise ManifestInvalid(
            f"The optimizer cannot be: {said}.", hint="Give lr=1e-3, for instance."
        ) from error
    return config
