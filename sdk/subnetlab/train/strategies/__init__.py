"""Training algorithms, one file per paper, and how they travel in a manifest."""

from dataclasses import asdict
from typing import Any, cast

from subnetlab.errors import ManifestInvalid
from subnetlab.train.optimizer import AdamWConfig
from subnetlab.train.strategies.base import Strategy
from subnetlab.train.strategies.ddp import DDP
from subnetlab.train.strategies.diloco import DiLoCo
from subnetlab.train.strategies.sparseloco import SparseLoCo

__all__ = ["DDP", "DiLoCo", "SparseLoCo", "Strategy", "from_json", "to_json"]

_KINDS: dict[str, type[DDP] | type[DiLoCo] | type[SparseLoCo]] = {
    "DDP": DDP, "DiLoCo": DiLoCo, "SparseLoCo": SparseLoCo,
}  # fmt: skip


def to_json(strategy: Strategy) -> dict[str, Any]:
    """A strategy with every option in JSON types."""
    return {"kind": type(strategy).__name__, **asdict(cast("Any", strategy))}


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
            options["optimizer"] = AdamWConfig(**options["optimizer"])
        return kind(**options)
    except (TypeError, ValueError) as error:
        raise ManifestInvalid(f"The strategy's description does not fit: {error}.") from error
