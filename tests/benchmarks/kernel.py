"""A cell's round trip through our kernel against plain ipykernel, cell by cell in turn.

And a cell's on eight processes of a fleet against ipyparallel's on eight engines, where that is installed.
"""

import importlib.util
import logging
import statistics
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from tests.benchmarks.measure import Figure, median_of, seconds
from tests.sdk.fleet.cell_fleet import cell_launcher, running_fleet

CELLS = ("pass", "1+1", "print(1)")
KERNELS = ("subnetlab", "python3")
REPLY_LIMIT_S = 30.0
ENGINES = 8


@contextmanager
def running_kernel(name: str) -> Generator[BlockingKernelClient]:
    """A kernel that answers."""
    manager = KernelManager(kernel_name=name)
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=REPLY_LIMIT_S)
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel()


def round_trip(client: BlockingKernelClient, code: str) -> None:
    """Execute a cell; return when its reply and its idle status are here."""
    message = client.execute(code)
    client.get_shell_msg(timeout=REPLY_LIMIT_S)
    while True:
        status = client.get_iopub_msg(timeout=REPLY_LIMIT_S)
        mine = status["parent_header"].get("msg_id") == message
        if mine and status["content"].get("execution_state") == "idle":
            return


def measure(quick: bool) -> Iterator[Figure]:
    """Several fresh pairs of kernels, so that one lucky address layout decides nothing."""
    pairs, cells = (1, 20) if quick else (5, 200)
    times: dict[tuple[str, str], list[float]] = {(name, code): [] for name in KERNELS for code in CELLS}
    for _ in range(pairs):
        with running_kernel(KERNELS[0]) as ours, running_kernel(KERNELS[1]) as plain:
            for code in CELLS:
                for each in (ours, plain):
                    for _ in range(20):
                        round_trip(each, code)
                for turn in range(cells):
                    for name, each in sorted(zip(KERNELS, (ours, plain), strict=True), reverse=turn % 2 == 0):
                        times[name, code].append(seconds(round_trip, each, code) * 1e3)
    for code in CELLS:
        plain = statistics.median(times["python3", code])
        ours = times["subnetlab", code]
        name = f"cell round trip: {code}"
        yield median_of(name, ours, "ms", peer="ipykernel", peer_value=plain, limit=1.1, limits_ratio=True)
    yield from _on_a_fleet(20 if quick else 200)
    for name in KERNELS:
        starts = [seconds(_start_and_stop, name) for _ in range(1 if quick else 3)]
        yield median_of(f"start to ready and down again: {name}", starts, "s")


def _start_and_stop(name: str) -> None:
    with running_kernel(name):
        pass


def _on_a_fleet(cells: int) -> Iterator[Figure]:
    """One cell on eight processes, from its code to the last reply."""
    beside = _on_engines(cells) if importlib.util.find_spec("ipyparallel") else []
    with (
        TemporaryDirectory() as folder,
        cell_launcher(Path(folder)) as launcher,
        running_fleet(launcher, Path(folder), range(ENGINES)) as fleet,
    ):
        ours = [seconds(lambda: fleet.send("1 + 1").get(REPLY_LIMIT_S)) * 1e3 for _ in range(cells)]
    yield median_of(
        "cell on eight processes", ours, "ms", peer="ipyparallel" if beside else "",
        peer_value=statistics.median(beside) if beside else None,
        **({"limit": 0.5, "limits_ratio": True} if beside else {}),
    )  # fmt: skip


def _on_engines(cells: int) -> list[float]:
    import ipyparallel

    with ipyparallel.Cluster(n=ENGINES, log_level=logging.ERROR) as client:
        engines = client[:]
        engines.execute("1 + 1", block=True)
        return [seconds(lambda: engines.execute("1 + 1", block=True)) * 1e3 for _ in range(cells)]
