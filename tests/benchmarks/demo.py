"""`subnetlab demo` as a person starts it: how long it takes, what its processes hold at once, what it wins.

The command, the kernel, node, supervisor, fork server, peers and baselines, from start to exit. Memory is the
proportional set size, so that what processes share counts once, looked at every few seconds: to look costs
time that the demonstration then lacks.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from tests.benchmarks.measure import Figure, Unavailable, memory_mb

EVERY_S = 3.0
"""Between two looks at the memory of all processes."""


def measure(quick: bool) -> Iterator[Figure]:
    """One demonstration.

    Raises:
        Unavailable: in a quick run, which it would make a slow one.
    """
    if quick:
        raise Unavailable("a demonstration takes a minute and a half")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "subnetlab", "demo", "--out", folder]
        began, held = time.monotonic(), list[float]()
        home = {**os.environ, "SUBNETLAB_HOME": str(Path(folder) / "home")}
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=home) as process:
            while process.poll() is None:
                held.append(held_in(home["SUBNETLAB_HOME"], process.pid))
                try:
                    process.wait(EVERY_S)
                except subprocess.TimeoutExpired:
                    continue
        wall_s = time.monotonic() - began
        if process.returncode:
            raise RuntimeError(f"the demonstration failed with {process.returncode}")
        found = json.loads((Path(folder) / "summary.json").read_text(encoding="utf-8"))
    yield Figure(name="from start to exit", value=wall_s, unit="s", limit=90)
    yield Figure(name="memory (PSS) of all processes at its peak", value=max(held), unit="MB", limit=1200)
    yield Figure(name="the subnet's loss", value=found["val_loss_last"], unit="nats/byte", limit=1.68)
    gain = found["val_loss_alone"] - found["val_loss_last"]
    yield Figure(name="below one miner alone", value=gain, unit="nats/byte", limit=0.2, at_least=True)
    yield Figure(name="sooner than one alone", value=found["speed_up"], unit="x", limit=3, at_least=True)


def held_in(home: str, pid: int) -> float:
    """Proportional memory of all processes with this home, and of those that one of them started, in MB."""
    family = {pid}
    for process in psutil.process_iter():
        try:
            if process.environ().get("SUBNETLAB_HOME") == home or process.ppid() in family:
                family.add(process.pid)
        except psutil.Error:  # it ended while it was looked at, or belongs to someone else
            continue
    total = 0.0
    for member in family:
        try:
            total += memory_mb(member)[1]
        except (OSError, KeyError):
            continue
    return total
