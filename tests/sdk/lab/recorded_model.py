"""The recorded run of `story` with a model beside it, as the supervisor leaves it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tests.sdk.lab import story
from torch import nn

import subnetlab as sl
from subnetlab.fleet.run_folder import CARD_FILE, CONFIG_FILE, MODEL_FILE, RESULT_FOLDER
from subnetlab.lab.run import Run
from subnetlab.record.events import Event, RoundClosed
from subnetlab.train.theta import theta_hash


def with_model(folder: Path, given: nn.Module | None = None, spec: Any = None) -> Run:
    """A recorded run whose last round closed with a model that lies beside it: a TinyGPT unless given."""
    torch.manual_seed(0)
    model = given or sl.models.TinyGPT("binder").build()
    spec = spec or (sl.models.of(given) if given is not None else sl.models.TinyGPT("binder"))
    moved = [part for part in model.parameters() if part.requires_grad]
    theta = theta_hash(torch.cat([part.detach().reshape(-1) for part in moved]))

    def events() -> Iterator[Event]:
        for event in story.story():
            if isinstance(event, RoundClosed):
                object.__setattr__(event, "theta_hash", theta)
            yield event

    story.write(folder, events())
    result = folder / RESULT_FOLDER
    result.mkdir()
    save_file({name: part.detach().clone() for name, part in model.state_dict().items()}, result / MODEL_FILE)
    (result / CONFIG_FILE).write_text(json.dumps({"model": spec.to_json()}))
    (result / CARD_FILE).write_text("# r1\n")
    return Run(folder)
