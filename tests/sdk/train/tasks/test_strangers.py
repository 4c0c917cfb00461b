"""What a data scientist brings that does not fit: a batch, a loss, a metric; and which items are drawn."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from subnetlab.errors import ArgumentInvalid, ModelFailed
from subnetlab.train import assignment, data
from subnetlab.train.data import Corpus
from subnetlab.train.optimizer import AdamWConfig
from subnetlab.train.tasks import Measures, NextToken, Own, Regression, Task
from subnetlab.train.tasks.check import check_batch
from subnetlab.train.tasks.find import find
from subnetlab.train.tasks.travel import code_of, loss_of, metric_of
from subnetlab.train.theta import FlatModel

DRAW = np.random.default_rng(5)
X = DRAW.normal(size=(60, 4)).astype(np.float32)
NUMBERS = X @ np.array([1.0, -2.0, 0.5, 0.0], dtype=np.float32)
PLACES = (X[:, :3].argmax(1)).astype(np.int64)
TEXTS = np.array(["cat", "dog", "eel"])[PLACES]


class Language(nn.Module):
    block_size = 8

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(256, 4)
        self.head = nn.Linear(4, 256)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.embedding(x))


def net(outputs: int) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(4, outputs))


def chosen(x: Any, y: Any, model: nn.Module, **options: Any) -> tuple[Task, Corpus]:
    found = data.of((x, y)).load()
    return find(options.pop("task", None), None, model, found, **options), found


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        (lambda outputs: outputs.mean(), "takes .outputs., and is called with two"),
        (lambda a, b, c: a, "missing a required argument: 'c'"),
        (lambda: 3, "takes .., and is called with two"),
    ],
)
def test_a_loss_and_a_metric_of_another_arity_are_named_as_such(loss: Any, words: str) -> None:
    with pytest.raises(ArgumentInvalid, match=words):
        loss_of(loss)
    with pytest.raises(ArgumentInvalid, match=words):
        metric_of("mine", loss)
    assert loss_of(nn.HuberLoss()).name == "HuberLoss"
    assert metric_of("l1", functional.l1_loss).name == "l1_loss"


@pytest.mark.parametrize(
    ("y", "outputs", "loss", "expected"),
    [
        (NUMBERS, 1, nn.MSELoss(), {"r2", "mae"}),
        (X[:, :2], 2, functional.l1_loss, {"r2", "mae"}),
        (PLACES, 3, nn.CrossEntropyLoss(), {"accuracy", "macro_f1"}),
        (PLACES, 1, lambda o, t: (o.squeeze(1) - t).abs().mean(), set()),
        (NUMBERS, 1, lambda model, batch: model(batch[0]).square().mean(), set()),
    ],
)
def test_a_loss_of_ones_own_has_the_metrics_that_suit_its_outputs(
    y: Any, outputs: int, loss: Any, expected: set[str]
) -> None:
    task, found = chosen(X, y, net(outputs), loss=loss_of(loss))
    assert isinstance(task, Measures)
    batches = [task.batch(found, "validation", np.arange(at, at + 3)) for at in (0, 3)]
    with torch.no_grad():
        assert set(task.measure(net(outputs).eval(), batches)) == expected


@pytest.mark.parametrize(
    ("given", "model", "options"),
    [
        (TEXTS, net(3), {}),
        (NUMBERS, net(1), {}),
        (NUMBERS, net(1), {"loss": code_of(nn.MSELoss(), "loss")}),
        (NUMBERS, net(1), {"task": Regression()}),
    ],
)
def test_a_batch_larger_than_the_data_is_refused(given: Any, model: nn.Module, options: Any) -> None:
    task, found = chosen(X, given, model, **options)
    check_batch(task, found, batch_size=54)  # of 60 rows a tenth is held out
    with pytest.raises(ArgumentInvalid, match="larger than the training data, which has 54 rows") as refused:
        check_batch(task, found, batch_size=55)
    assert "at most 54" in str(refused.value)


def test_a_batch_larger_than_a_text_is_refused() -> None:
    found = data.text("a" * 100).read()
    for task in (NextToken(seq_len=8), Own(code=code_of(nn.CrossEntropyLoss(), "loss"), seq_len=8)):
        check_batch(task, found, batch_size=82)
        with pytest.raises(ArgumentInvalid, match="which has 82 sequences"):
            check_batch(task, found, batch_size=83)


@pytest.mark.parametrize("count", [200, 32_767, 32_768, 40_000, 65_535, 65_537, 100_000, 190_000])
def test_no_item_of_tokens_is_drawn_for_the_rest(count: int) -> None:
    tokens = np.zeros(count * 10 // 9 + 20, dtype=np.int64)
    found, model = data.of(tokens).load(), Language()
    for task in (
        find(None, model, model, found),
        find(NextToken(seq_len=8), model, model, found),
        find(None, model, model, found, loss=code_of(nn.CrossEntropyLoss(), "loss")),
    ):
        items = task.items(found, "train")
        draws = [
            assignment.work(items, (50, 20), run="r", round_=number, uid=1, block_hash="0x")
            for number in range(20)
        ]
        last = float((np.concatenate(draws) == items.count - 1).mean())
        assert last < 20 / items.count + 5e-4, task


def missing(outputs: Any, targets: Any) -> Any:
    return outputs.missing + targets


def test_a_loss_that_fails_while_training_is_not_taken_for_the_model() -> None:
    task, found = chosen(X, NUMBERS, net(1), loss=loss_of(missing))
    model = FlatModel(net(1), task, AdamWConfig())
    batch = task.batch(found, "train", np.arange(3))
    with pytest.raises(ModelFailed, match=r"^The loss 'missing' failed on outputs of shape \(3,\)"):
        model.losses(batch)
