"""Same seed, same result, on real fleets; and a sentence where that cannot hold."""

import json
import os
import signal
from contextlib import suppress

import torch
from torch import nn

import subnetlab as sl
from subnetlab.errors import FleetError, RunNotFinished, RunOver
from subnetlab.fleet.launch import status
from subnetlab.fleet.run_folder import SUPERVISOR_FILE
from subnetlab.fleet.spec import read_spec
from subnetlab.lab.resume import resume
from subnetlab.lab.run import Run
from subnetlab.lab.session import Net
from subnetlab.lab.subnet import Subnet
from subnetlab.record.events import Mined, RoundClosed, Stepped
from subnetlab.record.line import FILE_NAME
from subnetlab.record.reader import Tail

LIMIT_S = 300.0


def dropping(width: int) -> nn.Module:
    """A model that draws random numbers while it trains."""

    class Dropping(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bytes = nn.Embedding(256, width)
            self.dropout = nn.Dropout(0.5)
            self.out = nn.Linear(width, 256)

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            return self.out(self.dropout(self.bytes(tokens)))

    return Dropping()


def _train(subnet: Subnet, *, deterministic: bool = True, rounds: int = 2, **fleet: int) -> Run:
    counts = {"miners": 3, "free_riders": 1, "validators": 2, **fleet}
    return subnet.train(
        model=sl.models.source(dropping, seq_len=16, width=8),
        data=sl.data.text(*(f"def word_{i}():\n    return {i * i}\n" * 20 for i in range(40)), name="words"),
        strategy=sl.strategies.SparseLoCo(inner_steps=3),
        rounds=rounds,
        batch_size=2,
        seed=7,
        deterministic=deterministic,
        fleet=sl.LocalFleet(**counts),
    )


def _result(run: Run) -> dict[str, object]:
    """What must be equal; uids are those of the chain, so miners count by their place in the fleet."""
    assert run.wait(timeout=LIMIT_S).status == "finished", run
    spec = read_spec(run.folder)
    places = {seat.uid: place for place, seat in enumerate(spec.seats)}
    events = [entry.event for entry in Tail(run.folder / FILE_NAME).entries()]
    closed = sorted((e for e in events if isinstance(e, RoundClosed)), key=lambda e: e.round)
    stepped = [e for e in events if isinstance(e, Stepped)]
    mined = [e for e in events if isinstance(e, Mined)]
    return {
        "losses": [event.val_loss for event in closed],
        "payloads": [sorted(payload for _, payload in event.accepted) for event in closed],
        "aggregates": [event.aggregate_hash for event in closed],
        "thetas": [event.theta_hash for event in closed],
        "steps": sorted((places[e.uid], e.round, e.first_step, tuple(e.losses)) for e in stepped),
        "mined": sorted((e.round, e.loss) for e in mined),
        "baseline": dict(run.view.baseline_loss),
    }


def test_the_same_seed_gives_the_same_model_on_another_chain_and_on_used_seats(net: Net) -> None:
    used = net.create_subnet("used", wallet="alice")
    # Takes seats in another order than the fleet that follows: its validator comes before the third miner.
    _train(used, deterministic=False, rounds=1, miners=2, free_riders=1, validators=1).wait(timeout=LIMIT_S)
    first = _train(used)
    result = _result(first)
    assert len(result["thetas"]) == 2
    second = _train(used)
    read_beside = _read_beside(second)
    assert _result(second) == result
    assert read_beside > 0
    assert second.view.started.manifest_hash != first.view.started.manifest_hash
    net.reset()
    with sl.connect(sealing="instant") as fresh:
        third = _train(fresh.create_subnet("fresh", wallet="alice"))
        assert third.view.uids("miner") != first.view.uids("miner")
        assert _result(third) == result


def _read_beside(run: Run) -> int:
    """Have cells read what miners hold while the run goes on; how many came through, of which none failed."""
    statuses: list[str] = []
    while not run.ended:
        with suppress(FleetError, RunOver):  # none is up yet, or the run ends just now
            read = run.execute(
                "sum(float(p.sum()) for p in model.parameters()), theta.norm(), miner.memory", block=False
            )
            assert read.wait(LIMIT_S)
            statuses += (output.status for output in read.outputs.values())
    assert set(statuses) <= {"ok", "gone"}
    return statuses.count("ok")


def _killed(run: Run, pid: int) -> None:
    """Wait for the end of a run that a signal has left without one of its processes."""
    os.kill(pid, signal.SIGKILL)
    with suppress(RunNotFinished):
        run.wait(timeout=LIMIT_S)


def test_without_one_of_its_peers_it_fails_and_says_which(net: Net) -> None:
    run = _train(net.create_subnet("one gone", wallet="alice"), rounds=5_000)
    miner = next(peer for peer in status(run.folder)["peers"] if peer["role"] == "miner")
    _killed(run, miner["pid"])
    assert run.status == "failed"
    assert f"The miner {miner['uid']} is gone." in run.headline
    assert "every peer in every round" in run.headline


def test_what_was_cut_off_does_not_go_on_as_if_it_had_not(net: Net) -> None:
    run = _train(net.create_subnet("cut off", wallet="alice"), rounds=5_000)
    _killed(run, json.loads((run.folder / SUPERVISOR_FILE).read_text())["pid"])
    assert run.status == "interrupted"
    assert "cannot go on as its seed says" in resume(run.folder)
