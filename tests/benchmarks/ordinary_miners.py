"""The peer of our local fleet: miners as most scripts start them, `spawn` and `torch.optim`."""

import multiprocessing
import time
from multiprocessing.synchronize import Event, Semaphore

from tests.benchmarks.measure import memory_mb

STEPS = 2
BATCH = 4
START_LIMIT_S = 300.0


def ready_and_memory(count: int) -> tuple[float, float]:
    """Seconds until `count` spawned miners have trained two steps, and their proportional memory in MB."""
    context = multiprocessing.get_context("spawn")
    ready, leave = context.Semaphore(0), context.Event()
    start = time.perf_counter()
    miners = [context.Process(target=_mine, args=(seed, ready, leave)) for seed in range(count)]
    try:
        for miner in miners:
            miner.start()
        for _ in miners:
            if not ready.acquire(timeout=START_LIMIT_S):
                raise RuntimeError("a spawned miner did not come up")
        seconds = time.perf_counter() - start
        memory = sum(memory_mb(miner.pid)[1] for miner in miners if miner.pid)
    finally:
        leave.set()
        for miner in miners:
            miner.join()
    return seconds, memory


def _mine(seed: int, ready: Semaphore, leave: Event) -> None:
    """Build the 1M-parameter model and its optimizer, train two steps, wait."""
    import torch
    from torch.nn.functional import cross_entropy

    from subnetlab.train.models import TinyGPT

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    config = TinyGPT("small")
    model = config.build()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    tokens_BT = torch.randint(0, config.vocabulary, (BATCH, config.context + 1))
    for _ in range(STEPS):
        logits_BTV = model(tokens_BT[:, :-1])
        cross_entropy(logits_BTV.flatten(0, 1), tokens_BT[:, 1:].flatten()).backward()
        optimizer.step()
        optimizer.zero_grad()
    ready.release()
    leave.wait()
