"""What a person has becomes a specification that builds the same model from its JSON alone."""

import itertools
import json
import linecache
import subprocess
import sys
import threading
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from subnetlab.errors import ModelNotBuildable
from subnetlab.train import models
from subnetlab.train.models.tensors import fill, tensors_of

_NUMBERS = itertools.count()


Notebook = Callable[..., dict[str, Any]]


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Notebook:
    """Runs cells one after the other as a kernel does; what they define is `__main__`."""

    def run(*cells: str) -> dict[str, Any]:
        main = types.ModuleType("__main__")
        monkeypatch.setitem(sys.modules, "__main__", main)
        for cell in cells:
            filename = f"/tmp/ipykernel_1/{next(_NUMBERS)}.py"
            linecache.cache[filename] = (len(cell), None, cell.splitlines(keepends=True), filename)
            exec(compile(cell, filename, "exec"), main.__dict__)
        return main.__dict__

    return run


def elsewhere(spec: models.ModelSpec, tmp_path: Path, call: str) -> str:
    """What a process that knows the JSON alone prints of the model that it builds."""
    path = tmp_path / "model.json"
    path.write_text(json.dumps(spec.to_json()))
    program = (
        "import json, sys, torch\nfrom subnetlab.train import models\n"
        "model = models.build(models.from_json(json.load(open(sys.argv[1]))), 0)\n"
        f"print({call})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


NOTEBOOK = '''\
import math
import torch
import torch.nn as nn
from torch.nn import functional as F
from dataclasses import dataclass
from functools import partial
# %%
WIDTH = 8
RATES = {'dropout': 0.1, 'scale': float('inf')}
KIND = torch.float32
TABLE = torch.arange(4.0)
# %%
@dataclass
class Config:
    width: int = 4
    deep: tuple = (1, 2)
# %%
def squared(x):
    """Of one
  and another."""
    return relu(x) ** 2
relu = lambda x: F.relu(x) * one()
# %%
def one():
    return TABLE[1] / math.sqrt(1)
# %%
class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.inner = nn.Linear(config.width, config.width)
    def forward(self, x):
        return x + squared(self.inner(x))
# %%
make_norm = partial(nn.LayerNorm, elementwise_affine=False)
# %%
class Net(Block):
    kind = KIND
    def __init__(self, config: Config = Config(WIDTH)):
        super().__init__(config)
        self.blocks = nn.ModuleList(Block(config) for _ in config.deep)
        self.norm = make_norm(config.width)
        self.out = nn.Linear(config.width, 256)
    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.out(self.norm(x))
'''
CELLS = NOTEBOOK.split("# %%\n")


def test_a_class_brings_everything_of_other_cells_along(notebook: Notebook, tmp_path: Path) -> None:
    space = notebook(*CELLS)
    spec = models.of(space["Net"], seq_len=8)
    assert isinstance(spec, models.Source)
    assert "math" in spec.text
    assert "RATES" not in spec.text  # nothing uses it
    torch.manual_seed(0)
    here = space["Net"]()(torch.ones(1, 8)).sum().item()
    assert float(elsewhere(spec, tmp_path, "model(torch.ones(1, 8)).sum().item()")) == here


def test_a_config_of_a_cell_is_an_option(notebook: Notebook, tmp_path: Path) -> None:
    space = notebook(*CELLS)
    spec = models.of(space["Net"], config=space["Config"](width=6, deep=(1, 2, 3)))
    assert elsewhere(spec, tmp_path, "(len(model.blocks), model.out.in_features)") == "(3, 6)"


def test_a_lambda_of_a_cell_is_a_factory(notebook: Notebook, tmp_path: Path) -> None:
    space = notebook(*CELLS, "make = lambda: Net(Config(WIDTH * 2))\n")
    assert elsewhere(models.of(space["make"]), tmp_path, "model.out.in_features") == "16"


def test_a_cell_run_again_is_what_travels(notebook: Notebook, tmp_path: Path) -> None:
    space = notebook(*CELLS, CELLS[2].replace("int = 4", "int = 5"), "make = lambda: Net(Config())\n")
    assert elsewhere(models.of(space["make"]), tmp_path, "model.out.in_features") == "5"


def test_a_class_of_a_library_is_named() -> None:
    spec = models.of(nn.Linear, in_features=3, out_features=1)
    assert spec == models.Factory(
        path="torch.nn.modules.linear:Linear", options={"in_features": 3, "out_features": 1}
    )


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (
            "import threading\nlock = threading.Lock()\ndef make():\n    with lock: return nn.Linear(1, 1)\n",
            "'lock', a lock",
        ),
        (
            "log = open('/dev/null')\ndef make():\n    print(file=log); return nn.Linear(1, 1)\n",
            "'log', a TextIOWrapper",
        ),
        ("big = torch.zeros(5000)\ndef make():\n    return nn.Linear(len(big), 1)\n", "'big', a Tensor"),
        ("make = lambda: nothing\n", "nothing"),
        ("make = 'gpt2'\n", "A str is no model"),
        ("class make: pass\n", "no torch.nn.Module"),
    ],
)
def test_what_cannot_travel_is_refused_by_name(notebook: Notebook, cell: str, words: str) -> None:
    space = notebook("import torch\nfrom torch import nn\n", cell)
    with pytest.raises(ModelNotBuildable, match=words):
        models.of(space["make"]).build()
    if "log" in space:
        space["log"].close()


def same(a: nn.Module, b: nn.Module) -> bool:
    ours, theirs = a.state_dict(), b.state_dict()
    return list(ours) == list(theirs) and all(torch.equal(part, theirs[name]) for name, part in ours.items())


TIED = """\
class Tied(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.e = nn.Embedding(65, config.width)
        self.body = nn.Sequential(Block(config), nn.Dropout(0.1))
        self.again = self.body[0]
        self.rnn = nn.LSTM(config.width, config.width)
        self.head = nn.Linear(config.width, 65, bias=False)
        self.head.weight = self.e.weight
        self.act = F.relu
        self.own = squared
        self.register_buffer('table', torch.randn(3), persistent=False)
        self.norm = nn.BatchNorm1d(config.width)
    def forward(self, t):
        x = self.own(self.again(self.body(self.e(t))))
        x, _ = self.rnn(x)
        return self.act(self.head(x)) + self.table.sum() * self.config.width
"""


def test_an_instance_comes_back_with_its_weights_ties_and_buffers(notebook: Notebook, tmp_path: Path) -> None:
    space = notebook(
        *CELLS,
        TIED,
    )
    model = space["Tied"](space["Config"](width=4)).eval()
    model.e.weight.requires_grad_(requires_grad=False)
    spec = models.of(model, seq_len=8)
    assert isinstance(spec, models.Instance)
    again = models.build(models.from_json(json.loads(json.dumps(spec.to_json()))), 0)
    fill(again, models.weights_of(spec))
    assert same(model, again)
    assert again.head.weight is again.e.weight
    assert again.again is again.body[0]
    assert not again.e.weight.requires_grad
    tokens = torch.arange(6).view(1, 6)
    assert torch.equal(model(tokens), again.eval()(tokens))
    assert list(tensors_of(model)) == list(tensors_of(again))
    assert elsewhere(spec, tmp_path, "type(model.config).__name__") == "Config"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda model: setattr(model, "lock", threading.Lock()), r"model\.lock is a lock"),
        (lambda model: model[0].register_forward_hook(print), r"model\.0 has hooks"),
        (lambda model: nn.utils.parametrizations.weight_norm(model[0]), r"model\.0 is a Parametrized"),
        (lambda model: setattr(model[0], "stream", sys.stdout), r"model\.0\.stream is a"),
    ],
)
def test_an_instance_that_holds_more_than_numbers_is_refused_by_the_place(spoil: Any, words: str) -> None:
    model = nn.Sequential(nn.Linear(2, 2))
    spoil(model)
    with pytest.raises(ModelNotBuildable, match=words):
        models.of(model)


@pytest.mark.parametrize(
    ("model", "call"),
    [
        (nn.MultiheadAttention(8, 2, batch_first=True), lambda m: m(*[torch.ones(1, 3, 8)] * 3)[0]),
        (
            nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2),
            lambda m: m(torch.ones(1, 3, 8)),
        ),
        (nn.GRU(4, 5, 2, bidirectional=True), lambda m: m(torch.ones(2, 1, 4))[0]),
        (
            nn.Sequential(
                nn.Conv2d(1, 4, 3, padding="same"), nn.BatchNorm2d(4), nn.AdaptiveAvgPool2d(1), nn.Flatten()
            ),
            lambda m: m(torch.ones(2, 1, 8, 8)),
        ),
        (nn.ModuleDict({"a": nn.Bilinear(2, 3, 4)}), lambda m: m["a"](torch.ones(1, 2), torch.ones(1, 3))),
        (nn.ParameterDict({"a": nn.Parameter(torch.ones(2))}), lambda m: m["a"]),
        (nn.Sequential(nn.Unflatten(1, (2, 2)), nn.Conv1d(2, 2, 1)), lambda m: m(torch.ones(1, 4))),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_layers_of_torch_come_back_as_they_were(model: nn.Module, call: Any) -> None:
    spec = models.of(model.eval())
    again = models.build(models.from_json(json.loads(json.dumps(spec.to_json()))), 0).eval()
    fill(again, models.weights_of(spec))
    assert same(model, again)
    assert torch.equal(call(model), call(again))


def test_weights_that_do_not_fit_are_refused_before_any_is_set() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    before = {name: part.clone() for name, part in model.state_dict().items()}
    for change, words in (
        ({"1.bias": torch.zeros(2)}, r"'1.bias' has shape \(2,\); the model's has \(1,\)"),
        ({"2.bias": torch.zeros(2)}, "nothing called '2.bias'"),
    ):
        with pytest.raises(ModelNotBuildable, match=words):
            fill(model, {**{name: part + 1 for name, part in before.items()}, **change})
    with pytest.raises(ModelNotBuildable, match=r"lack '0\.bias', '1\.weight', '1\.bias'"):
        fill(model, {"0.weight": torch.zeros(2, 2)})
    assert all(torch.equal(part, before[name]) for name, part in model.state_dict().items())


def test_a_config_of_transformers_makes_the_model_that_it_names(tmp_path: Path) -> None:
    import transformers

    config = transformers.GPT2Config(
        vocab_size=300, n_positions=512, n_embd=8, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0
    )
    spec = models.of(config)
    assert isinstance(spec, models.HuggingFace)
    assert (spec.seq_len, spec.vocab_size) == (128, 300)
    assert models.of(config, seq_len=16).to_json()["seq_len"] == 16
    assert elsewhere(spec, tmp_path, "type(model).__name__") == "GPT2LMHeadModel"
    config.architectures = ["GPT2ForSequenceClassification"]
    assert elsewhere(models.of(config), tmp_path, "type(model).__name__") == "GPT2ForSequenceClassification"
    config.architectures = ["Nothing"]
    with pytest.raises(ModelNotBuildable, match="cannot build Nothing"):
        models.of(config).build()

    class Mine(transformers.GPT2LMHeadModel):
        pass

    with pytest.raises(ModelNotBuildable, match="Mine is not a class of transformers itself"):
        models.of(Mine(transformers.GPT2Config(n_embd=8, n_layer=1, n_head=2, vocab_size=9)))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"foo": 1}, "Linear takes no option 'foo'. It takes in_features"),
        ({"in_feature": 4, "out_features": 1}, "Did you mean in_features=?"),
        ({"in_features": 4}, "missing a required argument: 'out_features'"),
        ({}, "missing a required argument: 'in_features'"),
    ],
)
def test_options_are_compared_with_what_a_class_takes_before_it_is_built(options: Any, words: str) -> None:
    with pytest.raises(ModelNotBuildable) as refused:
        models.of(nn.Linear, **options)
    assert words in str(refused.value)
