"""Eight local miners: seconds until all train, and their memory. Peer: `spawn`, `torch.optim`, in turn."""

import json
import subprocess
import sys
from collections.abc import Iterator

from tests.benchmarks.measure import Figure, median_of

MINERS = 8
LIMIT_S = 300


def measure(quick: bool) -> Iterator[Figure]:
    """Both ways in turn, each in a process of its own."""
    found: dict[str, list[dict[str, float]]] = {"forkserver": [], "spawn": []}
    for _ in range(1 if quick else 3):
        for way, results in found.items():
            results.append(_started(way, 2 if quick else MINERS))
    for name, key, unit, limit in (
        ("8 miners ready", "seconds", "s", 2.0),
        ("their memory (PSS), fork server included", "pss_mb", "MB", 800.0),
    ):
        ours, theirs = ([result[key] for result in results] for results in found.values())
        peer = median_of("", theirs, unit).value
        yield median_of(name, ours, unit, peer="spawn + torch.optim", peer_value=peer, limit=limit)


def _started(way: str, count: int) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.benchmarks.started_miners", way, str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=LIMIT_S)
    return json.loads(done.stdout)
