"""Start miners one way and say how long it took and what they hold: `python -m … spawn|forkserver COUNT`.

"spawn" is how most scripts do it, a fresh interpreter each and `torch.optim`; "forkserver" is our fleet's
way, with its preload and our own AdamW. Both build the 1M-parameter model and train two steps before they
count as ready. A process of its own per measurement, because a forkserver lives as long as its parent.
"""

import json
import multiprocessing
import sys
import time
from multiprocessing import forkserver
from multiprocessing.synchronize import Event, Semaphore
from typing import Any

from tests.benchmarks.measure import memory_mb

STEPS = 2
BATCH = 4
START_LIMIT_S = 300.0


def main(way: str, count: int) -> None:
    """Print seconds until all are ready and their proportional memory, the fork server's included."""
    start = time.perf_counter()
    context: Any = _our_context() if way == "forkserver" else multiprocessing.get_context("spawn")
    target = _mine if way == "forkserver" else _mine_ordinarily
    ready, leave = context.Semaphore(0), context.Event()
    miners = [context.Process(target=target, args=(seed, ready, leave)) for seed in range(count)]
    try:
        for miner in miners:
            miner.start()
        for _ in miners:
            if not ready.acquire(timeout=START_LIMIT_S):
                raise RuntimeError("a miner did not come up")
        seconds = time.perf_counter() - start
        pids = [miner.pid for miner in miners]
        if way == "forkserver":
            pids.append(forkserver._forkserver._forkserver_pid)  # pyright: ignore[reportAttributeAccessIssue, reportPrivateUsage]
        memory = sum(memory_mb(pid)[1] for pid in pids)
    finally:
        leave.set()
        for miner in miners:
            miner.join()
    print(json.dumps({"seconds": seconds, "pss_mb": memory}))


def _our_context() -> Any:
    from subnetlab.fleet.forkserver import start_forkserver

    return start_forkserver()


def _mine(seed: int, ready: Semaphore, leave: Event) -> None:
    import torch

    from subnetlab.train import models, tasks
    from subnetlab.train.optimizer import AdamWConfig
    from subnetlab.train.theta import FlatModel

    torch.set_num_threads(1)
    config = models.TinyGPT("small")
    model = FlatModel(models.build(config, seed), tasks.of_model(config), AdamWConfig())
    tokens_BT = torch.randint(0, config.vocab_size, (BATCH, config.seq_len + 1))
    for step in range(STEPS):
        model.differentiate((tokens_BT[:, :-1], tokens_BT[:, 1:]))
        model.optimizer.step(model.theta_P, model.gradient_P, model.config.rate(step, STEPS))
    ready.release()
    leave.wait()


def _mine_ordinarily(seed: int, ready: Semaphore, leave: Event) -> None:
    import torch

    from subnetlab.train import models, tasks

    torch.set_num_threads(1)
    config = models.TinyGPT("small")
    model, task = models.build(config, seed), tasks.of_model(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    tokens_BT = torch.randint(0, config.vocab_size, (BATCH, config.seq_len + 1))
    for _ in range(STEPS):
        task.loss(model, (tokens_BT[:, :-1], tokens_BT[:, 1:])).backward()
        optimizer.step()
        optimizer.zero_grad()
    ready.release()
    leave.wait()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
