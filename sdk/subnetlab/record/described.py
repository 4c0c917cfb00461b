"""What the manifest of a recorded run says of it, in the words that pages need; standard library only.

A record keeps its run's manifest as JSON, also one of an earlier version.
"""

from typing import Any, Final

_ANSWERS: Final = "subnetlab-answers/"
"""How the form of a manifest begins whose run trains no model."""


def is_of_answers(manifest: dict[str, Any]) -> bool:
    """Whether a run asks miners for answers and trains no model."""
    return str(manifest.get("form", "")).startswith(_ANSWERS)


def loss_unit(manifest: dict[str, Any]) -> str:
    """What a run's losses are measured in, in words, as its manifest says."""
    task: Any = manifest.get("task")
    if isinstance(task, dict):
        said: Any = task.get("unit")  # pyright: ignore[reportUnknownMemberType,reportUnknownVariableType]
        if isinstance(said, str):
            return said
    # Manifests from before tasks train on tokens, and 256 of them are bytes.
    model: Any = manifest.get("model") or {}
    vocabulary = model.get("vocab_size") or model.get("vocabulary") or 256
    return "nats per byte" if vocabulary == 256 else "nats per token"
