"""A node of our own for the time of a measurement, started by its command as a user would.

Its bytecode may be kept, as an installed package's is: compiling it takes as long as everything else.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

START_LIMIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Node:
    """A running node: where it listens, its process, and how long it took from exec to open port."""

    endpoint: str
    pid: int
    start_s: float


@contextmanager
def running_node(*options: str) -> Generator[Node]:
    """Start `python -m subnetlab.devnet`, yield it once its port is open, stop it."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "subnetlab.devnet", "--port", "0", *options],
        stdout=subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
        text=True,
    )
    watchdog = threading.Timer(START_LIMIT_S, process.kill)
    watchdog.start()
    try:
        assert process.stdout is not None
        endpoint = next((line.split()[1] for line in process.stdout if line.startswith("listening ")), None)
        opened = time.perf_counter() - start
        watchdog.cancel()
        if endpoint is None:
            raise RuntimeError("the node ended before it opened its port")
        # Keep reading, or a node that prints its blocks stops at a full pipe.
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield Node(endpoint, process.pid, opened)
    finally:
        watchdog.cancel()
        process.terminate()
        process.wait()
