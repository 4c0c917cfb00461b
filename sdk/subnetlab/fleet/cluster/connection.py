"""Join a Ray cluster as its driver, or say in a sentence why that cannot be.

Ray is loaded here when a cluster is asked for, and not before. The handlers of this process's signals stay
as they were, because a supervisor ends its run in order.
"""

import importlib
import logging
import os
import re
import signal
import socket
import threading
from typing import Any, Final

from subnetlab.errors import FleetStartFailed

AUTO: Final = "auto"
"""The address of the cluster that was last started on this machine."""
_ANSWER_S: Final = 5.0
_VERSIONS: Final = re.compile(r"Ray: (\S+)\s+Python: (\S+)")


def load_ray() -> Any:
    """The module `ray`.

    Raises:
        FleetStartFailed: it is not installed.
    """
    # Ray's own switches: plain lines in the supervisor's log, every line of every peer, and no statistics.
    for name, value in (("COLOR_PREFIX", "0"), ("DEDUP_LOGS", "0"), ("USAGE_STATS_ENABLED", "0")):
        os.environ.setdefault(f"RAY_{name}", value)
    try:
        return importlib.import_module("ray")
    except ModuleNotFoundError as error:
        raise FleetStartFailed(
            "sl.RayFleet needs Ray, which is not installed here.",
            hint="Install it here and on every node: pip install 'subnetlab[ray]'.",
        ) from error


def join_cluster(address: str, *, logs: bool = False) -> Any:
    """Connect this process to a cluster, and return the module `ray`.

    Args:
        address: `host:port` of the cluster's head, or `AUTO`.
        logs: whether what peers print comes out here.

    Raises:
        FleetStartFailed: Ray is not installed, no cluster answers, this machine is no node of it, or the
            cluster runs another Ray or Python.
    """
    ray = load_ray()
    if address != AUTO:
        _check_answers(address)
    main = threading.current_thread() is threading.main_thread()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        ray.init(address=address, namespace="subnetlab", log_to_driver=logs, logging_level=logging.ERROR)
    except (RuntimeError, ConnectionError, ValueError, OSError) as error:
        raise refused(address, error) from error
    finally:
        for number, handler in handlers.items() if main else ():
            signal.signal(number, handler)
    return ray


def _check_answers(address: str) -> None:
    """Have the head's port answer, because Ray itself tries for minutes."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), _ANSWER_S).close()
    except (OSError, ValueError) as error:
        raise FleetStartFailed(
            f"No Ray cluster answers at {address}: {error}.",
            hint="Start one with `ray start --head`, which prints its address.",
        ) from error


def refused(address: str, error: Exception) -> FleetStartFailed:
    """Why Ray did not let this process into a cluster, in a sentence with the next step."""
    text = " ".join(str(error).split())
    versions = _VERSIONS.findall(text)
    if len(versions) == 2:
        (ray_there, python_there), (ray_here, python_here) = versions
        return FleetStartFailed(
            f"The cluster at {address} runs Ray {ray_there} on Python {python_there}; "
            f"here are Ray {ray_here} and Python {python_here}.",
            hint="Use the same versions here and on every node.",
        )
    if address == AUTO:
        return FleetStartFailed(
            "No Ray cluster runs on this machine.",
            hint='Start one with `ray start --head`, or give its address: sl.RayFleet(address="host:6379").',
        )
    return FleetStartFailed(
        f"The Ray cluster at {address} did not let this machine in: {text[:300]}",
        hint=f"Make this machine a node of it: ray start --address={address}.",
    )
