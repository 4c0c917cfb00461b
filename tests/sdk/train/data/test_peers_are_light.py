"""A peer maps what is on disk: it loads none of the libraries that read a person's data."""

import json
import subprocess
import sys


def test_a_peer_loads_no_polars() -> None:
    code = (
        "import json, sys, subnetlab.train.miner, subnetlab.train.validator, subnetlab.train.manifest;"
        "print(json.dumps([name for name in ('polars', 'pandas', 'datasets') if name in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300
    )
    assert json.loads(done.stdout) == []
