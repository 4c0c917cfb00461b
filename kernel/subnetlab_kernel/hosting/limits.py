"""What a kernel, and each process it starts, may use of the machine; set before the kernel's first line.

Memory is limited by process (`RLIMIT_DATA`), the processor by the cores it may run on, and, where a person
has a system user, the number of processes of that user. All of it is inherited by miners and nodes, and none
of it can be lifted by them. A limit on the sum of a person's memory takes control groups: start the host in
one. This file is also the program that sets them and then becomes the kernel, so it imports nothing of ours.
"""

import os
import resource
import sys
from collections.abc import Sequence
from dataclasses import dataclass

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelLimits:
    """Limits of one person's kernels; 0 sets none."""

    memory_mb: int = 0
    """Of each process."""
    cores: int = 0
    processes: int = 0
    """Of a person's own system user."""
    kernels: int = 4
    runs: int = 2
    """That a person may have going on at once; a courtesy of the SDK, which the others back up."""


def confined(command: Sequence[str], limits: KernelLimits, *, own_user: bool, place: int) -> list[str]:
    """The command that sets the limits and then becomes `command`.

    Args:
        command: of the kernel.
        limits: on it and all that it starts.
        own_user: whether its system user is that of one person alone.
        place: of the person among the host's, so that people share cores evenly.
    """
    processes = limits.processes if own_user else 0
    numbers = (limits.memory_mb, limits.cores, processes, place)
    return [sys.executable, "-I", "-S", __file__, *map(str, numbers), *command]


def shared_cores(cores: Sequence[int], count: int, place: int) -> set[int]:
    """So many of the cores, beginning elsewhere for each person."""
    first = place * count % len(cores)
    return {cores[(first + i) % len(cores)] for i in range(min(count, len(cores)))}


def _become(memory_mb: int, cores: int, processes: int, place: int, command: list[str]) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory_mb:
        resource.setrlimit(resource.RLIMIT_DATA, (memory_mb * MEGABYTE, memory_mb * MEGABYTE))
    if processes:
        resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, shared_cores(sorted(os.sched_getaffinity(0)), cores, place))
    os.execvp(command[0], command)  # noqa: S606 - the kernel's own command


if __name__ == "__main__":
    _become(*map(int, sys.argv[1:5]), command=sys.argv[5:])
