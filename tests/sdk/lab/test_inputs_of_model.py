"""The keys of a dict reach the parameters of forward; what does not fit is said with a way out that works."""

from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from torch import nn
from torch.nn import functional

from subnetlab.errors import ModelNotBuildable
from subnetlab.lab.plan import Plan, plan
from subnetlab.train import data

DRAW = np.random.default_rng(7)
N = 400
NUM = DRAW.normal(size=(N, 3)).astype(np.float32)
CAT = DRAW.integers(0, 5, N)
Y = NUM[:, 0] + CAT
OPTIONS: dict[str, Any] = {"strategy": None, "rounds": 2, "batch_size": 4, "seed": 0, "prompt": ""}


class Two(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table, self.head = nn.Embedding(5, 4), nn.Linear(7, 1)

    def forward(self, num: torch.Tensor, cat: torch.Tensor) -> torch.Tensor:
        return self.head(torch.cat([num, self.table(cat)], 1)).squeeze(1)


class Sum(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(2, 1)

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return self.head(torch.stack([a, b], 1)).squeeze(1)


class OneHot(nn.Module):
    """Looks up without an embedding: functional.one_hot takes no floats."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(8, 1)

    def forward(self, num: torch.Tensor, cat: torch.Tensor) -> torch.Tensor:
        return self.head(torch.cat([num, functional.one_hot(cat, 5).float()], 1)).squeeze(1)


class Single(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table, self.head = nn.Embedding(5, 4), nn.Linear(4, 1)

    def forward(self, cat: torch.Tensor) -> torch.Tensor:
        return self.head(self.table(cat)).squeeze(1)


class Anything(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = Sum()

    def forward(self, **inputs: torch.Tensor) -> torch.Tensor:
        return self.inner(inputs["a"], inputs["b"])


class Columns(nn.Module):
    """Looks a column of a frame up, as the message about embeddings says."""

    def __init__(self, cast: bool) -> None:
        super().__init__()
        self.cast = cast
        self.table, self.head = nn.Embedding(5, 4), nn.Linear(5, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        place = x[:, 1].long() if self.cast else x[:, 1]
        return self.head(torch.cat([x[:, :1], self.table(place)], 1)).squeeze(1)


def planned(model: nn.Module, given: Any, **options: Any) -> Plan:
    return plan(model, given, **{**OPTIONS, **options})


def parts(made: Plan) -> list[tuple[torch.dtype, tuple[int, ...]]]:
    batch = made.task.batch(made.corpus, "train", np.arange(6))
    return [(part.dtype, tuple(part.shape)) for part in batch[:-1]]


FLOATS, WHOLE = (torch.float32, (6,)), (torch.int64, (6,))


@pytest.mark.parametrize("model", [Two(), OneHot()])
def test_keys_that_forward_names_are_inputs_of_their_own(model: nn.Module) -> None:
    given = {"num": NUM, "cat": CAT, "y": Y}
    wanted = [(torch.float32, (6, 3)), WHOLE]
    assert parts(planned(model, given)) == wanted
    assert parts(planned(model, data.of(given))) == wanted
    assert parts(planned(model, [{"num": NUM[i], "cat": CAT[i], "y": Y[i]} for i in range(N)])) == wanted
    judged = planned(model, given, eval_data={name: array[:20] for name, array in given.items()})
    assert parts(judged) == wanted
    assert len(judged.corpus.validation) == 20


@pytest.mark.parametrize("model", [Sum(), Anything()])
def test_vectors_that_forward_names_stay_apart(model: nn.Module) -> None:
    assert parts(planned(model, {"a": NUM[:, 0], "b": CAT, "y": Y})) == [FLOATS, FLOATS]


def test_a_single_vector_is_whole_for_an_embedding_and_a_row_for_a_layer() -> None:
    assert parts(planned(Single(), {"cat": CAT, "y": Y})) == [WHOLE]
    assert parts(planned(nn.Linear(1, 1), {"input": NUM[:, 0], "y": Y})) == [(torch.float32, (6, 1))]


def test_text_of_a_named_key_is_encoded_under_its_key() -> None:
    given = {"a": NUM[:, 0], "b": np.array(["red", "blue"])[CAT % 2], "y": Y}

    class Encoded(Sum):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(3, 1)

        def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
            return self.head(torch.cat([a[:, None], b], 1)).squeeze(1)

    made = planned(Encoded(), given)
    assert parts(made) == [FLOATS, (torch.float32, (6, 2))]
    assert made.corpus.manifest.inputs[1].names == ("b=blue", "b=red")


def test_a_dict_of_columns_is_one_input_for_a_model_with_one() -> None:
    made = planned(nn.Linear(2, 1), {"a": NUM[:, 0], "b": NUM[:, 1], "y": Y})
    assert parts(made) == [(torch.float32, (6, 2))]
    assert made.corpus.manifest.inputs[0].names == ("a", "b")


def test_a_key_called_x_keeps_its_array_beside_a_vector() -> None:
    with pytest.raises(ModelNotBuildable, match="does not take the inputs 'x', 'weight' of the data"):
        planned(nn.Linear(3, 1), {"x": NUM, "weight": NUM[:, 0], "y": Y})


MISNAMED: dict[str, tuple[nn.Module, Any, str]] = {
    "other keys": (Two(), {"num": NUM, "shop": CAT, "y": Y}, r"Two.forward\(num, cat\) does not take"),
    "columns": (
        Sum(), pl.DataFrame({"a": NUM[:, 0], "b": NUM[:, 1], "y": Y}), r"the input 'x' \(of 'a', 'b'\)",
    ),
    "parts": (Two(), [(NUM[i], CAT[i], Y[i]) for i in range(N)], "'x0', 'x1'"),
}  # fmt: skip


@pytest.mark.parametrize("kind", MISNAMED)
def test_inputs_that_forward_does_not_take_are_named_with_the_way_out(kind: str) -> None:
    model, given, words = MISNAMED[kind]
    with pytest.raises(ModelNotBuildable, match=words) as refused:
        planned(model, given)
    keys = '"num": …, "cat": …' if isinstance(model, Two) else '"a": …, "b": …'
    assert f"whose keys are the parameters of forward, {{{keys}" in str(refused.value)


def test_a_column_of_whole_numbers_is_looked_up_as_the_message_says() -> None:
    frame = pl.DataFrame({"size": NUM[:, 0], "shop": CAT, "y": Y})
    with pytest.raises(ModelNotBuildable, match="An embedding looks up whole numbers") as refused:
        planned(Columns(cast=False), frame)
    assert "x[:, 0] is 'size', x[:, 1] is 'shop'" in str(refused.value)
    assert "self.embedding(x[:, 1].long())" in str(refused.value)
    assert "forward(size, shop)" in str(refused.value)
    planned(Columns(cast=True), frame)


class Amounts(Two):
    def __init__(self) -> None:
        super().__init__()
        self.narrow = nn.Linear(3, 3)

    def forward(self, num: torch.Tensor, cat: torch.Tensor) -> torch.Tensor:
        return super().forward(self.narrow(num), cat)


def test_whole_amounts_beside_an_embedding_are_told_to_be_floats() -> None:
    given = {"num": (NUM * 9).astype(np.int64), "cat": CAT, "y": Y}
    with pytest.raises(ModelNotBuildable, match="whole numbers stay whole: 'num', 'cat'"):
        planned(Amounts(), given)
    assert planned(Amounts(), {**given, "num": given["num"].astype("float32")})


def by_word(model: nn.Module, batch: Any) -> torch.Tensor:
    return functional.mse_loss(model(batch["num"], batch["cat"]), batch["y"])


def by_place(model: nn.Module, batch: Any) -> torch.Tensor:
    num, cat, y = batch
    return functional.mse_loss(model(num, cat), y)


def test_a_loss_of_model_and_batch_is_told_what_the_batch_holds() -> None:
    given = {"num": NUM, "cat": CAT, "y": Y}
    with pytest.raises(ModelNotBuildable, match="batch is a tuple of 3 tensors") as refused:
        planned(Two(), given, loss=by_word)
    for part in (
        "batch[0] is 'num', float32 of shape (2, 3)",
        "batch[1] is 'cat', int64 of shape (2,)",
        "batch[2] is the target 'y', float32 of shape (2,)",
    ):
        assert part in str(refused.value)
    assert planned(Two(), given, loss=by_place)
