"""Next-token prediction: windows of tokens, nats per token, and samples that repeat."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from subnetlab.errors import DatasetEmpty, ModelNotBuildable
from subnetlab.train import models, tasks
from subnetlab.train.data import Corpus
from subnetlab.train.data.corpus import in_memory
from subnetlab.train.tasks import NextToken
from subnetlab.train.tasks.check import check
from subnetlab.train.tasks.next_token import _up_to_blanks


@pytest.fixture
def task(tiny: models.TinyGPT) -> NextToken:
    return tasks.of_model(tiny, "def ")


def test_an_item_is_a_window_and_its_number_an_offset(task: NextToken, corpus: Corpus) -> None:
    items = task.items(corpus, "train")
    x, y = task.batch(corpus, "train", np.array([0, items.count - 1]))
    assert x.shape == y.shape == (2, 16)
    assert x[0].tolist() == corpus.train[:16].tolist()
    assert y[1].tolist() == corpus.train[-16:].tolist()
    assert items.shards == corpus.manifest.shards


def test_the_mean_of_the_items_is_the_loss(task: NextToken, corpus: Corpus, tiny: models.TinyGPT) -> None:
    model, batch = models.build(tiny, 0), task.batch(corpus, "validation", np.arange(5))
    losses = task.losses(model, batch)
    assert losses.shape == (5,)
    assert float(losses.detach().mean()) == pytest.approx(float(task.loss(model, batch).detach()), rel=1e-6)


def test_a_part_without_one_sequence_is_refused(task: NextToken) -> None:
    short = in_memory("short", np.zeros(100, dtype=np.uint8), np.zeros(9, dtype=np.uint8))
    with pytest.raises(DatasetEmpty, match="validation data has 9 tokens"):
        task.items(short, "validation")


def test_bytes_and_tokens_have_their_units() -> None:
    assert NextToken(seq_len=8).unit == "nats per byte"
    assert NextToken(seq_len=8, vocab_size=65).unit == "nats per token"


def test_a_task_survives_json_and_says_its_unit(task: NextToken) -> None:
    data = tasks.to_json(task)
    assert data["kind"] == "next_token"
    assert data["unit"] == "nats per byte"
    assert tasks.from_json(data) == task


def test_a_model_without_a_sequence_length_is_no_language_model() -> None:
    with pytest.raises(ModelNotBuildable, match="how many tokens"):
        tasks.of_model(models.Factory(path="a:b"))


class Logits(nn.Module):
    """A bigram whose table a test chooses."""

    def __init__(self, vocab_size: int = 256, fill: float = 0.0) -> None:
        super().__init__()
        self.table = nn.Embedding(256, vocab_size)
        nn.init.constant_(self.table.weight, fill)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.table(x)


class Scaled(Logits):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.table(x) * self.table.weight.sum()


class NoGradient(Logits):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.table(x).detach()


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (Logits(8), "answered a batch with shape"), (nn.Bilinear(2, 2, 2), "failed on a batch"),
        (NoGradient(), "failed on a batch"), (Scaled(fill=1e30), "not finite"),
        (Logits(fill=float("nan")), "not finite"),
    ],
)  # fmt: skip
def test_a_model_that_does_not_fit_says_why(
    task: NextToken, corpus: Corpus, model: nn.Module, words: str
) -> None:
    with pytest.raises(ModelNotBuildable, match=words):
        check(task, model, corpus)


def test_a_model_that_fits_keeps_no_gradient(task: NextToken, corpus: Corpus, tiny: models.TinyGPT) -> None:
    model = models.build(tiny, 0)
    check(task, model, corpus)
    assert all(parameter.grad is None for parameter in model.parameters())


def test_sampling_repeats_and_respects_temperature(tiny: models.TinyGPT) -> None:
    model = models.build(tiny, 0)
    options = {"seq_len": 16, "length": 30}
    assert models.generate(model, "def ", seed=1, **options) == models.generate(
        model, "def ", seed=1, **options
    )
    assert models.generate(model, "def ", seed=1, **options) != models.generate(
        model, "def ", seed=2, **options
    )
    greedy = {models.generate(model, "def ", temperature=0, seed=s, **options) for s in range(3)}
    assert len(greedy) == 1


@pytest.mark.parametrize("options", [{"prompt": ""}, {"length": 0}, {"temperature": -1}])
def test_sampling_refuses_nonsense(tiny: models.TinyGPT, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="give a prompt"):
        models.generate(models.build(tiny, 0), **{"prompt": "a", "seq_len": 16, **options})


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("f(x):\n        return x\n" + " " * 60, "f(x):\n        return x"),
        ("f(x):\n    y\n\n\n\nclass A", "f(x):\n    y"),
        ("\n\n\n    x", "\n\n\n    x"),
        (" " * 40, " " * 40),
    ],
)
def test_a_sample_ends_where_only_blanks_follow(text: str, shown: str) -> None:
    assert _up_to_blanks(text) == shown
