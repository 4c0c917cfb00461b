"""That a trained model is one and the same: as judged, loaded, saved, read elsewhere and exported."""

import json
import re
import subprocess
import sys
from pathlib import Path

import torch
from torch import Tensor, nn

import subnetlab as sl
from subnetlab.fleet.worker.manifest_file import load_manifest
from subnetlab.lab.plan import open_corpus
from subnetlab.train.scoring.losses import validation_loss
from subnetlab.train.theta import FlatModel

_ELSEWHERE = """
import sys, torch, warnings
{loader}
model.eval()
inputs = torch.load("inputs.pt", weights_only=True)
answer = model(inputs)
torch.save(getattr(answer, "logits", answer).detach(), "outputs.pt")
assert {ours} == any(name.startswith("subnetlab") for name in sys.modules)
"""

_EXPORT = """
torch.onnx.export(model, (inputs,), "model.onnx", dynamo=True, verbose=False)
from onnx.reference import ReferenceEvaluator
session = ReferenceEvaluator("model.onnx")
exported, = session.run(None, {session.input_names[0]: inputs.numpy()})
torch.testing.assert_close(torch.tensor(exported), answer, atol=1e-4, rtol=1e-4)
"""


def judged_is_loaded(run: sl.Run) -> nn.Module:
    """The loaded model has the loss that the lead measured, to the bit, and the last round's state."""
    assert run.status == "finished", run
    manifest, model = load_manifest(run.folder), run.model
    assert not model.training
    before = {name: part.clone() for name, part in model.state_dict().items()}
    replayed = run.state_dict()
    assert list(replayed) == list(before)
    assert all(torch.equal(part, before[name]) for name, part in replayed.items())
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    flat = FlatModel(model, manifest.task, manifest.optimizer)
    flat._statistics.moving = False  # the statistics that were saved, not new ones
    loss = validation_loss(flat, manifest, open_corpus(run.folder, manifest))
    torch.set_num_threads(threads)
    assert loss == run.view.val_loss[max(run.view.val_loss)]
    assert all(torch.equal(part, before[name]) for name, part in run.model.state_dict().items())
    return run.model


def saved_is_read_elsewhere(
    run: sl.Run,
    model: nn.Module,
    inputs: Tensor,
    folder: Path,
    *,
    loader: str = "",
    onnx: bool = True,
    ours: bool = False,
) -> Path:
    """The lines of the card, or `loader`, give the same answers in a process without SubnetLab.

    Args:
        loader: lines that make `model`.
        onnx: whether the export answers alike, too.
        ours: whether the model comes with SubnetLab, which then is loaded.
    """
    saved = run.save(folder)
    card = (saved / "README.md").read_text()
    (lines,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    torch.save(inputs, saved / "inputs.pt")
    program = _ELSEWHERE.format(loader=loader or lines, ours=ours) + (_EXPORT if onnx else "")
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=saved, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    with torch.no_grad():
        answer = model(inputs)
    there = torch.load(saved / "outputs.pt", weights_only=True)
    torch.testing.assert_close(there, getattr(answer, "logits", answer))
    assert json.loads((saved / "config.json").read_text())["rounds"] == run.round
    return saved
