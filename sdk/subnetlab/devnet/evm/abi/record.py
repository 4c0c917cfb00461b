"""`python -m subnetlab.devnet.evm.abi.record bittensor.evm.precompiles FILE`: keep an SDK's ABI for the node.

The module is named on the command line, so that the node itself never imports the SDK. What callers do not
need (`internalType`, descriptions) is dropped.
"""

import argparse
import json
import sys
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any


def recorded(precompiles: Iterable[Any]) -> list[dict[str, Any]]:
    """Name, index and compact ABI of every precompile of the SDK's catalogue."""
    return [
        {"name": one.name, "index": one.index, "abi": [_entry(e) for e in one.functions()]}
        for one in precompiles
    ]


def _entry(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": entry["name"],
        "inputs": [_parameter(one) for one in entry["inputs"]],
        "outputs": [_parameter(one) for one in entry["outputs"]],
        "stateMutability": entry["stateMutability"],
    }


def _parameter(parameter: dict[str, Any]) -> dict[str, Any]:
    kept = {"name": parameter["name"], "type": parameter["type"]}
    if "components" in parameter:
        kept["components"] = [_parameter(part) for part in parameter["components"]]
    return kept


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m subnetlab.devnet.evm.abi.record", description=__doc__)
    parser.add_argument("module", help="the SDK's catalogue: bittensor.evm.precompiles")
    parser.add_argument("file", type=Path, help="where to write")
    options = parser.parse_args(arguments)
    try:
        document = recorded(import_module(options.module).PRECOMPILES.values())
        options.file.write_text(json.dumps(document, separators=(",", ":")) + "\n", encoding="utf-8")
    except (ImportError, AttributeError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"recorded {len(document)} precompiles: {options.file.stat().st_size} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
