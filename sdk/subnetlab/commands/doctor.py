"""Check whether this machine can do what the tutorials do, without importing or starting any of it.

Each check says what it found and, where that is not good enough, what to do. A warning is something that
works but slower or larger than it should.
"""

import codecs
import multiprocessing
import os
import platform
import shutil
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from subnetlab.errors import SubnetLabError
from subnetlab.fleet import limits
from subnetlab.fleet.local import LocalFleet
from subnetlab.record.files import make_private
from subnetlab.report.format import bytes_text
from subnetlab.settings import home
from subnetlab.text import plain, plain_lines
from subnetlab.train.devices import NONE, Found, find_devices

if TYPE_CHECKING:
    from subnetlab.lab.session import Net

State = Literal["ok", "warning", "missing"]

_PYTHONS = ((3, 11), (3, 13))
_CPU_WHEELS = "https://download.pytorch.org/whl/cpu"
_NEEDED_MEMORY = 1_500_000_000
_NEEDED_DISK = 500_000_000
_MARKS: dict[State, str] = {"ok": "ok", "warning": "!!", "missing": "XX"}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: what was found, and what to do where it is not good enough."""

    name: str
    state: State
    found: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Checkup:
    """All checks of a machine."""

    checks: tuple[Check, ...]

    @property
    def healthy(self) -> bool:
        """Whether nothing is missing; warnings do not count."""
        return all(check.state != "missing" for check in self.checks)

    def __repr__(self) -> str:
        width = max(len(check.name) for check in self.checks)
        lines: list[str] = []
        for check in self.checks:
            lines.append(f"{_MARKS[check.state]}  {check.name:<{width}}  {check.found}")
            if check.advice:
                lines.append(f"    {'':<{width}}  → {check.advice}")
        lines.append("" if self.healthy else "Something is missing: see the arrows.")
        return plain_lines("\n".join(lines).rstrip())


def doctor(net: "Net | None" = None) -> Checkup:
    """Look at Python, torch, the packages, Jupyter, ports, processes, devices, memory and disk.

    Args:
        net: an open network whose chain is looked at too.
    """
    looks: tuple[Callable[[], Check], ...] = (
        _python, _torch, *(_package_look(name) for name in ("bittensor", "web3", "polars", "ipykernel")),
        _kernel, jupyter_check, console_check, _loopback, _processes, _cores, devices_check, _memory,
        fleet_check, _disk,
    )  # fmt: skip
    chain = () if net is None else (chain_check(net),)
    return Checkup((*(look() for look in looks), *chain))


def _python() -> Check:
    found = f"{platform.python_implementation()} {platform.python_version()}"
    low, high = _PYTHONS
    if low <= sys.version_info[:2] <= high:
        return Check("Python", "ok", found)
    return Check("Python", "missing", found, f"Use CPython {low[0]}.{low[1]} to {high[0]}.{high[1]}.")


def torch_check(found: str | None, *, has_card: bool = False) -> Check:
    """Judge a version of torch; a build for CUDA works without a card too, but costs gigabytes."""
    if found is None:
        return Check("torch", "missing", "not installed", "pip install subnetlab")
    build = found.partition("+")[2]
    if build == "cpu" or sys.platform == "darwin" or has_card:
        return Check("torch", "ok", found)
    advice = (
        f"pip install torch=={found.partition('+')[0]}+cpu --extra-index-url {_CPU_WHEELS} saves gigabytes."
    )
    return Check("torch", "warning", f"{found}, not the CPU build", advice)


def _torch() -> Check:
    return torch_check(_version("torch"), has_card=bool(find_devices().cards))


def _package_look(name: str) -> Callable[[], Check]:
    def look() -> Check:
        found = _version(name)
        if found is None:
            return Check(name, "missing", "not installed", "pip install subnetlab")
        return Check(name, "ok", found)

    return look


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _kernel() -> Check:
    spec = Path(sys.prefix) / "share" / "jupyter" / "kernels" / "subnetlab" / "kernel.json"
    if spec.is_file():
        return Check("Jupyter kernel", "ok", str(spec.parent))
    return Check(
        "Jupyter kernel",
        "warning",
        "not where this Python's Jupyter looks",
        "Use %load_ext subnetlab_kernel.",
    )


def jupyter_check(found: str | None = None) -> Check:
    """Judge whether the `jupyter` that a terminal starts is of this Python, whose packages a kernel needs.

    Args:
        found: its path; looked up unless given.
    """
    program = found or shutil.which("jupyter")
    if program is None:
        return Check("Jupyter", "ok", "no command `jupyter` in the path")
    if Path(program).absolute().parent.parent == Path(sys.prefix).absolute():
        return Check("Jupyter", "ok", program)
    return Check(
        "Jupyter",
        "warning",
        f"{program} is of another Python than {sys.executable}",
        f"Its kernels may lack SubnetLab: start it by {sys.executable} -m jupyter lab, or subnetlab lab.",
    )


def console_check(encoding: str | None = None) -> Check:
    """Judge whether what this process prints may hold every letter.

    Args:
        encoding: of the console; that of standard output unless given.
    """
    name = encoding or getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        fine = codecs.lookup(name).name == "utf-8"
    except LookupError:
        fine = False
    if fine:
        return Check("console", "ok", name)
    return Check("console", "warning", f"{name}: some letters become question marks", "Set PYTHONUTF8=1.")


def fleet_check(cores: float | None = None, free: int | None = None) -> Check:
    """Judge whether the usual fleet fits, and name the one that does.

    Args:
        cores: that may be used; looked up unless given, with the limits of the container.
        free: bytes of memory that may still be taken, likewise.
    """
    usual = LocalFleet()
    free = limits.free_memory() if free is None else free
    said = limits.warning(usual, limits.cores() if cores is None else cores, free)
    found, _, smaller = said.partition(" sl.")
    if not said:
        return Check("fleet", "ok", f"sl.LocalFleet() with its {usual.miners} miners fits")
    return Check("fleet", "warning", found, f"sl.{smaller}")


def chain_check(net: "Net") -> Check:
    """Judge whether a chain's runtime is the one that SubnetLab and its SDK were tried with."""
    from subnetlab.devnet.metadata import SPEC_VERSION  # noqa: PLC0415  (only where a chain is there)

    try:
        spec = int(net.client.spec_version)
    except (SubnetLabError, OSError, ValueError, RuntimeError) as error:
        return Check("chain", "warning", f"{plain(net.name)} does not answer: {error}", "Check the endpoint.")
    found = f"{plain(net.name)} runs spec {spec}"
    if spec == SPEC_VERSION:
        return Check("chain", "ok", found)
    what = "newer" if spec > SPEC_VERSION else "older"
    return Check(
        "chain", "warning",
        f"{found}, {what} than {SPEC_VERSION}, for which bittensor {_version('bittensor')} was tried",
        "Calls may have changed: pip install --upgrade subnetlab." if spec > SPEC_VERSION else "Read only.",
    )  # fmt: skip


def _loopback() -> Check:
    try:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            probe.listen(1)
            with socket.create_connection(probe.getsockname(), timeout=2):
                pass
    except OSError as error:
        return Check(
            "local ports", "missing", str(error), "The devnet needs 127.0.0.1; look at sandbox or firewall."
        )
    return Check("local ports", "ok", "127.0.0.1 can be opened and reached")


def _processes() -> Check:
    if "forkserver" in multiprocessing.get_all_start_methods():
        return Check("processes", "ok", "forkserver")
    return Check("processes", "warning", "no forkserver here", "Miners start one by one and use more memory.")


def _cores() -> Check:
    cores = limits.cores()
    if cores >= 2:
        return Check("processor", "ok", f"{cores:.3g} cores")
    found = "1 core" if cores == 1 else f"{cores:.2g} cores"
    return Check("processor", "warning", found, "Everything works, at half the speed the tutorials state.")


def devices_check(found: Found | None = None) -> Check:
    """Name the devices that models can compute on beside the CPU.

    Args:
        found: the devices that there are; looked up unless given.
    """
    found = find_devices() if found is None else found
    if not found.cpu_build:
        return Check("devices", "ok", f"cpu, {found}" if found != NONE else "cpu")
    return Check(
        "devices", "warning", "cpu: there is a card, and torch is built for the CPU alone",
        "pip install torch from the index of your card: pytorch.org/get-started names it.",
    )  # fmt: skip


def _memory() -> Check:
    free = limits.free_memory()
    if free is None:
        return Check("memory", "ok", "unknown on this system")
    state: State = "ok" if free >= _NEEDED_MEMORY else "warning"
    advice = "" if state == "ok" else "Notebook, node and miners need about 1.5 GB; see the fleet below."
    return Check("memory", state, f"{bytes_text(free)} free", advice)


def _disk() -> Check:
    place = home()
    try:
        make_private(place)
        free = shutil.disk_usage(place).free
        writable = os.access(place, os.W_OK)
    except OSError as error:
        return Check("disk", "missing", str(error), "Set SUBNETLAB_HOME to a folder you can write to.")
    if not writable:
        return Check(
            "disk", "missing", f"{place} is read-only", "Set SUBNETLAB_HOME to a folder you can write to."
        )
    state: State = "ok" if free >= _NEEDED_DISK else "warning"
    return Check(
        "disk", state, f"{bytes_text(free)} free in {place}", "" if state == "ok" else "Runs need some room."
    )
