"""The model in a run's file: what was saved comes back the same, a stranger's is built without its code."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from tests.sdk.lab.recorded_model import with_model
from torch import nn

import subnetlab as sl
from subnetlab.errors import ModelNotBuildable, RunError, RunFileInvalid, RunNotFinished
from subnetlab.fleet.run_folder import CARD_FILE, CONFIG_FILE, MODEL_FILE, RESULT_FOLDER


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBNETLAB_HOME", str(tmp_path / "home"))


def test_the_model_comes_along_and_is_proved(tmp_path: Path) -> None:
    run = with_model(tmp_path / "r1")
    opened = sl.open(run.save(tmp_path / "run.zip"))
    ours, theirs = run.result(timeout=0).state_dict(), opened.result().state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(part, theirs[name]) for name, part in ours.items())
    card = (opened.folder / RESULT_FOLDER / CARD_FILE).read_text()
    assert card.startswith("# r1\n")
    assert "one miner alone" in card
    again = opened.save(tmp_path / "model")
    assert (again / CARD_FILE).read_text() == card


def plain() -> nn.Sequential:
    """Layers of torch: one of them twice, one with statistics, one with frozen and one with tied weights."""
    torch.manual_seed(1)
    act, tied = nn.ReLU(), nn.Linear(8, 8, bias=False)
    again = nn.Linear(8, 8, bias=False)
    again.weight = tied.weight
    model = nn.Sequential(
        nn.Linear(3, 8),
        nn.BatchNorm1d(8),
        act,
        tied,
        act,
        nn.Sequential(again, nn.Dropout(0.1)),
        nn.Linear(8, 2),
    )  # fmt: skip
    model(torch.randn(64, 3))
    model[0].weight.requires_grad_(requires_grad=False)
    return model


def test_a_model_of_plain_layers_comes_along(tmp_path: Path) -> None:
    ours = plain()
    opened = sl.open(with_model(tmp_path / "r1", ours).save(tmp_path / "tab.zip"))
    items = torch.randn(5, 3)
    theirs = opened.model
    assert torch.equal(theirs(items), ours.eval()(items))
    assert theirs[3].weight is theirs[5][0].weight


def _linear(**members: Any) -> dict[str, Any]:
    of = {"code": ["torch.nn.modules.linear", "Linear"]}
    return {"object": [of, {"_modules": {"dict": []}, **members}]}


def _twice(levels: int) -> dict[str, Any]:
    """Containers that hold one another twice: a description of a line, gone through 2**levels times."""
    inner: Any = _linear()
    for _ in range(levels):
        of = {"code": ["torch.nn.modules.container", "Sequential"]}
        inner = {"object": [of, {"_modules": {"dict": [["0", inner], ["1", {"again": None}]]}}]}
    flat, place = inner, 1
    while flat["object"][1]["_modules"]["dict"]:
        pairs = flat["object"][1]["_modules"]["dict"]
        pairs[1][1]["again"], flat, place = place, pairs[0][1], place + 1
    return inner


@pytest.mark.parametrize(
    ("root", "says"),
    [
        ({"object": [{"named": "Mine"}, {}]}, "code of its author"),
        ({"object": [{"code": ["os", "system"]}, {}]}, "os.system"),
        ({"object": [{"code": ["torch.nn.modules.rnn", "LSTM"]}, {"num_layers": 10**12}]}, "rnn.LSTM"),
        ({"object": [{"code": ["torch.nn.modules.linear", "torch"]}, {}]}, "linear.torch"),
        ({"object": [{"code": ["torch.nn.modules.linear", "LazyLinear"]}, {}]}, "LazyLinear"),
        ({"object": [{"code": ["torch.nn.modules.container", "ParameterList"]}, {}]}, "ParameterList"),
        (_linear(forward={"code": ["os", "system"]}), "a function"),
        (_linear(forward={"partial": [1, 2, 3]}), "a function"),
        (_linear(_forward_hooks={"OrderedDict": [[1, _linear()]]}), "a hook"),
        (_linear(strange={"eval": "1"}), "holds 'eval'"),
        (_linear(_modules={"dict": [["0", {"again": 0}]]}), "holds itself"),
        (_linear(weight={"again": -1}), "holds itself"),
        (_linear(weight={"again": 9}), "cannot be read"),
        (_linear(a={"tensor": 0}, b={"tensor": 0}), "a tensor twice"),
        (_linear(a={"tensor": 0}), "not those of its configuration"),
        (_linear(a=[1]), "bare list"),
        (_linear(a={"float": "x"}), "cannot be read"),
        (_twice(40), "more than 100,000 parts"),
        (7, "The description makes an int."),
    ],
)
def test_a_strangers_layers_are_looked_through_before_any_is_made(
    tmp_path: Path, root: object, says: str
) -> None:
    run = with_model(tmp_path / "r1", nn.Linear(2, 2))
    about = {"shape": [2, 2], "dtype": "float32", "parameter": True, "trained": True}
    model = {"kind": "Instance", "structure": {"root": root, "tensors": [about]}, "text": ""}
    (run.folder / RESULT_FOLDER / CONFIG_FILE).write_text(json.dumps({"model": model}))
    with pytest.raises((ModelNotBuildable, RunFileInvalid), match=re.escape(says)):
        sl.open(run.save(tmp_path / "run.zip")).result()


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"text": "raise SystemExit"}, "code of its author"),
        ({"tensors": [{"shape": [10**9, 10**9], "dtype": "float32"}]}, "more than its tensors fill"),
        ({"tensors": [{"shape": [1], "dtype": "load"}]}, "a type that is none"),
    ],
)
def test_a_strangers_description_is_no_larger_than_its_tensors(
    tmp_path: Path, changed: dict[str, Any], says: str
) -> None:
    run = with_model(tmp_path / "r1", nn.Linear(2, 2))
    config = run.folder / RESULT_FOLDER / CONFIG_FILE
    described = json.loads(config.read_text())["model"]
    described |= {"text": changed.get("text", "")}
    described["structure"] |= {"tensors": changed["tensors"]} if "tensors" in changed else {}
    config.write_text(json.dumps({"model": described}))
    with pytest.raises((ModelNotBuildable, RunFileInvalid), match=says):
        sl.open(run.save(tmp_path / "run.zip")).result()


def test_a_file_without_weights_says_so(tmp_path: Path) -> None:
    opened = sl.open(with_model(tmp_path / "r1").save(tmp_path / "run.zip", model=False))
    with pytest.raises(RunNotFinished, match="saved without the model's weights"):
        opened.result()


def test_another_model_than_the_recorded_one_is_refused(tmp_path: Path) -> None:
    run = with_model(tmp_path / "r1")
    path = run.folder / RESULT_FOLDER / MODEL_FILE
    save_file({name: part.detach() + 1 for name, part in run.result(0).named_parameters()}, path)
    opened = sl.open(run.save(tmp_path / "run.zip"))
    with pytest.raises(RunFileInvalid, match="not the one that its record closed with"):
        opened.result()


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ({"kind": "Source", "text": "raise SystemExit", "name": "x", "seq_len": 8}, ModelNotBuildable),
        ({"kind": "Factory", "path": "os:system", "options": {}}, ModelNotBuildable),
        ({**sl.models.TinyGPT("binder").to_json(), "n_layer": 10**9}, RunFileInvalid),
        ({**sl.models.TinyGPT("binder").to_json(), "n_embd": 10**9}, RunFileInvalid),
        ({**sl.models.TinyGPT("binder").to_json(), "n_embd": 128}, RunFileInvalid),
        ({**sl.models.TinyGPT("binder").to_json(), "n_layer": "many"}, RunFileInvalid),
        ([], RunFileInvalid),
    ],
)  # fmt: skip
def test_a_strangers_model_is_built_only_as_described_by_its_tensors(
    tmp_path: Path, model: object, error: type[RunError]
) -> None:
    run = with_model(tmp_path / "r1")
    (run.folder / RESULT_FOLDER / CONFIG_FILE).write_text(json.dumps({"model": model}))
    opened = sl.open(run.save(tmp_path / "run.zip"))
    with pytest.raises(error):
        opened.result()
