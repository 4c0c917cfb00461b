"""What a supervisor, a pacer or a viewer loads stays light: no SDK, no frames, no tensors."""

import json
import subprocess
import sys

import pytest

HEAVY = ("bittensor", "torch", "polars", "numpy", "web3", "aiohttp", "IPython")
MODULES = [
    "subnetlab.record.writer",
    "subnetlab.record.reader",
    "subnetlab.network.chain",
    "subnetlab.network.commitment_fields",
    "subnetlab.network.confirm",
    "subnetlab.network.budget",
    "subnetlab.network.dev",
    "subnetlab.network.endpoints",
    "subnetlab.network.secrets",
]


@pytest.mark.parametrize("module", MODULES)
def test_importing_it_loads_nothing_heavy(module: str) -> None:
    code = f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=300)
    loaded = json.loads(done.stdout)
    assert module in loaded
    assert [name for name in HEAVY if name in loaded] == []
