"""Start peer processes cheaply: one server imports torch and the SDK once, every peer is a fork of it.

Eight peers share the pages of one import, which brings them up in about the time of one and in a quarter of
the memory of eight fresh interpreters. The server must stay without threads, or its forks would inherit
locked locks: so nothing here imports polars, and every thread pool is told to hold one thread before torch
loads. Nor may it start CUDA, which no fork could use then: a peer looks for its device after the fork. Peers
never construct a `torch.optim` optimizer, whose constructor imports a compiler into each.
Where the system has no forkserver (Windows), starting a fleet is refused with the way out.
"""

import multiprocessing
import os
from collections.abc import Sequence
from multiprocessing import forkserver as machinery
from multiprocessing.context import ForkServerContext
from typing import Final

from subnetlab.errors import FleetStartFailed

PRELOAD: Final = ("subnetlab.fleet.worker.preload",)
PRELOAD_COMPILER: Final = ("subnetlab.fleet.worker.compiler", *PRELOAD)
"""Where peers compile: before the rest, after which the collector is frozen."""
ONE_THREAD: Final = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
}
"""What keeps numeric libraries from starting threads while they load."""


def start_forkserver(preload: Sequence[str] = PRELOAD) -> ForkServerContext:
    """Start the server and return at once; it imports `preload` while the caller goes on.

    Raises:
        FleetStartFailed: the system cannot fork.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        raise FleetStartFailed(
            "This system cannot fork processes, so it cannot hold a local fleet.",
            hint="Use Linux or macOS (on Windows: WSL), or sl.strategies in one process.",
        )
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(preload))
    os.environ.update(ONE_THREAD)
    machinery.ensure_running()
    return context
