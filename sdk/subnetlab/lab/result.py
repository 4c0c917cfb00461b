"""The model a run made, from the files of its folder: built from its configuration, filled by its tensors.

The supervisor wrote the files by replaying what was published, so they are the model anyone can prove. No
pickle is read.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from subnetlab.archive.save import result_folder
from subnetlab.errors import (
    ModelNotBuildable,
    ObjectMissing,
    RunError,
    RunFileInvalid,
    RunNotFinished,
    StoreError,
    TrainError,
)
from subnetlab.fleet.run_folder import CONFIG_FILE, MODEL_FILE
from subnetlab.fleet.worker.manifest_file import load_manifest
from subnetlab.fleet.worker.run_store import whole_store
from subnetlab.lab.plan import open_corpus
from subnetlab.record.events import RoundClosed
from subnetlab.store.base import Reader
from subnetlab.store.places import place_of
from subnetlab.train import aggregate, initial, models, object_paths
from subnetlab.train.models import plain_layers
from subnetlab.train.models.tensors import fill
from subnetlab.train.payload.sparse import State
from subnetlab.train.strategies.base import overlap_of
from subnetlab.train.theta import FlatModel, theta_hash, trainable

_WIDEST: Final = 1 << 16
"""A stranger's model wider than this is not even laid out."""


def load_result(run_folder: Path) -> nn.Module:
    """Build the model of a run of one's own and load its weights; ready to evaluate.

    Raises:
        RunNotFinished: the run left no model.
        ModelNotBuildable: the model's own code is not at hand.
        RunError: the files are not what the run wrote.
    """
    folder = result_folder(run_folder)
    try:
        config = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
        # Built as the run began: what no state dict holds is from the seed or from the first weights.
        spec = models.from_json(config["model"], trusted=True)
        start = str(config.get("init", ""))
        store = whole_store(run_folder) if start else None
        model = initial.start(spec, int(config.get("seed", 0)), start, store)
        fill(model, load_file(folder / MODEL_FILE))
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError, StoreError) as error:
        raise RunError(
            f"The result in {folder} cannot be read: {error}.",
            hint="run.wait() writes it where the run goes on; run.verify() says what is damaged.",
        ) from error
    return model.eval()


def state_after(run_folder: Path, closed: Mapping[int, RoundClosed], number: int) -> dict[str, Tensor]:
    """The state dict after a round that closed, replayed from what the run's own store holds.

    Raises:
        RunError: an aggregate is gone, or does not lead to the model on record.
        ModelNotBuildable: the model's own code is not at hand.
    """
    try:
        manifest = load_manifest(run_folder)
        store = whole_store(run_folder)
        built = initial.built(manifest, store)
        model = FlatModel(built, manifest.task, manifest.optimizer, manifest.execution())
        outer: State = {}
        for each in sorted(each for each in closed if each <= number):
            event = closed[each]
            if event.aggregate_hash:
                name = object_paths.aggregate(each, event.aggregate_hash)
                place = place_of(store, event.lead)
                try:
                    data = _from_either(place, store, name, aggregate.limit(model.layout))
                except ObjectMissing as error:
                    if each < max(closed) or not overlap_of(manifest.strategy):
                        raise
                    raise RunError(
                        f"The aggregate of round {each + 1} of run {run_folder.name} is not stored yet.",
                        hint="It follows while the next round is trained: ask again in a moment.",
                    ) from error
                update = aggregate.read(data, model.layout)
                manifest.strategy.apply(model.theta_P, update, outer, manifest.progress(each))
            if theta_hash(model.theta_P) != event.theta_hash:
                raise RunError(
                    f"Round {each + 1} of run {run_folder.name} does not lead to the model on record.",
                    hint="run.verify() says whose payload or record was changed.",
                )
        if model.has_statistics:
            model.settle(open_corpus(run_folder, manifest))
    except StoreError as error:
        raise RunError(
            f"The rounds of run {run_folder.name} cannot be replayed: {error}",
            hint="run.verify() says which of its files is missing or was changed.",
        ) from error
    return model.state()


def _from_either(place: Reader, store: Reader, name: str, limit: int) -> bytes:
    """An aggregate from the lead's place, or from that of another validator.

    Raises:
        StoreError: neither holds it.
    """
    try:
        return place.get(name, limit)
    except ObjectMissing:
        return store.get(name, limit)


def load_recorded(run_folder: Path, theta: str) -> nn.Module:
    """Build the model of somebody else's run; it must be the one whose hash the record closed with.

    Runs no code of theirs, and builds nothing larger than the tensors that came along. The hash is of what
    was trained: statistics of a normalisation and frozen weights are taken from the file as they are.

    Raises:
        RunNotFinished: the file holds no model.
        ModelNotBuildable: the model is no TinyGPT and holds more than plain layers of torch.
        RunFileInvalid: configuration, tensors and record do not belong together.
    """
    model = build_recorded(run_folder)
    if theta_hash(torch.cat([part.detach().reshape(-1) for _, part in trainable(model)])) != theta:
        raise RunFileInvalid("The model in this file is not the one that its record closed with.")
    return model.eval()


def build_recorded(run_folder: Path) -> nn.Module:
    """Build the model of somebody else's run as its files say, whatever its record says.

    Raises:
        RunNotFinished: the file holds no model.
        ModelNotBuildable: the model is no TinyGPT and holds more than plain layers of torch.
        RunFileInvalid: configuration and tensors do not belong together.
    """
    folder = result_folder(run_folder)
    if not (folder / MODEL_FILE).is_file():
        raise RunNotFinished(
            "This file was saved without the model's weights.", hint="Ask for one saved with model=True."
        )
    try:
        return _build(folder)
    except ModelNotBuildable as error:
        raise ModelNotBuildable(
            error.args[0],
            hint=f"Its tensors are in {folder / MODEL_FILE}: make the model yourself, then "
            "model.load_state_dict(safetensors.torch.load_file(path)).",
        ) from error
    except (
        OSError, ValueError, TypeError, LookupError, AttributeError, RuntimeError, RecursionError,
        SafetensorError, TrainError,
    ) as error:  # fmt: skip
        raise RunFileInvalid(f"The model in this file cannot be read: {error}.") from error


def _build(folder: Path) -> nn.Module:
    described: dict[str, Any] = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))["model"]
    kind, tensors = described["kind"], load_file(folder / MODEL_FILE)
    if kind == "Instance":
        plain_layers.check_plain(described, tensors)
        model = models.from_json(described).build()
        plain_layers.check_filled(model, tensors)
        fill(model, tensors)
        return model
    if kind != "TinyGPT":
        raise ModelNotBuildable(
            "This run trained a model that is code of its author; opening a file never runs code.",
        )
    spec = models.from_json(described, trusted=False)
    if not isinstance(spec, models.TinyGPT) or spec.n_layer > len(tensors) or spec.n_embd > _WIDEST:
        raise ValueError("its configuration asks for more than its tensors fill")
    with torch.device("meta"):
        wanted = {name: part.shape for name, part in spec.build().state_dict().items()}
    if wanted != {name: part.shape for name, part in tensors.items()}:
        raise ValueError("its tensors are not those of its configuration")
    model = spec.build()
    model.load_state_dict(tensors)
    return model
