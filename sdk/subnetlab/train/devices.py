"""Which devices this machine has beside its CPU, in torch's words, and which of them each peer gets.

Loads no torch: a process of its own asks it, because what CUDA starts does not survive a fork, and because
a kernel that only plans stays light. Says nothing about other machines.
"""

import functools
import json
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from subnetlab.errors import DeviceMissing

CPU: Final = "cpu"
AUTO: Final = "auto"
_DEVICE: Final = re.compile(r"cpu|mps|cuda(:\d{1,3})?")
_SIGNS: Final = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/kfd", "/dev/dxg")
"""Device files of a driver of NVIDIA, of AMD, and of WSL, where there is a card."""
_ASK: Final = "import json; from subnetlab.train.execution import found_here; print(json.dumps(found_here()))"
_ASK_LIMIT_S: Final = 120.0
LARGE: Final = 5_000_000
"""Parameters from which "auto" takes a card: below, a step is mostly the starting of its operations."""
_COMPILERS: Final = ("g++", "clang++", "c++")


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One CUDA device."""

    name: str
    bytes: int
    """Of its memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The devices of a machine beside its CPU, as far as its torch can use them."""

    cards: tuple[Card, ...] = ()
    mps: bool = False
    cpu_build: bool = False
    """Whether torch is built for the CPU alone, whatever the machine has."""

    @staticmethod
    def from_json(told: Mapping[str, Any]) -> "Found":
        """Read what `execution.found_here` says."""
        return Found(
            cards=tuple(Card(**card) for card in told["cuda"]), mps=told["mps"], cpu_build=told["cpu_build"]
        )

    def __str__(self) -> str:
        if self.cards:
            return ", ".join(
                f"cuda:{number} {card.name} ({card.bytes / 1e9:.0f} GB)"
                for number, card in enumerate(self.cards)
            )
        return "mps" if self.mps else "none"


NONE: Final = Found()


@functools.cache
def find_devices() -> Found:
    """The devices of this machine, asked for once in a process; at once where no driver shows any."""
    if sys.platform != "darwin" and not any(Path(sign).exists() for sign in _SIGNS):
        return NONE
    try:
        asked = subprocess.run(  # noqa: S603 - our own interpreter and words
            [sys.executable, "-P", "-c", _ASK],
            capture_output=True,
            text=True,
            timeout=_ASK_LIMIT_S,
            check=True,
        )
        return Found.from_json(json.loads(asked.stdout.splitlines()[-1]))
    except (OSError, subprocess.SubprocessError, ValueError, LookupError, TypeError):
        return NONE  # no peer could use a driver that does not answer


def is_device(word: object) -> bool:
    """Whether this is the name of a device."""
    return isinstance(word, str) and _DEVICE.fullmatch(word) is not None


def check_device(device: str, found: Found) -> None:
    """See that a device is among those that were found.

    Raises:
        DeviceMissing: it is not, or the word names none.
    """
    if not is_device(device):
        raise DeviceMissing(f"device={device[:60]!r} names no device.")
    if device == CPU or (device == "mps" and found.mps):
        return
    build = " that its torch can use, which is built for the CPU alone" if found.cpu_build else ""
    if device == "mps":
        raise DeviceMissing(f"This machine has no MPS device{build}.")
    if not found.cards:
        raise DeviceMissing(f"This machine has no CUDA device{build}.")
    if int(device.partition(":")[2] or 0) >= len(found.cards):
        has = "1 CUDA device" if len(found.cards) == 1 else f"{len(found.cards)} CUDA devices"
        raise DeviceMissing(f"This machine has {has}, counted from 0, and {device!r} is none of them.")


def spread(asked: Iterable[tuple[str, str]], found: Found, *, parameters: int) -> tuple[str, ...]:
    """The device of each peer: the next card in turn for "cuda", and otherwise the device that is named.

    Args:
        asked: of each peer its name, as an error calls it, and its word: a device, or "auto".
        found: the devices that there are.
        parameters: of the model; "auto" takes a card from five million on.

    Raises:
        DeviceMissing: a peer asks for a device that is not there.
    """
    chosen: list[str] = []
    turns = 0
    for name, word in asked:
        if word == AUTO:
            word = "cuda" if found.cards and parameters >= LARGE else CPU  # noqa: PLW2901
        try:
            check_device(word, found)
        except DeviceMissing as error:
            raise DeviceMissing(f"The device of {name} is {word!r}. {error.args[0]}") from None
        if word == "cuda":
            word, turns = f"cuda:{turns % len(found.cards)}", turns + 1  # noqa: PLW2901
        chosen.append(word)
    return tuple(chosen)


def check_compiler() -> None:
    """See that this machine has what `torch.compile` needs beside torch.

    Raises:
        DeviceMissing: it does not.
    """
    if not any(shutil.which(name) for name in _COMPILERS):
        raise DeviceMissing(
            "compile=True needs a C++ compiler, and this machine has none (g++ or clang++).",
            hint="Install g++, or leave compile out.",
        )
    header = Path(sysconfig.get_path("include")) / "Python.h"
    if not header.is_file():
        raise DeviceMissing(
            f"compile=True needs Python's headers, and {header} is not there.",
            hint="Install them (python3-dev), or leave compile out.",
        )
