"""How many cores and how much memory this process may use, the limits of its container among them.

A container sees the machine's processors and memory in /proc; what it may use of them is in its control
groups, version 1 or 2. Standard library only; what cannot be read limits nothing.
"""

import math
import os
from pathlib import Path
from typing import ClassVar, Final, Protocol

from subnetlab.fleet.control_groups import GROUPS, OWN, folders

PEER_BYTES: Final = 150_000_000
"""Of one peer beside the others, measured; the model and the data are the reference fleet's."""
_MEMORY: Final = Path("/proc/meminfo")


class Peers(Protocol):
    """The size of a fleet, as `LocalFleet` says it; a supervisor cannot load that one's torch."""

    is_here: ClassVar[bool]
    """Whether its peers run on this machine."""

    @property
    def miners(self) -> int:
        """Miners, attackers among them."""
        ...

    @property
    def validators(self) -> int:
        """Validators."""
        ...

    @property
    def baseline(self) -> bool:
        """Whether one miner trains alone beside them."""
        ...


def cores(*, groups: Path = GROUPS, own: Path = OWN) -> float:
    """Processor cores this process may use; a container may have a share of one."""
    found = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limits = [float(found)]
    for folder in folders("cpu", groups, own):
        pair = _words(folder / "cpu.max", 2)
        pair = pair or (_words(folder / "cpu.cfs_quota_us", 1) + _words(folder / "cpu.cfs_period_us", 1))
        if len(pair) == 2 and pair[0].isdigit() and pair[1].isdigit() and int(pair[1]):
            limits.append(int(pair[0]) / int(pair[1]))
    return min(limits)


def free_memory(*, groups: Path = GROUPS, own: Path = OWN, memory: Path = _MEMORY) -> int | None:
    """Bytes this process may still take; None on a system that does not say."""
    limits: list[int] = []
    try:
        lines = memory.read_text(encoding="ascii").splitlines()
        limits = [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    except (OSError, ValueError):
        pass
    for folder in folders("memory", groups, own):
        for most, used in (("max", "current"), ("limit_in_bytes", "usage_in_bytes")):
            limit, taken = _words(folder / f"memory.{most}", 1), _words(folder / f"memory.{used}", 1)
            if limit and taken and limit[0].isdigit() and taken[0].isdigit():
                limits.append(max(0, int(limit[0]) - int(taken[0])))
    return min(limits, default=None)


def warning(fleet: Peers, cores: float, free: int | None) -> str:
    """A sentence for a person whose machine is small for a fleet; empty where it is not."""
    if not fleet.is_here:
        return ""
    peers = fleet.miners + fleet.validators + fleet.baseline
    scarce: list[str] = []
    if cores < 2 < peers:
        scarce.append(f"{cores:.2g} {'core' if cores == 1 else 'cores'}")
    if free is not None and free < peers * PEER_BYTES:
        scarce.append(f"{free / 1e9:.1f} GB of free memory")
    if not scarce:
        return ""
    fewer = max(1, min(fleet.miners, math.floor((free or 0) / PEER_BYTES) - fleet.validators - 1, 4))
    return (
        f"{' and '.join(scarce)} {'are' if len(scarce) > 1 else 'is'} little for {peers} peers: rounds are"
        " slow, and a peer may be killed."
        f" sl.LocalFleet(miners={fewer}, validators=1, baseline=False) is smaller."
    )


def _words(path: Path, count: int) -> tuple[str, ...]:
    """The words of a small file, if it holds so many; else none."""
    try:
        found = tuple(path.read_text(encoding="ascii").split())
    except (OSError, UnicodeError):
        return ()
    return found if len(found) == count else ()
