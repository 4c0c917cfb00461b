"""Weights to start from: a state dict, a saved folder, a run, a file; each is read or refused."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from tests.sdk.lab.recorded_model import with_model

from subnetlab.errors import ModelNotBuildable, RunFileInvalid, RunNotFinished
from subnetlab.fleet.run_folder import CONFIG_FILE, MODEL_FILE, RESULT_FOLDER
from subnetlab.lab.plan import initial_loss, plan, write_run
from subnetlab.lab.run import Run
from subnetlab.train import data, models

SPEC = models.TinyGPT("binder", n_embd=16, n_layer=1, n_head=2, seq_len=8)
TEXT = data.text("a subnet pays for loss that is removed " * 80)
OPTIONS: Any = {"strategy": None, "rounds": 2, "batch_size": 4, "seed": 0, "prompt": ""}


@pytest.fixture
def given() -> dict[str, torch.Tensor]:
    return {name: part * 2 for name, part in models.build(SPEC, 7).state_dict().items()}


@pytest.mark.parametrize("kind", ["state dict", "file", "folder", "run", "instance"])
def test_a_run_starts_from_what_is_given(given: dict[str, torch.Tensor], tmp_path: Path, kind: str) -> None:
    result = tmp_path / "run" / RESULT_FOLDER
    result.mkdir(parents=True)
    save_file(given, result / MODEL_FILE)
    (result / CONFIG_FILE).write_text("{}")
    module = models.build(SPEC, 0)
    module.load_state_dict(given)
    init: Any = {
        "state dict": given, "file": str(result / MODEL_FILE), "folder": result,
        "run": Run(tmp_path / "run"), "instance": None,
    }[kind]  # fmt: skip
    model = models.of(module, seq_len=8) if kind == "instance" else SPEC
    made = plan(model, TEXT, **OPTIONS, init=init)
    manifest = made.manifest("run", 1, 5)
    assert len(manifest.init) == 64
    folder = tmp_path / "started"
    folder.mkdir()
    write_run(folder, made, manifest)
    again = plan(SPEC, TEXT, **OPTIONS, init=given)
    assert again.initial == made.initial
    assert plan(SPEC, TEXT, **OPTIONS).manifest("run", 1, 5).init == ""
    assert initial_loss(folder) > 0


def test_a_run_starts_from_a_file_that_a_run_was_saved_as(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUBNETLAB_HOME", str(tmp_path / "home"))
    module = SPEC.build()
    run = with_model(tmp_path / "r1", module, SPEC)
    saved = plan(SPEC, TEXT, **OPTIONS, init=str(run.save(tmp_path / "tab.zip")))
    assert saved.initial == plan(SPEC, TEXT, **OPTIONS, init=module.state_dict()).initial
    with pytest.raises(ModelNotBuildable, match=r"light\.zip was saved without the model's weights"):
        plan(SPEC, TEXT, **OPTIONS, init=run.save(tmp_path / "light.zip", model=False))
    (tmp_path / "other.zip").write_bytes(b"PK nothing of ours")
    with pytest.raises(RunFileInvalid):
        plan(SPEC, TEXT, **OPTIONS, init=tmp_path / "other.zip")


def test_what_are_no_weights_is_refused(given: dict[str, torch.Tensor], tmp_path: Path) -> None:
    (tmp_path / "no.safetensors").write_bytes(b"nothing")
    (tmp_path / "empty").mkdir()
    narrow = models.build(models.TinyGPT("binder", n_embd=8, n_layer=1, n_head=2, seq_len=8), 0).state_dict()
    cases: dict[str, tuple[Any, str]] = {
        "a number": (3, "cannot start from an int"),
        "a pickle": (tmp_path / "model.pt", "is a pickle"),
        "no file": (tmp_path / "nowhere.safetensors", "cannot be read"),
        "no safetensors": (tmp_path / "no.safetensors", "cannot be read"),
        "a folder without": (tmp_path / "empty", "cannot be read"),
        "an empty dict": ({}, "is empty"),
        "no tensors": ({"bytes.weight": 3}, "holds an int"),
        "another model": (narrow, r"has shape \(256, 8\); the model's has \(256, 16\)"),
        "half a model": (dict(list(given.items())[:1]), "initial weights lack"),
        "not finite": ({name: part * float("nan") for name, part in given.items()}, "not finite"),
    }
    for init, words in cases.values():
        with pytest.raises(ModelNotBuildable, match=words):
            plan(SPEC, TEXT, **OPTIONS, init=init)
    with pytest.raises(RunNotFinished, match="left no model"):
        plan(SPEC, TEXT, **OPTIONS, init=Run(tmp_path / "empty"))
