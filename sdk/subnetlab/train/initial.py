"""All that a model holds before its first step: from the seed, or from tensors that were given.

Given tensors are published once in the run's store, as safetensors whose hash is in the manifest, so that
a peer or a stranger starts from the same bits. Reads no pickle.
"""

from typing import Final

from safetensors import SafetensorError
from safetensors.torch import load
from torch import nn

from subnetlab.errors import ManifestInvalid
from subnetlab.store.base import Store
from subnetlab.train import models, object_paths
from subnetlab.train.hashing import digest
from subnetlab.train.manifest import Manifest
from subnetlab.train.models.spec import ModelSpec
from subnetlab.train.models.tensors import fill, tensors_of

_HEADER_BYTES: Final = 1 << 20


def built(manifest: Manifest, store: Store | None) -> nn.Module:
    """The run's model before its first step; arguments and errors as `start`."""
    return start(manifest.model, manifest.seed, manifest.init, store)


def start(spec: ModelSpec, seed: int, init: str, store: Store | None) -> nn.Module:
    """A model before its first step.

    Args:
        spec: of the model.
        seed: makes what was not given.
        init: hash of the given tensors; empty for none.
        store: where given tensors lie; None where there are none.

    Raises:
        ModelNotBuildable: see `models.build`.
        ManifestInvalid: what lies in the store is not what the manifest names.
        ObjectMissing: the tensors are not in the store.
    """
    model = models.build(spec, seed)
    if not init:
        return model
    if store is None:
        raise ManifestInvalid("The run starts from given weights, and no store is at hand to read them from.")
    data = store.get(object_paths.initial(init), limit_of(model))
    if hash_of(data) != init:
        raise ManifestInvalid("The initial weights in the store are not those that the manifest names.")
    try:
        fill(model, load(data))
    except SafetensorError as error:
        raise ManifestInvalid(f"The initial weights cannot be read: {error}.") from error
    return model


def limit_of(model: nn.Module) -> int:
    """The most bytes that a model's given tensors take."""
    return sum(part.numel() * part.element_size() for part in tensors_of(model).values()) + _HEADER_BYTES


def hash_of(data: bytes) -> str:
    """The hash under which initial tensors are published, 64 hex digits."""
    return digest("initial", data).hex()
