"""The own AdamW is torch's AdamW, step for step; the schedule rises and falls where it should."""

import subprocess
import sys

import pytest
import torch

from subnetlab.train.optimizer import AdamW, AdamWConfig, clip_norm_


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


def test_a_peer_loads_no_compiler_stack() -> None:
    code = (
        "import sys, subnetlab.train.miner, subnetlab.train.validator, subnetlab.train.baseline;"
        "from subnetlab.train.optimizer import AdamW, AdamWConfig; AdamW(AdamWConfig(), 10);"
        "print([m for m in ('torch._dynamo', 'sympy', 'polars', 'bittensor', 'IPython') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=50
    )
    assert done.stdout.strip() == "[]"
