"""Models: sizes as promised, the same weights for everyone, and clear words for what cannot be built."""

import sys
import types
from typing import Any

import pytest
import torch
from torch import nn

from subnetlab.errors import ManifestInvalid, ModelNotBuildable
from subnetlab.train import models
from subnetlab.train.models.tiny_gpt import parameters_of


@pytest.mark.parametrize("size", ["demo", "binder", "small"])
def test_the_parameters_are_those_of_the_formula(size: Any) -> None:
    config = models.TinyGPT(size)
    built = sum(p.numel() for p in config.build().parameters())
    assert built == parameters_of(config)


def test_the_sizes() -> None:
    sizes = {size: parameters_of(models.TinyGPT(size)) for size in ("binder", "small", "laptop", "gpu")}
    assert sizes["small"] == 1_025_408
    assert parameters_of(models.TinyGPT("demo")) == 245_888
    assert list(sizes.values()) == sorted(sizes.values())


def test_one_seed_gives_everyone_the_same_weights_and_leaves_the_world_alone(tiny: models.TinyGPT) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, second, other = (models.build(tiny, seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(next(first.parameters()), next(other.parameters()))


@pytest.mark.parametrize("size", ["demo", "binder"])
def test_the_model_cannot_see_the_future(size: Any) -> None:
    model = models.build(models.TinyGPT(size, seq_len=16), 0)
    tokens = torch.randint(0, 256, (1, 16))
    changed = tokens.clone()
    changed[0, 10:] = 7
    with torch.no_grad():
        assert torch.allclose(model(tokens)[0, :10], model(changed)[0, :10], atol=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {"size": "huge"},
        {"n_embd": 33, "n_head": 2},
        {"n_layer": -1},
        {"n_embd": 0},
        {"size": "demo", "n_embd": 33, "n_head": 1},
    ],
)
def test_impossible_sizes_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ModelNotBuildable):
        models.TinyGPT(**options)


class Bigram(nn.Module):
    def __init__(self, vocabulary: int = 256) -> None:
        super().__init__()
        self.table = nn.Embedding(vocabulary, vocabulary)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.table(tokens)


def constant() -> nn.Module:
    return nn.Identity()


def not_a_model() -> str:
    return "model"


def failing() -> nn.Module:
    raise RuntimeError("out of luck")


def complex_() -> nn.Module:
    model = nn.Module()
    model.weight = nn.Parameter(torch.zeros(3, dtype=torch.complex64))
    return model


def lazy() -> nn.Module:
    return nn.LazyLinear(3)


def tied_by_memory() -> nn.Module:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[1].weight.data = model[0].weight.data
    return model


def all_frozen() -> nn.Module:
    return Bigram().requires_grad_(requires_grad=False)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> str:
    """This file as a module that a factory path can name."""
    module = types.ModuleType("factories_of_a_test")
    module.__dict__.update(globals())
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module.__name__


def test_a_factory_builds_and_survives_json(here: str) -> None:
    spec = models.Factory(path=f"{here}:Bigram", seq_len=8, options={"vocabulary": 256})
    back = models.from_json(spec.to_json())
    assert back == spec
    assert sum(p.numel() for p in models.build(back, 0).parameters()) == 256 * 256


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("constant", "no parameters"), ("not_a_model", "returned a str"), ("failing", "out of luck"),
        ("complex_", "complex64"), ("lazy", "no shape"), ("tied_by_memory", "share their memory"),
         ("nowhere", "cannot be imported"), ("all_frozen", "is frozen"),
    ],
)  # fmt: skip
def test_a_model_that_cannot_be_trained_says_why(here: str, name: str, words: str) -> None:
    with pytest.raises(ModelNotBuildable, match=words):
        models.build(models.Factory(path=f"{here}:{name}", seq_len=8), 0)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("no_colon", "names no factory"),
        ("no.such.module:f", "cannot be imported"),
        ("__main__:f", "this notebook"),
    ],
)
def test_a_path_that_leads_nowhere_says_so(path: str, words: str) -> None:
    with pytest.raises(ModelNotBuildable, match=words):
        models.Factory(path=path, seq_len=8).build()


def test_a_cell_travels_as_source() -> None:
    spec = models.source(Bigram, seq_len=8, vocab_size=256)
    back = models.from_json(spec.to_json())
    assert back == spec
    assert sum(p.numel() for p in models.build(back, 0).parameters()) == 256 * 256


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def make(): return nn.Linear(1, 1)", "out of luck|failed with NameError"),
        ("import no_such_module", "does not run by itself"),
        ("def other(): pass", "does not define"),
        ("def make(:", "does not run by itself"),
    ],
)
def test_source_that_does_not_stand_alone_says_why(text: str, words: str) -> None:
    with pytest.raises(ModelNotBuildable, match=words):
        models.Source(text=text, name="make", seq_len=8).build()


def test_source_must_be_known() -> None:
    with pytest.raises(ModelNotBuildable, match="not known"):
        models.source(len, seq_len=8)  # type: ignore[arg-type]


def test_an_unknown_kind_is_no_manifest() -> None:
    with pytest.raises(ManifestInvalid):
        models.from_json({"kind": "Oracle"})
