"""Models of one's own through whole runs: judged, loaded, saved, exported, gone on with."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

import subnetlab as sl
from subnetlab.errors import ModelNotBuildable, RunNotFinished
from subnetlab.lab.plan import initial_loss
from subnetlab.lab.session import Net

from .proofs import judged_is_loaded, saved_is_read_elsewhere

TEXT = "to be, or not to be, that is the question: whether 'tis nobler in the mind to suffer " * 60
LETTERS = sorted(set(TEXT))
VOCABULARY = 65
"""An export loads a compiler, and each peer of a Hugging Face model its library."""
FLEET: dict[str, Any] = {"miners": 2, "validators": 2, "baseline": False}


class Attention(nn.Module):
    def __init__(self, width: int, longest: int) -> None:
        super().__init__()
        self.all = nn.Linear(width, 3 * width, bias=False)
        self.drop = nn.Dropout(0.2)
        self.register_buffer("mask", torch.ones(longest, longest, dtype=torch.bool).tril())

    def forward(self, x):
        q, k, v = self.all(x).chunk(3, -1)
        length = x.shape[1]
        scores = (q @ k.transpose(1, 2)) / q.shape[-1] ** 0.5
        scores = scores.masked_fill(~self.mask[:length, :length], float("-inf"))
        return self.drop(functional.softmax(scores, -1)) @ v


class CharGPT(nn.Module):
    """As nanoGPT's: tied head, dropout, a causal mask as buffer, a frozen table of places."""

    def __init__(self, vocab_size: int, width: int = 24, block_size: int = 16) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocab_size, width)
        self.places = nn.Parameter(0.02 * torch.randn(block_size, width), requires_grad=False)
        self.attention = Attention(width, block_size)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocab_size, bias=False)
        self.head.weight = self.tokens.weight

    def forward(self, tokens):
        x = self.tokens(tokens) + self.places[: tokens.shape[1]]
        return self.head(self.norm(x + self.attention(x)))


def letters() -> Any:
    return sl.data.dataset([[LETTERS.index(letter) for letter in TEXT]], vocab_size=VOCABULARY)


def test_a_character_model_as_it_is_in_a_notebook(net: Net, tmp_path: Path) -> None:
    subnet = net.create_subnet("letters", wallet="alice")
    spec = sl.models.source(lambda: CharGPT(VOCABULARY), seq_len=16, vocab_size=VOCABULARY)
    run = subnet.train(
        model=spec, data=letters(), rounds=3, prompt="", fleet=sl.LocalFleet(**FLEET),
        strategy=sl.strategies.SparseLoCo(inner_steps=5),
    ).wait(300)  # fmt: skip
    model: Any = judged_is_loaded(run)
    assert model.head.weight is model.tokens.weight
    assert torch.equal(model.places, sl.models.build(spec, 0).places)  # type: ignore[arg-type]
    verdicts: dict[Any, set[float]] = {}
    for row in run.frame("validators").to_dicts():
        verdicts.setdefault((row["round"], row["uid"]), set()).add(row["loss_removed_held_out"])
    assert verdicts
    assert all(len(found) == 1 for found in verdicts.values()), "dropout is off while judging"
    earlier, later = run.state_dict(round=1), run.state_dict()
    assert not torch.equal(earlier["head.weight"], later["head.weight"])
    with pytest.raises(RunNotFinished, match="Round 9"):
        run.state_dict(round=9)
    inputs = torch.arange(12).view(1, 12)
    saved = saved_is_read_elsewhere(run, model, inputs, tmp_path / "letters")

    going_on = subnet.train(
        model=spec, data=letters(), rounds=1, prompt="", init=saved, fleet=sl.LocalFleet(**FLEET),
        strategy=sl.strategies.SparseLoCo(inner_steps=2),
    ).wait(300)  # fmt: skip
    assert initial_loss(going_on.folder) == run.view.val_loss[2]
    judged_is_loaded(going_on)


class Moody(nn.Module):
    """Prints, and fails once it has been trained on more batches than it likes."""

    def __init__(self, patience: int) -> None:
        super().__init__()
        self.table = nn.Embedding(256, 256)
        self.patience, self.trained = patience, 0

    def forward(self, tokens):
        print("a model that talks", flush=True)
        self.trained += self.training
        if self.trained > self.patience:
            raise ValueError("enough of this")
        return self.table(tokens)


def test_a_model_that_raises_in_the_middle_ends_the_run_by_its_name(net: Net) -> None:
    run = net.create_subnet("moody", wallet="alice").train(
        model=sl.models.source(Moody, seq_len=8, patience=5), data=sl.data.text(TEXT), rounds=9,
        strategy=sl.strategies.SparseLoCo(inner_steps=2), fleet=sl.LocalFleet(**FLEET),
    ).wait(300)  # fmt: skip
    assert run.status == "failed"
    assert run.round == 2
    words = "Every miner is gone. The model failed as it was trained on a batch of shape (4, 8)"
    assert words in run.headline
    assert "ValueError: enough of this" in run.headline
    assert run.model.table.weight.isfinite().all()  # type: ignore[union-attr, operator]


class Short(nn.Module):
    """Answers for one token too few, or rolls dice while it is judged."""

    def __init__(self, missing: int = 1, chance: float = 0.0) -> None:
        super().__init__()
        self.table, self.missing, self.chance = nn.Embedding(256, 256), missing, chance

    def forward(self, tokens):
        return functional.dropout(self.table(tokens[:, self.missing :]), self.chance)


def dice() -> nn.Module:
    return Short(0, 0.5)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (lambda: sl.models.of(Short, seq_len=8), r"shape \(2, 7, 256\), not \(2, 8, 256\)"),
        (lambda: sl.models.source(dice, seq_len=8), "differs between two passes"),
        (lambda: Short(0), "how many tokens"),
        (lambda: 3, "An int is no model"),
    ],
)
def test_a_model_that_does_not_fit_costs_nothing(net: Net, model: Any, words: str) -> None:
    subnet = net.create_subnet("fits", wallet="alice")
    before = net.balance("alice"), net.block, len(sl.runs())
    with pytest.raises(ModelNotBuildable, match=words):
        subnet.train(model=model(), data=sl.data.text(TEXT))
    assert (net.balance("alice"), net.block, len(sl.runs())) == before


def test_a_tiny_gpt2_of_transformers(net: Net, tmp_path: Path) -> None:
    import transformers

    config = transformers.GPT2Config(
        vocab_size=256, n_positions=16, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0
    )
    torch.manual_seed(3)
    first = transformers.GPT2LMHeadModel(config)
    run = net.create_subnet("gpt2", wallet="alice").train(
        model=first, data=sl.data.text(TEXT), rounds=2, fleet=sl.LocalFleet(**FLEET),
        strategy=sl.strategies.SparseLoCo(inner_steps=3),
    ).wait(300)  # fmt: skip
    model: Any = judged_is_loaded(run)
    assert model.lm_head.weight is model.transformer.wte.weight
    moved = (model.lm_head.weight - first.lm_head.weight).abs().max()
    assert 0 < moved < 0.1, "training began from the weights of the instance"
    inputs = torch.arange(8).view(1, 8)
    saved = saved_is_read_elsewhere(run, model, inputs, tmp_path / "gpt2", onnx=False)
    again = transformers.AutoModelForCausalLM.from_pretrained(saved)
    assert all(torch.equal(part, again.state_dict()[name]) for name, part in model.state_dict().items())
    assert initial_loss(run.folder) != run.view.val_loss[0]


def test_the_model_that_comes_along_goes_to_onnx_too(net: Net, tmp_path: Path) -> None:
    run = net.create_subnet("tiny", wallet="alice").train(
        model=sl.models.TinyGPT("binder"), data=sl.data.text(TEXT), rounds=1, fleet=sl.LocalFleet(**FLEET),
        strategy=sl.strategies.SparseLoCo(inner_steps=2),
    ).wait(300)  # fmt: skip
    model = judged_is_loaded(run)
    saved_is_read_elsewhere(run, model, torch.arange(9).view(1, 9), tmp_path / "tiny", ours=True)
