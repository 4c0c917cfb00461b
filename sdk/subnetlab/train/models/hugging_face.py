"""A model of `transformers`, by the name of its class and its configuration.

`transformers` is loaded where such a model is built, and nowhere else; it is no dependency of SubnetLab.
Custom code of a hub repository (`trust_remote_code`) does not travel. A config alone makes the class that it
names, or a causal language model.
"""

import importlib
import json
from dataclasses import dataclass, field
from typing import Any, Final

from torch import Tensor, nn

from subnetlab.errors import ModelNotBuildable

_PACKAGE: Final = "transformers"
_LONGEST: Final = 128
"""Tokens of a sequence unless the caller says more: a context of thousands fits no laptop's minute."""
_LENGTHS: Final = ("n_positions", "max_position_embeddings", "n_ctx", "seq_length")


@dataclass(frozen=True, slots=True, kw_only=True)
class HuggingFace:
    """`architecture` is a class of `transformers`, `config` what its `to_dict` says."""

    architecture: str
    config: dict[str, Any]
    seq_len: int | None = None
    """Tokens per sequence of a language model; None for other tasks."""
    vocab_size: int = 256
    weights: dict[str, Tensor] = field(default_factory=dict[str, Tensor], compare=False, repr=False)
    """An instance's own tensors, on their way to the run's initial ones; not in the manifest."""

    def build(self) -> nn.Module:
        """Make the model with fresh weights from torch's global generator.

        Raises:
            ModelNotBuildable: `transformers` is not installed here, or does not know the model.
        """
        try:
            package = importlib.import_module(_PACKAGE)
        except ImportError as error:
            raise ModelNotBuildable(
                f"{self.architecture} is a model of transformers, which is not installed here.",
                hint="Run `pip install transformers` where the miners run.",
            ) from error
        try:
            config = package.AutoConfig.for_model(**self.config)
            kind = getattr(package, self.architecture)
            made = kind.from_config(config) if self.architecture.startswith("Auto") else kind(config)
        except (ArithmeticError, AttributeError, ImportError, LookupError, TypeError, ValueError) as error:
            raise ModelNotBuildable(
                f"transformers {package.__version__} cannot build {self.architecture}: {error}.",
                hint="Check its name, or give the model itself: subnet.train(model, …).",
            ) from error
        if not isinstance(made, nn.Module):
            raise ModelNotBuildable(
                f"{self.architecture} is no torch.nn.Module.",
                hint="Name the architecture of a model, such as GPT2LMHeadModel.",
            )
        return made

    def to_json(self) -> dict[str, Any]:
        """The specification in JSON types."""
        return {
            "kind": "HuggingFace", "architecture": self.architecture, "config": self.config,
            "seq_len": self.seq_len, "vocab_size": self.vocab_size,
        }  # fmt: skip


def is_model(given: object) -> bool:
    """Whether it is a `PreTrainedModel`, told by what it has and not by importing."""
    return (
        isinstance(given, nn.Module)
        and hasattr(given, "save_pretrained")
        and is_config(getattr(given, "config", None))
    )


def is_config(given: object) -> bool:
    """Whether it is a `PreTrainedConfig`."""
    return (
        bool(getattr(given, "model_type", ""))
        and hasattr(given, "to_json_string")
        and not isinstance(given, type | nn.Module)
    )


def of_config(config: Any, *, seq_len: int | None, vocab_size: int | None) -> HuggingFace:
    """The specification that a config describes."""
    named = list(getattr(config, "architectures", None) or [])
    return _spec(str(named[0]) if named else "AutoModelForCausalLM", config, seq_len, vocab_size)


def of_model(model: Any, *, seq_len: int | None, vocab_size: int | None) -> HuggingFace:
    """The specification of an instance, its weights beside it.

    Raises:
        ModelNotBuildable: its class is not one of `transformers` itself.
    """
    kind = type(model)
    if not kind.__module__.startswith(f"{_PACKAGE}."):
        raise ModelNotBuildable(
            f"{kind.__name__} is not a class of transformers itself; no miner can build it from its config.",
            hint="Give a function that makes it, and its weights as init=model.state_dict().",
        )
    weights = {name: part.detach().clone() for name, part in model.state_dict().items()}
    return _spec(kind.__name__, model.config, seq_len, vocab_size, weights)


def _spec(
    architecture: str, config: Any, seq_len: int | None, vocab_size: int | None,
    weights: dict[str, Tensor] | None = None,
) -> HuggingFace:  # fmt: skip
    written = json.loads(config.to_json_string(use_diff=False))
    written.pop("transformers_version", None)
    longest = next((int(written[name]) for name in _LENGTHS if isinstance(written.get(name), int)), None)
    return HuggingFace(
        architecture=architecture, config=written,
        seq_len=seq_len or (None if longest is None else min(longest, _LONGEST)),
        vocab_size=vocab_size or int(written.get("vocab_size") or 256),
        weights=weights or {},
    )  # fmt: skip
