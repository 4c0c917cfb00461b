"""Classification, regression, losses of one's own: found, measured, carried in manifests, refused."""

import json
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from torch import nn
from torch.nn import functional

from subnetlab.errors import (
    ArgumentInvalid,
    DataInvalid,
    ManifestInvalid,
    ManifestOfAnotherVersion,
    ModelNotBuildable,
)
from subnetlab.train import data, tasks
from subnetlab.train.data import Corpus
from subnetlab.train.tasks import Classification, Measures, NextToken, Own, Regression, Task
from subnetlab.train.tasks.check import check, check_memory
from subnetlab.train.tasks.find import find
from subnetlab.train.tasks.metrics import accuracy, macro_f1, mae, r2
from subnetlab.train.tasks.travel import code_of

DRAW = np.random.default_rng(5)
X = DRAW.normal(size=(60, 4)).astype(np.float32)
NUMBERS = X @ np.array([1.0, -2.0, 0.5, 0.0], dtype=np.float32)
PLACES = (X[:, :3].argmax(1)).astype(np.int64)
TEXTS = np.array(["cat", "dog", "eel"])[PLACES]


def net(outputs: int, inputs: int = 4) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(inputs, outputs))


def corpus(x: Any, y: Any) -> Corpus:
    return data.of((x, y)).load()


def chosen(x: Any, y: Any, model: nn.Module, **options: Any) -> tuple[Task, Corpus]:
    found = corpus(x, y)
    task = find(options.pop("task", None), None, model, found, **options)
    again = tasks.from_json(json.loads(json.dumps(tasks.to_json(task))))
    assert again == task
    check(again, model, found)
    return again, found


@pytest.mark.parametrize(
    ("y", "outputs", "kind", "classes"),
    [
        (TEXTS, 3, Classification, ("cat", "dog", "eel")),
        (PLACES, 3, Classification, (0, 1, 2)),
        (PLACES, 10, Classification, tuple(range(10))),
        (PLACES * 10 + 5, 3, Classification, (5, 15, 25)),
        (PLACES > 0, 2, Classification, (False, True)),
        (PLACES > 0, 1, Classification, (False, True)),
        ((PLACES > 0).astype(np.int64), 1, Classification, (0, 1)),
        (np.where(PLACES > 0, 1, -1), 2, Classification, (-1, 1)),
        (NUMBERS, 1, Regression, None),
        (NUMBERS[:, None], 1, Regression, None),
        (X[:, :2], 2, Regression, None),
        (PLACES * 100, 1, Regression, None),
    ],
)
def test_a_task_is_found_by_the_target_and_the_model(y: Any, outputs: int, kind: Any, classes: Any) -> None:
    task, found = chosen(X, y, net(outputs))
    assert type(task) is kind
    assert getattr(task, "classes", None) == classes
    numbers = np.arange(6)
    batch = task.batch(found, "train", numbers)
    model = net(outputs)
    assert task.losses(model, batch).shape == (6,)
    with torch.no_grad():
        mean = float(task.losses(model, batch).mean())
        assert mean == pytest.approx(float(task.loss(model, batch)), rel=1e-5)


def test_places_are_those_of_the_classes() -> None:
    task, found = chosen(X, PLACES * 10 + 5, net(3))
    targets = task.batch(found, "train", np.arange(20))[-1]
    assert (targets.numpy() * 10 + 5 == found.train["y"][:20]).all()


def test_a_name_chooses_the_task() -> None:
    assert isinstance(chosen(X, PLACES, net(1), task="regression")[0], Regression)
    assert isinstance(chosen(X, PLACES, net(3), task="classification")[0], Classification)


def test_a_task_of_ones_own_choice_is_taken() -> None:
    given = Classification(classes=("eel", "dog", "cat"))
    task, found = chosen(X, TEXTS, net(3), task=given)
    assert task == given
    target = found.manifest.target
    assert target is not None
    places = task.batch(found, "train", np.arange(9))[-1].tolist()
    assert [given.classes[i] for i in places] == [target.classes[i] for i in found.train["y"][:9]]


def test_images_are_floats_from_zero_to_one() -> None:
    images = DRAW.integers(0, 256, size=(60, 1, 4, 4)).astype(np.uint8)
    task, found = chosen(images, PLACES, net(3, 16))
    x = task.batch(found, "train", np.arange(5))[0]
    assert x.dtype == torch.float32
    assert 0 <= float(x.min()) < float(x.max()) <= 1


class Embedded(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table, self.head = nn.Embedding(50, 8), nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.table(x).mean(1))


def test_whole_numbers_stay_whole_for_an_embedding_and_are_floats_for_a_layer() -> None:
    whole = DRAW.integers(0, 50, size=(60, 4))
    task, found = chosen(whole, PLACES, Embedded())
    assert task.batch(found, "train", np.arange(5))[0].dtype == torch.int64
    task, found = chosen(whole, PLACES, net(3))
    assert task.batch(found, "train", np.arange(5))[0].dtype == torch.float32


class Tagger(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table, self.head = nn.Embedding(50, 8), nn.Linear(8, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.table(x))


def test_a_class_per_token() -> None:
    whole = DRAW.integers(0, 50, size=(60, 4))
    task, _ = chosen(whole, whole % 5, Tagger())
    assert isinstance(task, Classification)
    assert task.classes == (0, 1, 2, 3, 4)


class Named(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(5, 3)

    def forward(self, values: torch.Tensor, mask: torch.Tensor) -> Any:
        return type("Output", (), {"logits": self.head(torch.cat([values, mask], 1)), "loss": None})()


def test_several_inputs_are_given_by_name_and_an_object_with_logits_is_read() -> None:
    found = data.of({"values": X, "mask": np.ones((60, 1)), "y": PLACES}).load()
    task = find(None, None, Named(), found)
    check(task, Named(), found)
    assert tasks.to_json(task)["inputs"] == ["values", "mask"]


def test_metrics_are_those_of_the_definitions() -> None:
    said, true = torch.tensor([0, 0, 1, 1, 2]), torch.tensor([0, 1, 1, 1, 0])
    assert accuracy(said, true) == pytest.approx(3 / 5)
    assert macro_f1(said, true) == pytest.approx((0.5 + 0.8 + 0) / 3)
    outputs, targets = torch.tensor([[1.0], [2.0], [4.0]]), torch.tensor([[1.0], [2.0], [3.0]])
    assert r2(outputs, targets) == pytest.approx(0.5)
    assert mae(outputs, targets) == pytest.approx(1 / 3)


def worst(outputs: torch.Tensor, targets: torch.Tensor) -> float:
    return float((outputs - targets).abs().max())


def nothing(outputs: torch.Tensor, targets: torch.Tensor) -> float:
    return float("nan")


def test_tasks_measure_what_they_and_a_person_name() -> None:
    own = {"worst": code_of(worst, "metric"), "nothing": code_of(nothing, "metric")}
    task, found = chosen(X, NUMBERS, net(1), metrics=own)
    assert isinstance(task, Measures)
    model = net(1).eval()
    batches = [
        task.batch(found, "validation", np.arange(3)),
        task.batch(found, "validation", np.arange(3, 6)),
    ]
    with torch.no_grad():
        told = task.measure(model, batches)
        outputs = model(torch.from_numpy(found.validation["x"].copy())).squeeze(1)
    errors = outputs - torch.from_numpy(found.validation["y"].copy())
    assert set(told) == {"r2", "mae", "worst"}
    assert told["worst"] == pytest.approx(float(errors.abs().max()))
    assert told["mae"] == pytest.approx(float(errors.abs().mean()))


def huber(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return functional.huber_loss(outputs, targets, delta=2.0)


def by_item(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return (outputs - targets).square()


def of_the_batch(model: nn.Module, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
    x, y = batch
    return functional.l1_loss(model(x).squeeze(1), y)


STEEP = 2.0
LOSSES: dict[str, tuple[Any, Any]] = {
    "a mean": (huber, lambda e: functional.huber_loss(e, torch.zeros_like(e), delta=2.0, reduction="none")),
    "one per item": (by_item, torch.square),
    "of model and batch": (of_the_batch, torch.abs),
    "of torch": (functional.l1_loss, torch.abs),
    "a module": (nn.SmoothL1Loss(beta=0.5), lambda e: functional.smooth_l1_loss(
        e, torch.zeros_like(e), beta=0.5, reduction="none")),
    "a lambda": (lambda o, t: STEEP * (o - t).abs().mean(), lambda e: 2 * e.abs()),
}  # fmt: skip


@pytest.mark.parametrize("kind", LOSSES)
def test_a_loss_of_ones_own_is_measured_item_by_item(kind: str) -> None:
    given, expected = LOSSES[kind]
    task, found = chosen(X, NUMBERS, net(1), loss=code_of(given, "loss"))
    assert isinstance(task, Own)
    model, batch = net(1), task.batch(found, "train", np.arange(7))
    errors = model(batch[0]).squeeze(1) - batch[1]
    assert torch.allclose(task.losses(model, batch), expected(errors), atol=1e-6)
    mean = float(task.loss(model, batch).detach())
    assert mean == pytest.approx(float(expected(errors).mean().detach()), rel=1e-5)


def test_without_a_target_a_loss_compares_with_the_inputs() -> None:
    found = data.of(X).load()
    model = net(4)
    task = find(None, None, model, found, loss=code_of(nn.MSELoss(), "loss"))
    check(task, model, found)
    with pytest.raises(DataInvalid, match="no target"):
        find(None, None, model, found)


def test_code_of_others_is_not_run() -> None:
    task, _ = chosen(X, NUMBERS, net(1), loss=code_of(huber, "loss"))
    with pytest.raises(ManifestInvalid, match="code of its author"):
        tasks.from_json(tasks.to_json(task), trusted=False)


def test_what_is_no_function_is_refused() -> None:
    kept = open(__file__)  # noqa: SIM115, PTH123
    for strange, words in (
        (3, "is an int"),
        (nn.MSELoss, "is the class MSELoss"),
        (lambda o, t: kept, "cannot reach"),
    ):
        with pytest.raises(ArgumentInvalid, match=words):
            code_of(strange, "loss")  # pyright: ignore[reportArgumentType]
    kept.close()


def missing(outputs: Any, targets: Any) -> Any:
    return outputs.missing


WRONG: dict[str, tuple[Any, nn.Module, dict[str, Any], type[Exception], str]] = {
    "too few logits": (TEXTS, net(2), {}, ModelNotBuildable, "2 numbers per item, and the target 'y' has 3"),
    "another shape": (X[:, :2], net(3), {}, ModelNotBuildable, r"shape \(2, 3\), not \(2, 2\)"),
    "an unknown task": (TEXTS, net(3), {"task": "clustering"}, ArgumentInvalid, "No task is called"),
    "tokens of a table": (TEXTS, net(3), {"task": "next_token"}, DataInvalid, "is a table"),
    "numbers of classes": (TEXTS, net(1), {"task": "regression"}, DataInvalid, "holds classes"),
    "classes of numbers": (NUMBERS, net(3), {"task": "classification"}, DataInvalid, "holds fractions"),
    "a prompt for a table": (TEXTS, net(3), {"prompt": "def "}, ArgumentInvalid, "continues a prompt"),
    "a metric that fails": (
        NUMBERS, net(1), {"metrics": {"odd": code_of(missing, "m")}}, ModelNotBuildable, "'odd' failed",
    ),
    "a loss that fails": (
        NUMBERS, net(1), {"loss": code_of(missing, "m")}, ModelNotBuildable,
        r"The loss 'missing' failed on outputs of shape \(2,\)",
    ),
    "a loss that is none": (
        NUMBERS, net(1), {"loss": code_of(lambda o, t: 3, "m")}, ModelNotBuildable, "returned an int",
    ),
    "a metric under the task's own name": (
        NUMBERS, net(1), {"metrics": {"r2": code_of(worst, "m")}}, ArgumentInvalid, "measures 'r2' by itself",
    ),
    "a class nobody named": (
        TEXTS, net(2), {"task": Classification(classes=("cat", "dog"))}, DataInvalid, "'eel'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG)
def test_what_does_not_fit_is_said(kind: str) -> None:
    y, model, options, error, words = WRONG[kind]
    with pytest.raises(error, match=words):
        chosen(X, y, model, **options)


@pytest.mark.parametrize("outputs", [1, 2, 3])
@pytest.mark.parametrize("value", ["tabby", True])
def test_a_target_of_one_value_is_refused_by_its_name(value: Any, outputs: int) -> None:
    found = data.of(pl.DataFrame({"size": X[:, 0], "kind": [value] * 60}), target="kind").load()
    with pytest.raises(DataInvalid, match=f"the same value {value!r} in the target 'kind'") as refused:
        find(None, None, net(outputs, 1), found)
    assert "Add rows of another class, or name another column" in str(refused.value)


def test_a_number_that_never_changes_is_no_class_where_classification_is_asked_for() -> None:
    with pytest.raises(DataInvalid, match="the same value 7 in the target 'y'"):
        chosen(X, np.full(60, 7), net(1), task="classification")


@pytest.mark.parametrize("classes", [(), ("cat",), ("cat", "cat")])
def test_classification_without_two_classes_is_refused(classes: tuple[str, ...]) -> None:
    with pytest.raises(ArgumentInvalid, match="has nothing to tell apart"):
        Classification(classes=classes)
    told = {"kind": "classification", "classes": list(classes)}
    with pytest.raises(ManifestOfAnotherVersion, match="nothing to tell apart"):
        tasks.from_json(told)


def test_a_batch_beyond_memory_is_refused() -> None:
    task, found = chosen(X, NUMBERS, net(1))
    check_memory(task, net(1), found, batch_size=1000, free=10**9)
    with pytest.raises(ArgumentInvalid, match=r"batch of 1,000,000,000 items takes about") as refused:
        check_memory(task, net(1), found, batch_size=10**9, free=10**9)
    assert "batch_size of at most" in str(refused.value)


class Language(nn.Module):
    block_size = 8

    def __init__(self, vocab_size: int) -> None:
        super().__init__()
        self.table = nn.Sequential(nn.Embedding(vocab_size, 4), nn.Linear(4, vocab_size))

    def forward(self, x: torch.Tensor, targets: torch.Tensor | None = None) -> Any:
        logits = self.table(x)
        return (logits, logits.sum()) if targets is not None else (logits[:, [-1]], None)


@pytest.mark.parametrize("vocab_size", [65, 256, 1_000, 50_257])
def test_tokens_of_any_vocabulary_are_learned_and_shown(vocab_size: int) -> None:
    tokens = np.arange(3_000) * 7 % vocab_size
    found = data.of(tokens).load()
    model = Language(vocab_size)
    task = find(None, None, model, found)
    assert isinstance(task, NextToken)
    assert (task.seq_len, task.vocab_size) == (8, vocab_size)
    check(task, model, found)
    sample = task.sample(model.eval())
    assert sample is not None
    assert sample.text
    assert sample.prompt == ("def " if vocab_size == 256 else " ".join(map(str, found.validation[:8])))


def test_data_beyond_the_vocabulary_is_refused_in_a_sentence() -> None:
    found = data.of(np.arange(3_000) % 1_000).load()
    with pytest.raises(DataInvalid, match=r"holds the token 999, and the model knows tokens below 65"):
        find(None, None, Language(65), found)


def test_characters_are_prompted_and_sampled_as_text() -> None:
    found = data.text("hello wörld " * 40, characters=True).load()
    model = Language(len(found.manifest.words))
    task = find(None, None, model, found, prompt="wör")
    assert tasks.from_json(json.loads(json.dumps(tasks.to_json(task)))) == task
    sample = task.sample(model)  # pyright: ignore[reportAttributeAccessIssue]
    assert sample.prompt == "wör"
    assert set(sample.text) <= set("hello wörld ")
    with pytest.raises(ArgumentInvalid, match="'x'"):
        find(None, None, model, found, prompt="xyz")


@pytest.mark.parametrize("prompt", [[70], "1 x", [-1]])
def test_a_prompt_in_other_words_is_refused(prompt: Any) -> None:
    found = data.of(np.arange(3_000) % 65).load()
    with pytest.raises(ArgumentInvalid, match="prompt"):
        find(None, None, Language(65), found, prompt=prompt)


def test_a_frame_says_what_its_features_are() -> None:
    frame = pl.DataFrame({"a": X[:, 0], "kind": TEXTS, "y": NUMBERS})
    found = data.of(frame).load()
    task = find(None, None, net(1), found)
    check(task, net(1), found)
    assert found.manifest.inputs[0].names == ("a", "kind=cat", "kind=dog", "kind=eel")


def test_a_model_too_narrow_for_encoded_text_is_told_the_features() -> None:
    found = data.of(pl.DataFrame({"size": X[:, 0], "pet": TEXTS, "y": NUMBERS})).load()
    with pytest.raises(ModelNotBuildable, match="4 features: 'size', 'pet=cat', 'pet=dog', 'pet=eel'"):
        check(Regression(), net(1, inputs=2), found)
