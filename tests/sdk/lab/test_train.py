"""Training through the SDK on the real node, with somebody's own model and own text."""

import json
from pathlib import Path

import pytest
from torch import nn

import subnetlab as sl
from subnetlab.commands.demo import demo
from subnetlab.errors import DatasetEmpty, ModelNotBuildable, RunError, RunNotFinished
from subnetlab.fleet.launch import is_running
from subnetlab.lab.session import Net
from subnetlab.settings import runs_folder


def tiny(width: int) -> nn.Module:
    """A model as a cell would define it: its source travels to the miners."""

    class Pair(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bytes = nn.Embedding(256, width)
            self.out = nn.Linear(width, 256)

        def forward(self, tokens):
            return self.out(self.bytes(tokens))

    return Pair()


WORDS = tuple(f"def word_{i}():\n    return {i * i}\n" * 20 for i in range(40))


def test_somebodys_own_model_and_text(net: Net, tmp_path: Path) -> None:
    subnet = net.create_subnet("my words", wallet="alice")
    sealing = net._client.dev.info()["sealing"]
    run = subnet.train(
        model=sl.models.source(tiny, seq_len=16, width=8),
        data=sl.data.text(*WORDS, name="words"),
        strategy=sl.strategies.SparseLoCo(inner_steps=2),
        rounds=4,
        batch_size=2,
        prompt="def",
        fleet=sl.LocalFleet(miners=2, validators=1, baseline=False),
    )
    assert run.id.startswith("my-words-")
    assert run in net.runs
    net.stake(amount_tao=5, hotkey_ss58=subnet.hotkey(0), netuid=subnet.netuid, wallet="bob")
    net.stake(amount_tao=3, hotkey_ss58=subnet.hotkey(0), netuid=0, wallet="bob")
    net.pay(amount_tao=1, to="bob", wallet="alice")
    run.wait(timeout=300)
    net.pay(amount_tao=2, to="bob", wallet="alice")
    assert run.frame("money")["what"].to_list() == ["stake", "pay"]
    assert run.frame("money")["amount_rao"].to_list() == [5 * 10**9, 10**9]
    assert run.frame("money")["to"].to_list() == [subnet.hotkey(0), net.address("bob")]
    assert run.status == "finished", run
    assert run.netuid == subnet.netuid
    assert run.samples()[-1].startswith("def")
    assert "one alone" not in run.verdict().headline
    assert run.verdict().loss_baseline is None
    assert net._client.dev.info()["sealing"] == sealing
    model = run.result(timeout=0)
    assert sum(p.numel() for p in model.parameters()) == 256 * 8 + 8 * 256 + 256
    saved = run.save(tmp_path / "out")
    assert json.loads((saved / "config.json").read_text())["rounds"] == 4
    assert "validation loss" in (saved / "README.md").read_text()
    with pytest.raises(RunError, match="is not empty; nothing was written"):
        run.save(tmp_path / "out")
    uid = run.view.uids("validator")[0]
    assert "judges" in run.explain(uid).answer
    assert {seat["role"] for seat in run.view.started.seats} == {"owner", "miner", "validator"}


def test_what_cannot_be_trained_starts_nothing(net: Net) -> None:
    subnet = net.create_subnet("nothing", wallet="alice")
    block = net.block
    with pytest.raises(ModelNotBuildable):
        subnet.train(model=sl.models.source(lambda: 3, seq_len=16))
    with pytest.raises(DatasetEmpty):
        subnet.train(data=sl.data.text("too short"))
    with pytest.raises(ValueError, match="inner_steps"):
        subnet.train(strategy=sl.strategies.SparseLoCo(inner_steps=0))
    assert net.block == block
    assert not list(runs_folder().glob("nothing-*"))


def test_the_demo_in_one_call_and_its_end() -> None:
    run = demo(rounds=500)
    net = run.net
    assert net is not None
    assert len(run.view.uids("miner", "free_rider")) == 8
    with pytest.raises(RunNotFinished):
        run.result(timeout=0)
    net.close()
    assert not is_running(run.folder)
    assert run.status == "stopped"
