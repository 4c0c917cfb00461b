"""`python -m subnetlab.fleet.cluster.survey`: whether a cluster can hold a fleet, asked before it is started.

Reads from its input what is needed and writes one line of JSON: a refusal in a sentence with its hint, or how
many nodes there are. Run as a program, so that what it sends to the nodes needs nothing installed there.
"""

import json
import sys
from collections import Counter
from dataclasses import dataclass
from importlib import metadata
from typing import Any, Final
from urllib.parse import urlsplit

from subnetlab.errors import FleetStartFailed
from subnetlab.fleet.cluster.connection import join_cluster

PACKAGES: Final = ("subnetlab", "torch")
_LOOK_S: Final = 60.0
_ROOM_S: Final = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFound:
    """What one node says of itself."""

    name: str
    versions: dict[str, str]
    """Package to version; empty where it is not installed."""
    reaches_chain: str
    """Why it does not; empty where it does."""
    sees_folder: bool


def look(packages: tuple[str, ...], host: str, port: int, seen: dict[str, str]) -> dict[str, Any]:
    """What a node says of itself; runs there, from the standard library alone."""
    import socket  # noqa: PLC0415
    from importlib import metadata  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415

    versions: dict[str, str] = {}
    for package in packages:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = ""
    why = ""
    try:
        socket.create_connection((host, port), 5.0).close()
    except OSError as error:
        why = error.strerror or str(error)
    sees = not seen or Path(seen["path"]).is_file()
    return {"versions": versions, "reaches_chain": why, "sees_folder": sees}


def refusal(nodes: list[NodeFound], here: dict[str, str], asked: dict[str, Any]) -> FleetStartFailed | None:
    """Why the nodes cannot hold the fleet, or None.

    Args:
        nodes: those on which peers may run.
        here: the versions on this machine.
        asked: `endpoint` and `seen`, as `main` takes them.
    """
    for node in nodes:
        for package, version in node.versions.items():
            if not version:
                return FleetStartFailed(
                    f"Node {node.name} has no {package}.", hint="Install subnetlab[ray] on every node."
                )
            if version != here[package]:
                return FleetStartFailed(
                    f"Node {node.name} has {package} {version}, and here is {here[package]}: peers would not "
                    "reach the same bits.",
                    hint="Install the same version on every node.",
                )
        if node.reaches_chain:
            return FleetStartFailed(
                f"Node {node.name} does not reach the chain at {asked['endpoint']}: {node.reaches_chain}.",
                hint=_tunnel(asked["endpoint"]),
            )
        if not node.sees_folder:
            return FleetStartFailed(
                f"Node {node.name} does not see the folder {asked['seen']['folder']}, where the run's "
                "objects would lie.",
                hint='Give a bucket that all machines reach: store="s3://bucket/prefix?endpoint=…".',
            )
    return None


def _tunnel(endpoint: str) -> str:
    """How a node that answers on one machine alone is reached from another."""
    port = urlsplit(endpoint).port or 9944
    return (
        f"Forward its port there: ssh -N -L {port}:127.0.0.1:{port} HOST, or sl.connect to an endpoint that "
        "every node reaches."
    )


def survey(asked: dict[str, Any]) -> dict[str, Any]:
    """Ask the cluster.

    Raises:
        FleetStartFailed: it cannot hold the fleet.
    """
    ray = join_cluster(asked["address"])
    alive = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
    where = urlsplit(asked["endpoint"])
    port = where.port or (443 if where.scheme == "wss" else 80)
    strategy = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
    looking = [
        ray.remote(look)
        .options(num_cpus=0, scheduling_strategy=strategy(node["NodeID"], soft=False))
        .remote(PACKAGES, where.hostname or "", port, asked["seen"])
        for node in alive
    ]
    try:
        said = ray.get(looking, timeout=_LOOK_S)
    except ray.exceptions.RayError as error:
        raise FleetStartFailed(
            f"A node of the cluster at {asked['address']} does not say what it has: {str(error)[:200]}",
            hint="Look at it with `ray status`.",
        ) from error
    names = [node["NodeManagerHostname"] for node in alive]
    found = [NodeFound(name=name, **answer) for name, answer in zip(names, said, strict=True)]
    here = {package: metadata.version(package) for package in PACKAGES}
    if (why := refusal(found, here, asked)) is not None:
        raise why
    _check_room(ray, asked["needs"], len(alive))
    return {"nodes": len(alive)}


def _check_room(ray: Any, needs: list[dict[str, float]], nodes: int) -> None:
    """Have Ray's own scheduler place the peers for a moment, where there is enough of everything in all."""
    needed, total = Counter[str](), ray.cluster_resources()
    for need in needs:
        needed.update(need)
    if all(total.get(kind, 0) >= much for kind, much in needed.items()):
        group = ray.util.placement_group([need for need in needs if any(need.values())], strategy="SPREAD")
        try:
            if group.wait(_ROOM_S):
                return
        finally:
            ray.util.remove_placement_group(group)
    free = ray.available_resources()
    units = {kind: unit for kind, unit in _UNITS.items() if needed[kind]}
    has = ", ".join(f"{free.get(kind, 0):g} of {total.get(kind, 0):g} {units[kind]} free" for kind in units)
    wants = " and ".join(f"{needed[kind]:g} {unit}" for kind, unit in units.items())
    raise FleetStartFailed(
        f"The cluster has {nodes} {'node' if nodes == 1 else 'nodes'} with {has}; "
        f"the fleet's {len(needs)} peers need {wants}.",
        hint="Start fewer miners, set cpus_per_peer= below 1, or add a node: ray start --address=….",
    )


_UNITS: Final = {"CPU": "CPUs", "GPU": "GPUs"}


def main() -> None:
    """Answer what the input asks."""
    asked = json.loads(sys.stdin.read())
    try:
        said = survey(asked)
    except FleetStartFailed as error:
        said = {"refused": str(error.args[0]), "hint": error.hint}
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main()
