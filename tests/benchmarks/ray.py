"""A round on a Ray fleet beside bare Ray: the same model, batch and H steps on the same cluster of two nodes.

Bare Ray averages dense differences through its object store, on trust. Ours seals and stores coded payloads,
commits and reveals on a chain, tries every payload on held-out data, and keeps a record; a local fleet does
the same without Ray. What is compared is a round's wall time beyond its slowest miner's steps; all processes
share this machine's cores.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import torch

import subnetlab
from subnetlab.record.events import Mined, RoundClosed
from subnetlab.record.line import FILE_NAME
from subnetlab.record.reader import read
from tests.benchmarks.in_process import Setting
from tests.benchmarks.measure import Figure, Unavailable, median_of

MINERS, STEPS, BATCH = 2, 5, 4
MODEL = subnetlab.models.TinyGPT("small")


class Worker:
    """A miner of bare Ray: H steps from θ, and the dense difference."""

    def __init__(self, number: int) -> None:
        torch.set_num_threads(1)
        self.number = number
        self.setting = Setting(model=MODEL, batch=BATCH)
        self.strategy = subnetlab.strategies.SparseLoCo(inner_steps=STEPS)
        self.model = self.setting.built(self.strategy.optimizer)
        self.tokens = np.frombuffer(
            b"the subnet pays for the loss that a payload removes. " * 20_000, np.uint8
        )

    def theta(self) -> np.ndarray[Any, Any]:
        """The first weights."""
        return self.model.theta_P.numpy().copy()

    def work(
        self, theta: np.ndarray[Any, Any], round_: int, rounds: int
    ) -> tuple[np.ndarray[Any, Any], float]:
        """The difference, and the seconds that the steps took."""
        from subnetlab.train.strategies.base import Progress, inner_loop

        began = time.perf_counter()
        batches = (self.setting.batches(self.tokens, self.number, round_ * STEPS + i) for i in range(STEPS))
        learned = inner_loop(
            self.model,
            torch.from_numpy(theta.copy()),
            batches,
            Progress(round_, rounds, STEPS),
            lambda *_: None,
        )
        return learned.delta_P.numpy(), time.perf_counter() - began


def measure(quick: bool) -> Iterator[Figure]:
    """Bare Ray, then a Ray fleet, then a local fleet."""
    try:
        from tests.sdk.fleet.ray_cluster import two_nodes
    except ModuleNotFoundError as error:
        raise Unavailable("Ray is not installed") from error
    rounds = 3 if quick else 12
    with tempfile.TemporaryDirectory() as home, two_nodes() as cluster:
        os.environ["SUBNETLAB_HOME"] = home
        bare = bare_rounds(cluster.address, rounds)
        peers: dict[str, Any] = {"miners": MINERS, "validators": 1, "baseline": False}
        ours, ready_s = fleet_rounds(subnetlab.RayFleet(address=cluster.address, **peers), rounds)
        local, _ = fleet_rounds(subnetlab.LocalFleet(**peers), rounds)
    beside: dict[str, Any] = {"peer": "bare Ray", "peer_value": statistics.median(bare)}
    yield median_of("a Ray fleet's round beyond its steps", ours, "ms", **beside)
    yield median_of("a local fleet's round beyond its steps", local, "ms", **beside)
    yield Figure(name="a Ray fleet's peers up since they were asked for", value=ready_s, unit="s")


def bare_rounds(address: str, rounds: int) -> list[float]:
    """Milliseconds of each round beyond its slowest worker's steps, the first round left out."""
    import ray

    ray.init(address=address, log_to_driver=False)
    try:
        workers = [
            ray.remote(Worker).options(scheduling_strategy="SPREAD").remote(number)
            for number in range(MINERS)
        ]
        theta, beyond = ray.get(workers[0].theta.remote()), list[float]()
        for round_ in range(rounds):
            began = time.perf_counter()
            held = ray.put(theta)
            done = ray.get([worker.work.remote(held, round_, rounds) for worker in workers])
            theta = theta - sum(delta for delta, _ in done) / MINERS
            wall_s = time.perf_counter() - began
            beyond.append((wall_s - max(seconds for _, seconds in done)) * 1e3)
    finally:
        ray.shutdown()
    return beyond[1:]


def fleet_rounds(fleet: subnetlab.LocalFleet, rounds: int) -> tuple[list[float], float]:
    """The same of a run, from one round's close to the next; and when the last peer was up, in seconds."""
    with subnetlab.connect() as net:
        run = net.create_subnet("measured").train(
            MODEL, rounds=rounds, batch_size=BATCH, fleet=fleet,
            strategy=subnetlab.strategies.SparseLoCo(inner_steps=STEPS),
        )  # fmt: skip
        run.wait(progress=False)
    entries = list(read(run.folder / FILE_NAME))
    closed = [(entry.event.round, entry.time) for entry in entries if isinstance(entry.event, RoundClosed)]
    steps_s: dict[int, float] = {}
    for entry in entries:
        if isinstance(entry.event, Mined):
            steps_s[entry.event.round] = max(steps_s.get(entry.event.round, 0.0), entry.event.compute_s)
    beyond = [(end - start - steps_s[number]) * 1e3 for (_, start), (number, end) in pairwise(closed)]
    return beyond, max(ready.seconds for ready in run.view.ready.values())
