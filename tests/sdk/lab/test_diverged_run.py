"""Runs that learn nothing.

A model that diverges ends its run as failed, and the headline says in which round and by whose updates. So
does a model that no miner can train: then there is none.
"""

import json

import pytest
from torch import nn

import subnetlab as sl
from subnetlab.errors import RunNotFinished
from subnetlab.lab.session import Net


def bounded(limit: float) -> nn.Module:
    """Its loss is a number while no bias is beyond the limit."""
    import torch

    class Bounded(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bytes = nn.Embedding(256, 8)
            self.out = nn.Linear(8, 256)
            nn.init.zeros_(self.out.bias)

        def forward(self, tokens):
            return self.out(self.bytes(tokens)) + 0 * torch.sqrt(limit - self.out.bias.abs().max())

    return Bounded()


def stuck(steps: int) -> nn.Module:
    """Learns so many steps, and comes back from no further one."""
    import threading

    import torch

    class Stuck(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table, self.left = nn.Embedding(256, 256), steps

        def forward(self, tokens):
            if torch.is_grad_enabled():
                self.left -= 1
                if self.left < 0:
                    threading.Event().wait()
            return self.table(tokens)

    return Stuck()


def test_a_diverged_run_has_failed_by_the_round_that_did_it(net: Net) -> None:
    run = net.create_subnet("too fast", wallet="alice").train(
        model=sl.models.source(bounded, seq_len=16, limit=0.03),
        data=sl.data.stdlib(200_000),
        # A miner moves a bias by 0.003; validators try a fifth of what the round applies.
        strategy=sl.strategies.SparseLoCo(inner_steps=2, outer_lr=20.0),
        rounds=6,
        fleet=sl.LocalFleet(miners=2, validators=2, baseline=False),
    )
    run.wait(timeout=300)
    assert run.status == "diverged"
    first, second = run.view.uids("miner")
    cause = f"The model's loss is nan after round 1, which applied the updates of uid {first}, {second}."
    reason = f"Every validator is gone. {cause} Lower the learning rate"
    assert run.headline.startswith(f"The run diverged after 1 round: {reason}")
    assert run.view.ended is not None
    assert run.view.ended.reason.startswith(reason)
    lead, follower = (run.view.gone[uid] for uid in run.view.uids("validator"))
    assert lead.startswith(cause)
    assert follower.startswith("The model's loss is nan before round 2.")
    assert list(run.view.closed) == [0]
    assert "diverged" in run.verdict().headline
    config = json.loads((run.folder / "result" / "config.json").read_text(), parse_constant=pytest.fail)
    assert config["val_loss"] is None


def test_a_run_that_diverges_in_its_last_round_is_not_finished(net: Net) -> None:
    run = net.create_subnet("too late", wallet="alice").train(
        model=sl.models.source(bounded, seq_len=16, limit=0.03),
        data=sl.data.stdlib(200_000),
        strategy=sl.strategies.SparseLoCo(inner_steps=2, outer_lr=20.0),
        rounds=1,
        fleet=sl.LocalFleet(miners=2, validators=2, baseline=False),
    )
    run.wait(timeout=300)
    assert run.status == "diverged"
    assert run.headline.startswith("The run diverged after 1 round: The model's loss is nan after round 1")


def test_a_run_whose_miners_all_hang_has_failed_and_left_no_model(net: Net) -> None:
    run = net.create_subnet("stuck", wallet="alice").train(
        model=sl.models.source(stuck, seq_len=16, steps=12),
        data=sl.data.stdlib(200_000),
        strategy=sl.strategies.SparseLoCo(inner_steps=20),
        rounds=2,
        fleet=sl.LocalFleet(miners=2, validators=1, baseline=False, phase_limit_s=3),
    )
    run.wait(timeout=300)
    assert run.status == "failed"
    assert len(run.view.closed) == 2
    why = (
        "No miner delivered an update in any round, so nothing was learned and there is no model. The miner "
    )
    assert run.headline.startswith(f"The run failed after 2 rounds: {why}")
    assert "reported nothing within 3 s; LocalFleet(phase_limit_s=…) sets this limit." in run.headline
    assert run.verdict().headline.startswith("Nothing was learned, 2 rounds without an update: ")
    with pytest.raises(RunNotFinished, match=r"left no model\. No round closed with an update"):
        _ = run.model
