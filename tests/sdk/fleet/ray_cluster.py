"""A real Ray cluster of two nodes on this host, and what tests ask of the runs on it."""

import contextlib
import inspect
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

import subnetlab as sl
from subnetlab.record.events import Event
from subnetlab.record.line import FILE_NAME
from subnetlab.record.reader import follow, read

STORE_BYTES = 80 << 20
WORDS = "the subnet pays every miner whose payload removes loss on data that a beacon drew after its commit"


def node(cpus: int) -> dict[str, Any]:
    """How a node is started."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return {"num_cpus": cpus, "object_store_memory": STORE_BYTES, "runtime_env_agent_port": port}


@contextlib.contextmanager
def agents_known() -> Iterator[None]:
    """Write down beforehand what a raylet waits for: the ports of agents that need 15 s on a busy machine.

    A raylet that waits longer ends itself. The dashboard's agent has no ports here and writes the same -1.
    """
    import ray
    from ray._private import services

    def start(*args: Any, **options: Any) -> Any:
        where = options["session_dir"], options["node_id"]
        for name in ("metrics_agent_port", "metrics_export_port", "dashboard_agent_listen_port"):
            ray._raylet.persist_port(*where, name, -1)
        ray._raylet.persist_port(*where, "runtime_env_agent_port", options["runtime_env_agent_port"])
        return begin(*args, **options)

    begin, signature = services.start_raylet, inspect.signature(services.start_raylet)

    def bound(*args: Any, **options: Any) -> Any:
        return start(**signature.bind(*args, **options).arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(services, "start_raylet", bound)
        patch.setenv("RAY_agent_register_timeout_ms", "200000")
        yield


@contextlib.contextmanager
def two_nodes(cpus: int = 5) -> Iterator[Any]:
    """A head and a second node, each with so many processors by name; nothing of them is left at the end."""
    from ray.cluster_utils import Cluster

    before = {child.pid for child in psutil.Process().children(recursive=True)}
    with agents_known():
        cluster = Cluster(initialize_head=True, head_node_args={**node(cpus), "include_dashboard": False})
    try:
        with agents_known():
            cluster.add_node(**node(cpus))
        yield cluster
    finally:
        cluster.shutdown()
        left = [child for child in psutil.Process().children(recursive=True) if child.pid not in before]
        _, alive = psutil.wait_procs(left, timeout=300)
        stray = [child.name() for child in alive if "ray" in child.name()]
        assert not stray


def events(run: sl.Run, kind: type[Event]) -> list[Any]:
    return [entry.event for entry in read(run.folder / FILE_NAME) if isinstance(entry.event, kind)]


def wait_until(run: sl.Run, seen: Callable[[Event], bool]) -> None:
    """Wait for an event of a run."""
    for entry in follow(run.folder / FILE_NAME, stop=threading.Event()):
        if seen(entry.event):
            return


def ray_logs() -> str:
    """All that the cluster's processes wrote down, in one text."""
    session = Path(os.environ.get("RAY_TMPDIR", "/tmp")) / "ray" / "session_latest" / "logs"
    return "".join(path.read_text(errors="replace") for path in session.rglob("*") if path.is_file())
