"""The control groups that this process is in, version 1 or 2, and what was killed in them for want of memory.

Standard library only; what cannot be read is not there.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

GROUPS: Final = Path("/sys/fs/cgroup")
OWN: Final = Path("/proc/self/cgroup")
_MACHINE: Final = Path("/proc/vmstat")


def memory_kills(*, groups: Path = GROUPS, own: Path = OWN, machine: Path = _MACHINE) -> int:
    """How many processes were killed for want of memory so far, in our control groups and on this machine.

    Only its growth says something; 0 where the system does not tell.
    """
    counts = _count(machine, "oom_kill")
    for folder in folders("memory", groups, own):
        counts += _count(folder / "memory.events", "oom_kill") + _count(
            folder / "memory.oom_control", "oom_kill"
        )
    return counts


def _count(path: Path, name: str) -> int:
    """The number behind a name, in a file of names and numbers."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeError):
        return 0
    found = [words[1] for line in lines if len(words := line.split()) == 2 and words[0] == name]
    return int(found[0]) if found and found[0].isdigit() else 0


def folders(controller: str, groups: Path, own: Path) -> Iterator[Path]:
    """The folders of this process's control group and those above it, where the limits of all count."""
    try:
        lines = own.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError):
        return
    for line in lines:
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if controllers and controller not in controllers.split(","):
            continue
        root = groups / controller if controllers else groups
        folder = root / path.strip("/")
        while folder.is_relative_to(root):
            yield folder
            folder = folder.parent
