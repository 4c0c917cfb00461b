"""The contracts that ship with the package: their ABI and bytecode as the compiler left them.

Each `contracts/NAME.vy` has its `contracts/NAME.json` beside it, written by `make contracts`; a test compiles
the source again and compares. Nothing is compiled at run time, so no compiler is needed to use them.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

CONTRACTS = Path(__file__).parent / "contracts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """One compiled contract."""

    name: str
    compiler: str
    """Such as `vyper 0.4.3`."""
    abi: tuple[dict[str, Any], ...]
    bytecode: str
    """What a deployment sends, `0x…`."""
    runtime: str
    """What then lies at the contract's address, `0x…`."""


@cache
def artefact(name: str) -> Artefact:
    """A contract of the package by its name, such as `JobEscrow`.

    Raises:
        FileNotFoundError: no such contract ships.

    Example:
        >>> artefact("JobEscrow").compiler
        'vyper 0.4.3'
    """
    kept = json.loads((CONTRACTS / f"{name}.json").read_text(encoding="utf-8"))
    return Artefact(
        name=name,
        compiler=kept["compiler"],
        abi=tuple(kept["abi"]),
        bytecode=kept["bytecode"],
        runtime=kept["runtime"],
    )
