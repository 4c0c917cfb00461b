"""What a data scientist has, trained by a subnet: each judged, loaded, saved, read elsewhere and exported.

The character model and the tiny GPT-2 are in `test_own_models`.
"""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from torch import nn

import subnetlab as sl
from subnetlab.lab.plan import initial_loss
from subnetlab.lab.session import Net
from subnetlab.train.strategies import DiLoCo

from .proofs import judged_is_loaded, saved_is_read_elsewhere

"""An export loads a compiler, and each peer of a Hugging Face model its library."""
FLEET: dict[str, Any] = {"miners": 2, "validators": 2, "baseline": False}
PIXELS = 8


class Perceptron(nn.Module):
    def __init__(self, inputs: int = 3, outputs: int = 2) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(inputs, 16), nn.Tanh(), nn.Linear(16, outputs))

    def forward(self, x):
        return self.layers(x)


class Digits(nn.Module):
    """Convolutions with BatchNorm and dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.drop = nn.Dropout(0.1)
        self.out = nn.Linear(8 * (PIXELS // 2) ** 2, 4)

    def forward(self, x):
        x = nn.functional.max_pool2d(self.norm(self.conv(x)).relu(), 2)
        return self.out(self.drop(x.flatten(1)))


def table(rows: int = 600) -> pl.DataFrame:
    draw = np.random.default_rng(1)
    x = draw.normal(size=(rows, 3)).astype(np.float32)
    side = np.where(x @ [1.0, -2.0, 0.5] > 0, "up", "down")
    return pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "target": side})


def digits(count: int = 400) -> tuple[torch.Tensor, torch.Tensor]:
    """Bars in one of four places, with noise."""
    draw = torch.Generator().manual_seed(2)
    y = torch.randint(0, 4, (count,), generator=draw)
    x = 0.3 * torch.rand(count, 1, PIXELS, PIXELS, generator=draw)
    for image, kind in zip(x, y.tolist(), strict=True):
        image[0, 2 * kind : 2 * kind + 2] += 0.7
    return x, y


def trained(net: Net, model: Any, data: Any, **options: Any) -> sl.Run:
    run = net.create_subnet("seven", wallet="alice").train(
        model, data, rounds=4, strategy=DiLoCo(inner_steps=12, outer_lr=1.0, momentum=0.0), lr=4e-3,
        batch_size=16, fleet=sl.LocalFleet(**FLEET), **options,
    )  # fmt: skip
    run.wait(300)
    assert run.view.val_loss[3] < initial_loss(run.folder)
    return run


def test_a_perceptron_on_a_frame(net: Net, tmp_path: Path) -> None:
    run = trained(net, sl.models.source(Perceptron), table())
    model = judged_is_loaded(run)
    saved_is_read_elsewhere(run, model, torch.randn(4, 3), tmp_path / "mlp")


def test_convolutions_on_digits(net: Net, tmp_path: Path) -> None:
    x, y = digits()
    run = trained(net, sl.models.source(Digits), (x, y))
    model: Any = judged_is_loaded(run)
    assert model.norm.running_mean.abs().sum() > 0
    accuracy = (model(x).argmax(1) == y).float().mean()
    assert accuracy > 0.9
    saved_is_read_elsewhere(run, model, x[:2], tmp_path / "cnn")


def test_a_regression(net: Net, tmp_path: Path) -> None:
    x = np.random.default_rng(3).normal(size=(600, 3)).astype(np.float32)
    y = (x @ np.array([1.0, -1.0, 0.5], dtype=np.float32)).astype(np.float32)
    run = trained(net, nn.Linear(3, 1), (x, y))
    model = judged_is_loaded(run)
    loader = "from safetensors.torch import load_file\nmodel = torch.nn.Linear(3, 1)\n"
    loader += 'model.load_state_dict(load_file("model.safetensors"))'
    saved_is_read_elsewhere(run, model, torch.randn(4, 3), tmp_path / "linear", loader=loader)


def test_a_fine_tune_begins_where_the_weights_were(net: Net, tmp_path: Path) -> None:
    first = trained(net, sl.models.source(Perceptron), table())
    saved = first.save(tmp_path / "first")
    again = trained(net, sl.models.source(Perceptron), table(), init=saved)
    assert initial_loss(again.folder) == first.view.val_loss[3]
    assert again.view.val_loss[3] < first.view.val_loss[3]
    judged_is_loaded(again)


def absolute(outputs, targets):
    return (outputs.squeeze(-1) - targets).abs()


def test_a_loss_of_ones_own(net: Net, tmp_path: Path) -> None:
    x = np.random.default_rng(4).normal(size=(600, 3)).astype(np.float32)
    y = (x @ np.array([1.0, -1.0, 0.5], dtype=np.float32)).astype(np.float32)
    run = trained(net, sl.models.source(Perceptron, outputs=1), (x, y), loss=absolute)
    model = judged_is_loaded(run)
    assert run.view.loss_unit == "absolute"
    saved_is_read_elsewhere(run, model, torch.randn(4, 3), tmp_path / "own")
