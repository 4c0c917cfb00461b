"""A plan is refused before anything is spent where its model, task and data do not fit."""

import pytest
import torch
from torch import nn

from subnetlab.errors import ArgumentInvalid, DataInvalid, DatasetEmpty, ModelNotBuildable
from subnetlab.lab.plan import plan
from subnetlab.train import data, models

TEXT = data.text("a subnet pays for loss that is removed " * 80)
OPTIONS = {"strategy": None, "rounds": 2, "batch_size": 4, "seed": 0, "prompt": ""}


class Overflowing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(256, 8)
        self.head = nn.Linear(8, 256)
        nn.init.constant_(self.embedding.weight, 1e30)
        nn.init.constant_(self.head.weight, 1e30)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.embedding(x))


def test_a_model_whose_first_loss_is_not_finite_is_refused() -> None:
    with pytest.raises(ModelNotBuildable, match="not finite"):
        plan(models.source(Overflowing, seq_len=16), TEXT, **OPTIONS)


def test_a_model_that_does_not_say_what_it_reads_is_refused() -> None:
    with pytest.raises(ModelNotBuildable, match="how many tokens"):
        plan(models.source(Overflowing), TEXT, **OPTIONS)


def test_data_shorter_than_one_sequence_is_refused() -> None:
    with pytest.raises(DatasetEmpty, match="one sequence needs"):
        plan(models.TinyGPT("binder"), data.text("short " * 9), **OPTIONS)


def test_the_manifest_of_a_plan_names_its_task_and_the_unit_of_its_loss() -> None:
    made = plan(models.TinyGPT("binder"), TEXT, **{**OPTIONS, "prompt": "a "})
    task = made.manifest("run", 1, 5).to_json()["task"]
    assert task["kind"] == "next_token"
    assert task["unit"] == "nats per byte"
    assert task["prompt"] == "a "


def test_a_model_of_tables_without_data_is_asked_for_data_and_not_for_tokens() -> None:
    with pytest.raises(DataInvalid, match=r"No data was given.* subnet.train\(model, frame, target=…\)"):
        plan(nn.Linear(4, 1), None, **OPTIONS)


def test_a_batch_that_the_data_cannot_fill_is_refused() -> None:
    rows = (torch.ones(20, 4), torch.ones(20))
    with pytest.raises(ArgumentInvalid, match="A batch of 19 items is larger than the training data"):
        plan(nn.Linear(4, 1), rows, **{**OPTIONS, "batch_size": 19})
    assert plan(nn.Linear(4, 1), rows, **{**OPTIONS, "batch_size": 18}).batch_size == 18


def test_validators_of_many_miners_try_a_sample_and_those_of_few_try_all() -> None:
    made = plan(models.TinyGPT("binder"), TEXT, **OPTIONS)
    few, many = (made.manifest("run", 1, 5, miners=miners).to_json() for miners in (16, 17))
    assert "tried" not in few["scoring"]
    assert many["scoring"]["tried"] == 16
