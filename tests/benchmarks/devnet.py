"""The node: exec to open port with its blocks kept, and its memory then. Peer: the bare interpreter."""

import subprocess
import sys
from collections.abc import Iterator
from tempfile import TemporaryDirectory

import psutil

from tests.benchmarks.measure import Figure, median_of, memory_mb, seconds
from tests.benchmarks.node import running_node


def measure(quick: bool) -> Iterator[Figure]:
    """Start the node several times, an idle interpreter in between."""
    starts: list[float] = []
    floors: list[float] = []
    processor: list[float] = []
    resident: list[float] = []
    with running_node("--instant"):
        pass  # the first may have to compile
    for _ in range(2 if quick else 11):
        floors.append(seconds(subprocess.run, [sys.executable, "-c", "pass"], check=True))
        with TemporaryDirectory() as folder, running_node("--instant", "--state", f"{folder}/chain") as node:
            starts.append(node.start_s)
            processor.append(sum(psutil.Process(node.pid).cpu_times()[:2]))
            resident.append(memory_mb(node.pid)[0])
    floor = median_of("", floors, "s").value
    yield median_of("exec to open port", starts, "s", peer="python -c pass", peer_value=floor, limit=0.4)
    yield median_of("the same in processor time", processor, "s")
    yield median_of("resident memory at open port", resident, "MB", limit=80)
