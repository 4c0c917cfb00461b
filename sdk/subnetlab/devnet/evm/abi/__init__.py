"""The interfaces of Subtensor's precompiles, as the SDK ships them: names, selectors, types.

`precompiles.json` is a copy of the SDK's ABI that `record.py` makes; a test compares the two, and nothing
here or elsewhere spells a signature again. Types are ABI strings with tuples written out, as `eth_abi` reads
them.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from eth_abi.abi import encode

from subnetlab.devnet.evm.keccak import keccak

VIEWS = frozenset({"view", "pure"})
_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Function:
    """One function of a precompile."""

    name: str
    inputs: tuple[str, ...]
    """Types of the arguments."""
    names: tuple[str, ...]
    """Names of the arguments as the ABI spells them, empty where it gives none."""
    outputs: tuple[str, ...]
    mutability: str
    """`view`, `pure`, `nonpayable` or `payable`."""

    @property
    def signature(self) -> str:
        """`addStake(bytes32,uint256,uint256)`."""
        return f"{self.name}({','.join(self.inputs)})"

    @property
    def selector(self) -> bytes:
        """The four bytes that call data begins with."""
        return keccak(self.signature.encode())[:4]

    @property
    def is_view(self) -> bool:
        """Whether the function promises to write nothing."""
        return self.mutability in VIEWS

    @property
    def words(self) -> tuple[str, ...]:
        """The arguments' names as a runtime call spells them: `limit_price` for `limitPrice`."""
        return tuple(snake(name) if name else f"argument_{i}" for i, name in enumerate(self.names))

    def call_data(self, arguments: Sequence[Any]) -> bytes:
        """Selector and encoded arguments, as a caller sends them."""
        return self.selector + encode(self.inputs, arguments)

    def answer(self, values: Sequence[Any]) -> bytes:
        """The encoded outputs."""
        return encode(self.outputs, values)


@dataclass(frozen=True, slots=True)
class Contract:
    """One precompile: where it is and what it can be asked."""

    name: str
    """As `btcli evm` spells it: `staking-v2`."""
    index: int
    functions: tuple[Function, ...]

    @property
    def address(self) -> bytes:
        """The twenty bytes of its address: the index, big-endian."""
        return self.index.to_bytes(20, "big")

    def by_selector(self) -> dict[bytes, Function]:
        """Its functions by selector."""
        return {function.selector: function for function in self.functions}


def snake(name: str) -> str:
    """`limitPrice` as `limit_price`; `placeholder1` stays."""
    return _CAPITAL.sub("_", name).lower()


def written_out(parameter: dict[str, Any]) -> str:
    """A parameter's type with its tuples written out: `(bytes32,uint256)[]`."""
    spelled: str = parameter["type"]
    if not spelled.startswith("tuple"):
        return spelled
    inner = ",".join(written_out(part) for part in parameter["components"])
    return f"({inner}){spelled.removeprefix('tuple')}"


def function_of(entry: dict[str, Any]) -> Function:
    """A function from its entry in an ABI."""
    return Function(
        name=entry["name"],
        inputs=tuple(written_out(one) for one in entry["inputs"]),
        names=tuple(one["name"] for one in entry["inputs"]),
        outputs=tuple(written_out(one) for one in entry["outputs"]),
        mutability=entry["stateMutability"],
    )


def contracts_of(document: Iterable[dict[str, Any]]) -> dict[str, Contract]:
    """The contracts that a recorded document describes, by name."""
    return {
        entry["name"]: Contract(
            entry["name"], entry["index"], tuple(function_of(one) for one in entry["abi"])
        )
        for entry in document
    }


@cache
def contracts() -> dict[str, Contract]:
    """The precompiles of the runtime which SDK 11.3 was made for, by name."""
    return contracts_of(
        json.loads(files("subnetlab.devnet.evm.abi").joinpath("precompiles.json").read_bytes())
    )
