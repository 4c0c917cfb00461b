"""A node that is started and seals has loaded no library that only a later request needs."""

import json
import subprocess
import sys

from subnetlab.devnet.evm.keccak import keccak_256

CODE = """
import json, sys
from subnetlab.devnet import metadata
from subnetlab.devnet.chain.codec import Codec
from subnetlab.devnet.node import command
from subnetlab.devnet.node.clock import Clock
from subnetlab.devnet.node.node import Node
from subnetlab.devnet.rpc import server
found = metadata.recording()
node = Node(Codec(found.v15, found.spec_version, found.transaction_version), Clock())
node.seal()
print(json.dumps(sorted(sys.modules)))
"""
LATER = {"coincurve", "cryptography", "eth", "nacl", "importlib.metadata", "importlib.resources"}
LATER |= set[str]() if keccak_256 is None else {"Crypto"}
NEVER = {"bittensor", "numpy", "polars", "torch", "web3"}


def test_a_node_that_is_started_and_seals_has_loaded_nothing_for_later() -> None:
    out = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True).stdout
    loaded: set[str] = set(json.loads(out))
    assert "subnetlab.devnet.rpc.server" in loaded
    assert not loaded & (LATER | NEVER)
