"""A figure, how it is timed and printed, and the facts of the machine it was taken on. Linux."""

import importlib.metadata
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ParamSpec

Args = ParamSpec("Args")
LIBRARIES = ("subnetlab", "torch", "bittensor", "bittensor-core", "ipykernel", "polars", "numpy", "obstore")


class Unavailable(Exception):
    """A family cannot be measured here; the message says what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured number: the median of `samples`, the peer's beside it, and what DESIGN allows.

    `limit` is an upper bound on `value` (or on the ratio to the peer where `limits_ratio`); with `at_least` a
    lower bound.
    """

    name: str
    value: float
    unit: str
    samples: int = 1
    low: float | None = None
    high: float | None = None
    peer: str = ""
    peer_value: float | None = None
    limit: float | None = None
    limits_ratio: bool = False
    at_least: bool = False
    note: str = ""
    load: float = field(default_factory=lambda: round(os.getloadavg()[0], 1))
    """The machine's load average over the minute before."""

    @property
    def ratio(self) -> float | None:
        """Ours over the peer's."""
        return self.value / self.peer_value if self.peer_value else None

    @property
    def met(self) -> bool | None:
        """Whether the budget holds; None without one."""
        measured = self.ratio if self.limits_ratio else self.value
        if self.limit is None or measured is None:
            return None
        return measured >= self.limit if self.at_least else measured <= self.limit

    def line(self) -> str:
        """The figure as one line for a person."""
        text = f"{self.name:<44} {self.value:>10,.4g} {self.unit:<10}"
        if self.low is not None and self.high is not None and self.samples > 1:
            text += f" quartiles {self.low:,.4g}–{self.high:,.4g} n={self.samples}"
        if self.peer_value is not None:
            text += f" | {self.peer} {self.peer_value:,.4g} → {self.ratio:.3g}×"
        if self.limit is not None:
            bound = f"{'ratio ' if self.limits_ratio else ''}{'≥' if self.at_least else '≤'} {self.limit:g}"
            text += f" | budget {bound}: {'met' if self.met else 'MISSED'}"
        return text + (f" | {self.note}" if self.note else "") + f" | load {self.load:g}"

    def as_json(self) -> dict[str, Any]:
        """All fields that say something, the ratio and the verdict included."""
        raw = {field: getattr(self, field) for field in self.__dataclass_fields__}
        raw |= {"ratio": self.ratio, "met": self.met}
        return {key: value for key, value in raw.items() if value is not None and value != ""}


def median_of(name: str, values: Sequence[float], unit: str, **options: Any) -> Figure:
    """A figure from samples: the median, with the quartiles as its spread."""
    low, high = (min(values), max(values)) if len(values) < 4 else _quartiles(values)
    return Figure(
        name=name,
        value=statistics.median(values),
        unit=unit,
        samples=len(values),
        low=low,
        high=high,
        **options,
    )


def _quartiles(values: Sequence[float]) -> tuple[float, float]:
    low, _, high = statistics.quantiles(values, n=4)
    return low, high


def seconds(action: Callable[Args, object], *args: Args.args, **kwargs: Args.kwargs) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    action(*args, **kwargs)
    return time.perf_counter() - start


def memory_mb(pid: int) -> tuple[float, float]:
    """Resident and proportional set size of a process in MB (10^6 bytes)."""
    fields = dict[str, float]()
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]:
        name, kilobytes, *_ = line.split()
        fields[name.rstrip(":")] = int(kilobytes) * 1024 / 1e6
    return fields["Rss"], fields["Pss"]


def machine() -> dict[str, Any]:
    """What a reader needs to compare two files: processor, memory, load before the run, versions."""
    info = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    model = next(
        (line.split(":", 1)[1].strip() for line in info.splitlines() if line.startswith("model name")), ""
    )
    return {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "cpu": model,
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "load_before": os.getloadavg()[0],
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in LIBRARIES},
    }
