"""While a run paces a chain, whatever else would seal its blocks is refused before it does anything."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import subnetlab as sl
from subnetlab.errors import ChainPaced
from subnetlab.fleet.launch import is_running
from subnetlab.lab.plan import Plan
from subnetlab.lab.run import Run
from subnetlab.lab.session import Net, connect
from subnetlab.settings import runs_folder

OPTIONS: dict[str, Any] = {
    "data": sl.data.stdlib(200_000),
    "model": sl.models.TinyGPT("binder"),
    "strategy": sl.strategies.SparseLoCo(inner_steps=2),
    "fleet": sl.LocalFleet(miners=2, validators=1, baseline=False),
}


def _until_round(run: Run, number: int) -> None:
    pause = threading.Event()
    while run.round < number:
        assert not run.ended, run
        pause.wait(0.05)


def test_nothing_seals_under_a_running_run_and_spends_go_through(net: Net) -> None:
    subnet, other = net.create_subnet("paced"), net.create_subnet("other")
    held = net.snapshot()
    run = subnet.train(rounds=50, **OPTIONS)
    _until_round(run, 1)
    verbs: list[Callable[[], object]] = [
        lambda: other.train(rounds=2, **OPTIONS),
        lambda: subnet.train(rounds=2, **OPTIONS),
        lambda: net.create_subnet("third"),
        lambda: net.seal(3),
        net.snapshot,
        lambda: net.revert(held),
        net.reset,
    ]
    with connect(net.endpoint.replace("127.0.0.1", "localhost")) as same_chain:
        verbs.append(lambda: same_chain.seal(3))
        subnets, seats, money = net._client.subnets(), len(other.metagraph().neurons), net.balance("alice")
        for verb in verbs:
            with pytest.raises(ChainPaced, match=f"Run {run.id} paces this chain") as refused:
                verb()
            assert "run.wait()" in str(refused.value)
    assert net._client.subnets() == subnets
    assert len(other.metagraph().neurons) == seats
    assert (money - net.balance("alice")).rao < 10_000_000, (
        "more than the fees of the run's weights was spent"
    )
    assert [folder.name for folder in runs_folder().iterdir() if folder.name.startswith("other-")] == []
    assert net._client.dev.info()["sealing"] == "manual"
    assert is_running(run.folder), "the run ended before it could be disturbed"
    net.pay(amount_tao=1, to="5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty", wallet="alice")
    run.wait(timeout=300)
    assert (run.status, len(run.view.val_loss), run.view.lost) == ("finished", 50, {})
    assert net.seal(1) == net.block


def test_verbs_of_two_notebooks_wait_for_each_other(net: Net) -> None:
    inside, done = threading.Event(), threading.Event()

    def slow() -> None:
        with connect(net.endpoint) as second, second.sealing.held("net.create_subnet"):
            inside.set()
            done.wait(10)

    thread = threading.Thread(target=slow)
    thread.start()
    assert inside.wait(10)
    sealed: list[int] = []
    waiting = threading.Thread(target=lambda: sealed.append(net.seal(1)))
    waiting.start()
    assert not sealed
    done.set()
    waiting.join(300)
    thread.join(300)
    assert sealed == [net.block]


def test_a_start_that_fails_gives_the_chain_back_and_leaves_nothing(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    subnet = net.create_subnet("broken")
    sealing = net._client.dev.info()["sealing"]
    kept = Plan.write

    def unreadable(self: Plan, folder: Path, *arguments: Any, **named: Any) -> None:
        kept(self, folder, *arguments, **named)
        (folder / "manifest.json").write_text("{}")

    monkeypatch.setattr(Plan, "write", unreadable)
    with pytest.raises(sl.errors.FleetStartFailed):
        subnet.train(rounds=1, **OPTIONS)
    assert not list(runs_folder().glob("broken-*"))
    assert net._client.dev.info()["sealing"] == sealing
    monkeypatch.undo()
    assert subnet.train(rounds=1, **OPTIONS).wait(timeout=300).status == "finished"
