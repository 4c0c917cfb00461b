"""The own AdamW is torch's AdamW, step for step; the schedule rises and falls where it should."""

import json
import subprocess
import sys
from typing import Any

import pytest
import torch

from subnetlab.errors import ArgumentInvalid
from subnetlab.train import optimizer
from subnetlab.train.optimizer import AdamW, AdamWConfig, MuonConfig, SignumConfig, clip_norm_


def test_steps_equal_those_of_torch() -> None:
    generator = torch.Generator().manual_seed(0)
    theta = torch.randn(1000, generator=generator)
    theirs = torch.nn.Parameter(theta.clone())
    config = AdamWConfig(lr=1e-2, clip=1e9)
    reference = torch.optim.AdamW([theirs], lr=1e-2, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1)
    own = AdamW(config, 1000)
    for _ in range(20):
        gradient = torch.randn(1000, generator=generator)
        theirs.grad = gradient.clone()
        reference.step()
        own.step(theta, gradient.clone(), 1e-2)
    torch.testing.assert_close(theta, theirs.detach(), rtol=1e-5, atol=1e-6)


def test_a_long_gradient_is_shortened_and_a_short_one_is_not() -> None:
    long, short = torch.tensor([3.0, 4.0]), torch.tensor([0.3, 0.4])
    assert clip_norm_(long, 1.0) == pytest.approx(5.0)
    assert long.tolist() == pytest.approx([0.6, 0.8])
    assert clip_norm_(short, 1.0) == pytest.approx(0.5)
    assert short.tolist() == pytest.approx([0.3, 0.4])


def test_the_rate_warms_up_and_ends_at_the_floor() -> None:
    config = AdamWConfig(lr=1.0, warmup=0.1, floor=0.1)
    rates = [config.rate(step, 100) for step in range(101)]
    assert rates[0] == pytest.approx(0.1, rel=1e-2)
    assert max(rates) == pytest.approx(1.0, rel=0.05)
    assert rates.index(max(rates)) == 9
    assert rates[100] == pytest.approx(0.1)
    assert AdamWConfig(warmup=0.0).rate(0, 100) == AdamWConfig().lr


@pytest.mark.parametrize("config", [AdamWConfig, MuonConfig, SignumConfig])
@pytest.mark.parametrize(
    "options",
    [
        {"lr": 0.0}, {"lr": float("nan")}, {"lr": float("inf")}, {"weight_decay": -0.1}, {"clip": 0.0},
        {"weight_decay": float("nan")}, {"warmup": 1.1}, {"floor": -0.1}, {"decay": 0.0},
        {"schedule": "steps"},
    ],
)  # fmt: skip
def test_no_optimizer_takes_what_makes_no_step(config: Any, options: dict[str, Any]) -> None:
    with pytest.raises(ArgumentInvalid):
        config(**options)


@pytest.mark.parametrize("config", [AdamWConfig, MuonConfig])
@pytest.mark.parametrize("options", [{"beta1": 1.0}, {"beta2": -0.1}, {"eps": 0.0}, {"eps": float("nan")}])
def test_moments_that_make_no_mean_are_refused(config: Any, options: dict[str, Any]) -> None:
    with pytest.raises(ArgumentInvalid):
        config(**options)


@pytest.mark.parametrize("config", [AdamWConfig, MuonConfig, SignumConfig])
def test_every_configuration_comes_back_from_its_description(config: Any) -> None:
    chosen = config(lr=3e-3, schedule="linear")
    assert optimizer.from_json(json.loads(json.dumps(chosen.to_json()))) == chosen
    assert [chosen.rate(step, 10) for step in (0, 10)] == pytest.approx([3e-3, 3e-3 * chosen.floor])


def test_a_peer_loads_no_compiler_stack() -> None:
    code = (
        "import sys, subnetlab.train.miner, subnetlab.train.validator, subnetlab.train.baseline;"
        "from subnetlab.train.optimizer import AdamW, AdamWConfig; AdamW(AdamWConfig(), 10);"
        "print([m for m in ('torch._dynamo', 'sympy', 'polars', 'bittensor', 'IPython') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300
    )
    assert done.stdout.strip() == "[]"
