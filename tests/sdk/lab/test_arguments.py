"""Every argument of `train` with every wrong kind: one sentence, and nothing spent or left on disk."""

import inspect
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from torch import nn

import subnetlab as sl
from subnetlab.errors import ArgumentInvalid, SubnetLabError
from subnetlab.lab.session import Net
from subnetlab.settings import runs_folder

FRAME = pl.DataFrame({"a": np.arange(60.0), "b": np.arange(60.0) % 7, "y": np.arange(60.0)})
ROWS = (np.ones((60, 2)), np.arange(60.0))
NAN, HUGE = float("nan"), 10**30
COUNTS: list[Any] = [
    1.5, 3.0, True, False, 0, -1, HUGE, NAN, float("inf"), "3", None, [3], np.array([1, 2]), pl, object(),
]  # fmt: skip
WRONG: dict[str, list[Any]] = {
    "model": [
        3, "gpt2", Path("model.pt"), [1], {"layers": 2}, FRAME, ROWS, np.ones(3), nn.ReLU(), int, object(),
        lambda: 3, nn.Linear, nn.Linear(3, 1), pl,
    ],
    "data": [
        3, 1.5, True, "hello " * 200, "no such file.csv", Path("no such file.csv"), object(), nn.Linear(2, 1),
        nn.Linear, [], {}, (), [{"a": 1}, {"b": 2}], itertools.count(), np.ones(5),
        (ROWS[0], ROWS[1][:3]), b"", [None] * 9,
        sl.LocalFleet(), pl, FRAME.with_columns(a=pl.lit(None)), (ROWS[0] * NAN, ROWS[1]), lambda: 3,
    ],
    "task": [3, "clustering", True, object(), nn.Linear, "next_token", "classification"],
    "loss": [3, "mse", nn.MSELoss, object(), FRAME, lambda: 3, lambda o, t: "no", lambda o, t: o.missing],
    "eval_data": [3, "no such file.csv", object(), [], FRAME.drop("a"), np.arange(9), ["text"], nn.Linear],
    "metrics": [
        3, "accuracy", [abs], {"a": 3}, {3: abs}, {"": abs}, {"bad": lambda: 3}, {"bad": lambda o, t: "x"},
    ],
    "features": [3, "c", ["c"], [3], "y", [], object()],
    "target": [3, "c", ["c"], [3], object(), True],
    "rounds": COUNTS,
    "batch_size": COUNTS,
    "seed": [*(value for value in COUNTS if type(value) is not int or value), 2**80, -(2**80)],
    "strategy": [3, "DiLoCo", sl.strategies.DiLoCo, object(), True],
    "optimizer": [3, "sgd2", object(), torch.optim.AdamW, True],
    "lr": [0, -1.0, NAN, float("inf"), "1e-3", True, [1e-3], object()],
    "schedule": [3, "step", True, object()],
    "fleet": [3, "local", sl.LocalFleet, object(), True],
    "baselines": [3, ["nobody"], "nobody", [3], object()],
    "prompt": [3, 1.5, True, object(), "def ", [1, 2], {"a": 1}],
    "init": [
        3, "no such file", Path("no such file"), {"x": 3}, {"w": torch.ones(2)}, object(), nn.Linear(2, 1),
    ],
    "budget_tao": ["much", -1, NAN, float("inf"), True, object(), [1], HUGE],
    "audits": [-0.1, 1.5, True, "0.1", None, NAN, float("inf"), [0.1], object()],
    "score": [3, "held_out", object(), True, nn.Linear, lambda: 1.0, lambda surprise: 1.0],
    "dtype": [3, "float16", "int8", "", True, None, object(), torch.float16, torch.int8, nn.Linear],
    "detach": [3, "yes", None, 0, object()],
    "deterministic": [3, "yes", None, 0, object()],
}  # fmt: skip


def state(net: Net, subnet: sl.Subnet) -> tuple[Any, ...]:
    return (net.block, net.balance("alice"), len(subnet.metagraph().neurons), sorted(runs_folder().glob("*")))


def call(subnet: sl.Subnet, name: str, value: Any) -> None:
    options: dict[str, Any] = {"rounds": 2, "fleet": sl.LocalFleet(miners=1, validators=1, baseline=False)}
    if name not in ("model", "prompt"):
        options["model"] = nn.Linear(2, 1)
    if name == "task" and value == "classification":
        options["target"] = "a"
    if name not in ("data", "prompt"):
        options["data"] = FRAME
    if name == "prompt" and isinstance(value, str | list):
        options |= {"model": nn.Linear(2, 1), "data": FRAME}
    subnet.train(**{**options, name: value})


def test_every_argument_of_every_wrong_kind_is_refused_for_nothing(net: Net) -> None:
    subnet = net.create_subnet("arguments", wallet="alice")
    before = state(net, subnet)
    taken = set(inspect.signature(subnet.train).parameters)
    assert taken == set(WRONG)
    said: list[str] = []
    for name, values in WRONG.items():
        for value in values:
            called = f"{name}={value!r}"[:70]
            try:
                call(subnet, name, value)
            except SubnetLabError as error:
                if not error.hint and "." not in str(error)[:-1]:
                    said.append(f"{called}: no next step: {error}")
                if len(str(error)) > 500 or "\n" in str(error).strip():
                    said.append(f"{called}: no sentence: {error}")
            except Exception as error:  # noqa: BLE001 - what this test looks for
                said.append(f"{called}: {type(error).__name__}: {error}")
            else:
                said.append(f"{called}: was started")
    assert not said, "\n".join(said)
    assert state(net, subnet) == before


@pytest.mark.parametrize(
    "make",
    [
        lambda: sl.LocalFleet(miners=0),
        lambda: sl.LocalFleet(miners=2.5),  # type: ignore[arg-type]
        lambda: sl.LocalFleet(attackers={"villain": 1}),
        lambda: sl.LocalFleet(attackers="sign_flip"),  # type: ignore[arg-type]
        lambda: sl.LocalFleet(uplink_mbps=-1),
        lambda: sl.strategies.DiLoCo(inner_steps=0),
        lambda: sl.strategies.SparseLoCo(k=0),
        lambda: sl.strategies.MuLoCo(feedback=2),
        lambda: sl.optimizers.AdamWConfig(lr=-1),
        lambda: sl.optimizers.MuonConfig(momentum=1),
    ],
)
def test_a_fleet_a_strategy_and_an_optimizer_refuse_alike(
    make: Callable[[], object],
) -> None:
    with pytest.raises(ArgumentInvalid):
        make()
