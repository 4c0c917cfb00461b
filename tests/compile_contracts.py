"""Compile the contracts of the package: `python -m tests.compile_contracts` writes their artefacts anew."""

import json
from pathlib import Path
from typing import Any

import vyper
from vyper import compile_code

from subnetlab.network.evm.artefact import CONTRACTS


def compiled(source: Path) -> dict[str, Any]:
    """The artefact of one contract, as it is kept beside its source."""
    out = compile_code(
        source.read_text(encoding="utf-8"), output_formats=["abi", "bytecode", "bytecode_runtime"]
    )
    return {
        "compiler": f"vyper {vyper.__version__}",
        "abi": out["abi"],
        "bytecode": out["bytecode"],
        "runtime": out["bytecode_runtime"],
    }


def written(artefact: dict[str, Any]) -> str:
    """The text of an artefact's file."""
    return json.dumps(artefact, separators=(",", ":")) + "\n"


if __name__ == "__main__":
    for found in sorted(CONTRACTS.glob("*.vy")):
        found.with_suffix(".json").write_text(written(compiled(found)), encoding="utf-8")
