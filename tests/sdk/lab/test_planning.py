"""A kernel that trains what comes along plans its run in another process and loads no torch."""

import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from subnetlab.errors import DatasetEmpty, FleetStartFailed, ManifestInvalid
from subnetlab.fleet.run_folder import MANIFEST_FILE
from subnetlab.lab import planning
from subnetlab.lab.first_loss import initial_loss
from subnetlab.lab.plan import initial_loss as measured_now
from subnetlab.lab.plan import plan
from subnetlab.lab.planning import DESCRIBED, described_plainly, planned, tried_out
from subnetlab.train import data, models, optimizer, strategies

PLAIN: dict[str, Any] = {
    "model": models.TinyGPT("demo"), "data": data.stdlib(200_000),
    "strategy": strategies.MuLoCo(inner_steps=3),
    "rounds": 2, "batch_size": 2, "seed": 7, "prompt": [100, 101], "init": None,
    "optimizer": optimizer.MuonConfig(lr=0.02), "lr": None, "schedule": "linear", "task": None, "loss": None,
    "score": None, "audits": 0.25, "eval_data": None, "metrics": {}, "features": None, "target": None,
    "dtype": "float32",
}  # fmt: skip
KERNEL = """\
import sys

import subnetlab as sl

with sl.connect() as net:
    subnet = net.create_subnet("light")
    model, strategy = sl.models.TinyGPT("demo"), sl.strategies.MuLoCo(inner_steps=1)
    fleet = sl.LocalFleet(miners=1, validators=1)
    run = subnet.train(model, sl.data.stdlib(), strategy=strategy, rounds=1, batch_size=1, fleet=fleet)
    print(run.wait(progress=False).status, len(str(run.verdict())) > 0, "torch" in sys.modules)
    parameters = run.model.parameters()
    print(sum(one.numel() for one in parameters), "torch" in sys.modules)
"""


@pytest.fixture
def without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a kernel is before it loads torch, as far as planning looks."""
    loaded = {name: module for name, module in sys.modules.items() if name != "torch"}
    monkeypatch.setattr(planning, "sys", type("sys", (), {"modules": loaded, "executable": sys.executable}))


def test_a_kernel_plans_trains_and_reads_the_verdict_without_torch() -> None:
    done = subprocess.run(
        [sys.executable, "-c", KERNEL], capture_output=True, text=True, check=False, timeout=380
    )
    assert done.stdout.splitlines()[-2:] == ["finished True False", "245888 True"], done.stderr


@pytest.mark.usefixtures("without_torch")
def test_the_run_is_the_same_as_one_that_is_planned_here(tmp_path: Path) -> None:
    here, apart = tmp_path / "here" / "run", tmp_path / "apart" / "run"
    for folder in (here, apart):
        folder.mkdir(parents=True)
    plan(**PLAIN).write(here, 3, 40, miners=2)
    with planned(PLAIN, deterministic=False) as made:
        assert (made.rounds, made.note) == (2, "")
        made.write(apart, 3, 40, miners=2)
    found = {path.relative_to(here) for path in here.rglob("*") if path.is_file()}
    assert Path(MANIFEST_FILE) in found
    first_loss = Path("first_loss.json")
    assert {path.relative_to(apart) for path in apart.rglob("*") if path.is_file()} == {*found, first_loss}
    assert all((here / path).read_bytes() == (apart / path).read_bytes() for path in found)
    assert json.loads((apart / MANIFEST_FILE).read_text())["scoring"]["audits"] == 0.25
    assert initial_loss(apart) == pytest.approx(measured_now(here), rel=1e-5)
    (apart / first_loss).write_text("NaN")
    assert initial_loss(apart) == pytest.approx(measured_now(here), rel=1e-5)


@pytest.mark.usefixtures("without_torch")
@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        ({"model": models.TinyGPT("demo", seq_len=1 << 20)}, DatasetEmpty, "one sequence needs"),
        ({"lr": -1.0}, ManifestInvalid, "learning rate"),
    ],
)
def test_what_cannot_be_trained_is_refused_by_the_same_error(
    wrong: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error) as here:
        plan(**{**PLAIN, "optimizer": None, **wrong})
    with (
        pytest.raises(error, match=said) as apart,
        planned({**PLAIN, "optimizer": None, **wrong}, deterministic=False),
    ):
        pass
    assert str(apart.value) == str(here.value)


@pytest.mark.usefixtures("without_torch")
def test_what_was_tried_out_is_not_planned_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with tried_out(PLAIN):
        monkeypatch.setattr(planning, "PROGRAM", "subnetlab.no_such_program")
        with pytest.raises(FleetStartFailed), planned({**PLAIN, "seed": 8}, deterministic=False):
            pass
        with planned(dict(PLAIN), deterministic=True) as made:
            made.write(tmp_path, 3, 40, miners=2)
    assert json.loads((tmp_path / MANIFEST_FILE).read_text())["deterministic"] is True


@pytest.mark.usefixtures("without_torch")
def test_a_process_that_ends_without_a_word_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "PROGRAM", "subnetlab.no_such_program")
    with pytest.raises(FleetStartFailed, match="no_such_program"), planned(PLAIN, deterministic=False):
        pass


@pytest.mark.parametrize(
    "own",
    [
        {"model": {"kind": "TinyGPT"}}, {"data": {"x": [1.0]}}, {"strategy": object()}, {"loss": print},
        {"metrics": {"mine": print}}, {"init": {"bytes": 1}}, {"eval_data": [1, 2]}, {"optimizer": {"lr": 1}},
    ],
)  # fmt: skip
def test_what_is_a_person_s_own_stays_in_their_process(own: dict[str, Any]) -> None:
    assert described_plainly(PLAIN) is not None
    assert described_plainly({**PLAIN, **own}) is None


def test_what_is_described_is_all_that_a_plan_takes() -> None:
    assert set(DESCRIBED) == set(inspect.signature(plan).parameters)
