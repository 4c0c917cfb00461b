"""The hash of Ethereum is one, whichever library makes it."""

import os
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from subnetlab.devnet.evm import keccak


@given(st.binary(max_size=600))
def test_both_libraries_agree(data: bytes) -> None:
    assert keccak.keccak(data) == keccak.by_pycryptodome(data)


def test_no_code_has_the_known_hash() -> None:
    assert keccak.keccak(b"") == keccak.by_pycryptodome(b"") == keccak.EMPTY_CODE_HASH


def test_the_engine_hashes_by_the_same_module_and_leaves_no_choice_to_child_processes() -> None:
    """A child may run in an environment that has another module, as titanoboa's program of the peers does."""
    program = (
        "import os, subnetlab.devnet.evm.prague, eth_hash.auto;"
        "print(os.environ.get('ETH_HASH_BACKEND'), type(eth_hash.auto.keccak.hasher.__self__).__name__)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "ETH_HASH_BACKEND"}
    ran = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    chosen, backend = ran.stdout.split()
    assert chosen == "None"
    assert keccak.keccak_256 is None or backend == "PySha3Backend"
