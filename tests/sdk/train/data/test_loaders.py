"""A data loader is taken for its data set, and what it would change is refused or said."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
)

from subnetlab.errors import DataInvalid
from subnetlab.lab.plan import plan
from subnetlab.train import data
from subnetlab.train.data.loaders import loader_note

N = 60
X = torch.arange(N * 2, dtype=torch.float32).reshape(N, 2) / (2 * N)
Y = torch.arange(N) % 2
PAIRS = TensorDataset(X, Y)
BATCH = 4


class Stream(IterableDataset[Any]):
    def __iter__(self) -> Iterator[Any]:
        return iter([(X[i], int(Y[i])) for i in range(N)])


def flipped(items: list[Any]) -> Any:
    x, y = default_collate(items)
    return x, 1 - y


class Flip:
    def __call__(self, items: list[Any]) -> Any:
        return flipped(items)


@pytest.mark.parametrize(("collate", "name"), [(flipped, "flipped"), (Flip(), "Flip"), (list, "list")])
def test_a_collate_fn_of_ones_own_is_refused_by_name(collate: Any, name: str) -> None:
    loader = DataLoader(PAIRS, batch_size=BATCH, collate_fn=collate)
    with pytest.raises(DataInvalid, match=f"a collate_fn of its own, '{name}'") as refused:
        data.of(loader)
    assert "__getitem__" in str(refused.value)
    assert "loader.dataset" in str(refused.value)
    with pytest.raises(DataInvalid, match="a collate_fn of its own"):
        data.of((X, Y), eval_data=loader)


USUAL: dict[str, DataLoader[Any]] = {
    "plain": DataLoader(PAIRS),
    "shuffled": DataLoader(PAIRS, batch_size=BATCH, shuffle=True, drop_last=True),
    "the usual collate": DataLoader(PAIRS, batch_size=BATCH, collate_fn=default_collate),
    "without batches": DataLoader(PAIRS, batch_size=None),
    "the usual samplers": DataLoader(
        PAIRS, batch_sampler=BatchSampler(SequentialSampler(range(N)), BATCH, drop_last=False)
    ),
    "a stream": DataLoader(Stream(), batch_size=BATCH),
}


@pytest.mark.parametrize("kind", USUAL)
def test_the_usual_loader_is_its_data_set_and_needs_no_word(kind: str) -> None:
    loader = USUAL[kind]
    assert data.of(loader).load().manifest.root == data.of(PAIRS).load().manifest.root
    assert loader_note(loader, batch_size=BATCH) == ""


class OwnBatches(BatchSampler):
    pass


OWN: dict[str, tuple[DataLoader[Any], str]] = {
    "a subset": (DataLoader(PAIRS, sampler=SubsetRandomSampler(range(9))), "sampler, a SubsetRandomSampler,"),
    "weights": (
        DataLoader(PAIRS, sampler=WeightedRandomSampler([1.0] * N, N)), "sampler, a WeightedRandomSampler,",
    ),
    "repetition": (
        DataLoader(PAIRS, sampler=RandomSampler(PAIRS, replacement=True)), "sampler, a RandomSampler,",
    ),
    "a part": (DataLoader(PAIRS, sampler=RandomSampler(PAIRS, num_samples=9)), "sampler, a RandomSampler,"),
    "a subset in batches": (
        DataLoader(PAIRS, batch_sampler=BatchSampler(SubsetRandomSampler(range(9)), 4, drop_last=False)),
        "sampler, a SubsetRandomSampler,",
    ),
    "batches": (
        DataLoader(PAIRS, batch_sampler=OwnBatches(SequentialSampler(range(N)), 4, drop_last=False)),
        "batch_sampler, an OwnBatches,",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", OWN)
def test_a_sampler_of_ones_own_is_said_to_be_left_out(kind: str) -> None:
    loader, words = OWN[kind]
    said = loader_note(loader, batch_size=BATCH)
    assert f"The data loader's {words} is not used" in said
    assert "torch.utils.data.Subset" in said


def test_a_plan_notes_what_of_a_loader_it_leaves_out() -> None:
    loader = DataLoader(PAIRS, batch_size=32, shuffle=True)
    options: dict[str, Any] = {"strategy": None, "rounds": 2, "batch_size": BATCH, "seed": 0, "prompt": ""}
    said = plan(nn.Linear(2, 2), loader, **options).note
    assert said == (
        "The data loader's batch_size=32 is not used: "
        "a step takes 4 items unless train is given batch_size=32."
    )
    few = DataLoader(PAIRS, sampler=SubsetRandomSampler(range(9)))
    assert "SubsetRandomSampler" in plan(nn.Linear(2, 2), PAIRS, eval_data=few, **options).note
    assert plan(nn.Linear(2, 2), PAIRS, **options).note == ""


@pytest.mark.parametrize("kind", [tuple, list])
def test_several_arrays_are_not_called_items(kind: Any) -> None:
    parts = kind([np.ones((N, 3)), np.arange(N), np.ones(N)])
    with pytest.raises(
        DataInvalid, match=r"of 3 arrays, of shapes \(60, 3\) and \(60,\) and \(60,\)"
    ) as refused:
        data.of(parts)
    assert 'a dict whose keys are the parameters of forward: {"num": …, "cat": …, "y": …}' in str(
        refused.value
    )
    with pytest.raises(DataInvalid, match="come as a pair"):
        data.of([X, Y])


def test_data_that_cannot_be_read_is_not_said_to_fail_in_another_way() -> None:
    with pytest.raises(DataInvalid) as refused:
        data.of([np.ones((4, 3)), np.ones((4, 2))])
    assert "shows the same error" not in str(refused.value)
    assert "one shape in all items" in str(refused.value)
