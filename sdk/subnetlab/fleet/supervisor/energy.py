"""What the machine's processors used while a run went on, where the kernel tells: Intel's and AMD's RAPL.

The counters of `/sys/class/powercap` count microjoules of a whole package, whatever runs on it, and begin
again at their range; read often enough, no beginning is missed. Many systems show them to root alone.
"""

import re
from pathlib import Path
from typing import Final

_FOLDER: Final = Path("/sys/class/powercap")
_PACKAGE: Final = re.compile(r"intel-rapl:\d+")
"""A package; its parts have a second number and are counted in it."""
_MICRO: Final = 1e-6


class EnergyMeter:
    """Counts from the moment it is made.

    Args:
        folder: where the kernel shows its counters.
    """

    def __init__(self, folder: Path = _FOLDER) -> None:
        packages = sorted(folder.glob("intel-rapl:*"))
        found = [package for package in packages if _PACKAGE.fullmatch(package.name)]
        self._ranges = {package: _number(package / "max_energy_range_uj") for package in found}
        self._counters = {package: _number(package / "energy_uj") for package in found}
        self._microjoules = 0

    def read(self) -> float | None:
        """Joules: what all packages used up to now; None where one of them does not tell."""
        for package, before in self._counters.items():
            now, range_ = _number(package / "energy_uj"), self._ranges[package]
            if before is None or now is None or range_ is None:
                return None
            self._microjoules += now - before if now >= before else now + range_ - before
            self._counters[package] = now
        return round(self._microjoules * _MICRO, 3) if self._counters else None


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
