"""Models a run can train, and how they travel in a manifest.

`TinyGPT` comes along; `of` takes what a person has: a class, a function that makes a module, a module, or a
model of `transformers`. What a manifest needs of a model is in `spec`, what a run asks of it in its task.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from subnetlab.errors import ArgumentInvalid, ManifestInvalid, ManifestOfAnotherVersion
from subnetlab.train.models.tiny_gpt import TinyGPT, parameters_of

if TYPE_CHECKING:
    from subnetlab.train.models.custom import Factory, Source, source
    from subnetlab.train.models.hugging_face import HuggingFace
    from subnetlab.train.models.instance import Instance
    from subnetlab.train.models.own import of, weights_of
    from subnetlab.train.models.spec import ModelSpec, build
    from subnetlab.train.tasks.next_token import generate

__all__ = [
    "Factory", "HuggingFace", "Instance", "ModelSpec", "Source", "TinyGPT", "build", "from_json", "generate",
    "of", "source", "weights_of",
]  # fmt: skip

_OLD_NAMES: Final = {
    "width": "n_embd", "layers": "n_layer", "heads": "n_head", "context": "seq_len",
    "vocabulary": "vocab_size",
}  # fmt: skip
"""What manifests up to form 2 call a model's numbers."""

_KINDS: Final = ("TinyGPT", "Factory", "Source", "Instance", "HuggingFace")

_MODULES: Final = {
    "Factory": "models.custom", "Source": "models.custom", "source": "models.custom",
    "HuggingFace": "models.hugging_face", "Instance": "models.instance", "of": "models.own",
    "weights_of": "models.own", "ModelSpec": "models.spec", "build": "models.spec",
    "generate": "tasks.next_token",
}  # fmt: skip
"""What loads torch, by the module of `subnetlab.train` that holds it."""

_TRAINING_BYTES: Final = 16
"""Of a parameter in fp32: itself, its gradient, and the two averages of an optimizer."""


def __getattr__(name: str) -> Any:
    """Load what needs torch when it is asked for: to name a size of TinyGPT does not."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"subnetlab.train.{_MODULES[name]}"), name)


def from_json(data: dict[str, Any], *, trusted: bool = True) -> "ModelSpec":
    """Read a model's specification back.

    Args:
        data: what `to_json` wrote.
        trusted: whether this peer runs code that the manifest names; always false for a manifest of others.

    Raises:
        ManifestInvalid: an unknown kind, wrong fields, or of a manifest that is not trusted code, or a model
            that does not fit into this machine's memory.
    """
    options = {_OLD_NAMES.get(key, key): value for key, value in data.items() if key != "kind"}
    named = str(data.get("kind"))
    if named not in _KINDS:
        raise ManifestInvalid(
            f"No model is called {data.get('kind')!r}.", hint=f"Known: {', '.join(_KINDS)}."
        )
    if named != "TinyGPT" and not trusted:
        raise ManifestInvalid(
            "This manifest's model is code of its author.", hint="Read it, then join with trusted=True."
        )
    kind: type[Any] = TinyGPT if named == "TinyGPT" else __getattr__(named)
    try:
        spec = kind(**options)
    except (TypeError, ArgumentInvalid) as error:
        raise ManifestOfAnotherVersion(f"The model's description does not fit: {error}.") from error
    if isinstance(spec, TinyGPT) and not trusted:
        _refuse_larger_than_memory(spec)
    return spec


def _refuse_larger_than_memory(spec: TinyGPT) -> None:
    """Refuse a model of others that this machine cannot hold, before torch takes memory for it.

    Raises:
        ManifestInvalid: its training does not fit.
    """
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if parameters_of(spec) * _TRAINING_BYTES > memory:
        raise ManifestInvalid(
            f"To train the run's model takes more than the {memory / 2**30:.0f} GB of this machine.",
            hint="Join from a larger machine.",
        )
