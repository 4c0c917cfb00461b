"""Models a run can train, and how they travel in a manifest.

`TinyGPT` comes along; `Factory` names an importable callable; `source` takes a cell's own model to a fleet
of one's own. What a manifest needs of a model is in `spec`, what a run asks of it
in its task.
"""

from typing import Any, Final

from subnetlab.errors import ManifestInvalid
from subnetlab.train.models.custom import Factory, Source, source
from subnetlab.train.models.spec import ModelSpec, build
from subnetlab.train.models.tiny_gpt import TinyGPT
from subnetlab.train.tasks.next_token import generate

__all__ = ["Factory", "ModelSpec", "Source", "TinyGPT", "build", "from_json", "generate", "source"]

_OLD_NAMES: Final = {
    "width": "n_embd", "layers": "n_layer", "heads": "n_head", "context": "seq_len",
    "vocabulary": "vocab_size",
}  # fmt: skip
"""What manifests up to form 2 call a model's numbers."""


def from_json(data: dict[str, Any], *, trusted: bool = True) -> ModelSpec:
    """Read a model's specification back.

    Args:
        data: what `to_json` wrote.
        trusted: whether this peer runs code that the manifest names; always false for a manifest of others.

    Raises:
        ManifestInvalid: an unknown kind, wrong fields, or code from a manifest that is not trusted.
    """
    options = {_OLD_NAMES.get(key, key): value for key, value in data.items() if key != "kind"}
    kinds: dict[str, type[TinyGPT | Factory | Source]] = {
        "TinyGPT": TinyGPT, "Factory": Factory, "Source": Source,
    }  # fmt: skip
    kind = kinds.get(str(data.get("kind")))
    if kind is None:
        raise ManifestInvalid(f"No model is called {data.get('kind')!r}.", hint=f"Known: {', '.join(kinds)}.")
    if kind is not TinyGPT and not trusted:
        raise ManifestInvalid(
            "This manifest's model is code of its author.", hint="Read it, then join with trusted=True."
        )
    try:
        return kind(**options)
    except TypeError as error:
        raise ManifestInvalid(f"The model's description does not fit: {error}.") from error
