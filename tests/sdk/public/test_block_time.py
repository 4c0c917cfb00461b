"""How long a block takes is read from the newest ones, whatever pace a chain had before."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest

from subnetlab.network.wire_client import WireClient
from subnetlab.public.subnet_reads import SubnetReads


class Stamped:
    """A chain whose blocks have these time stamps, in milliseconds."""

    def __init__(self, stamps: Sequence[int]) -> None:
        self.stamps, self.substrate = stamps, self

    def rpc(self, method: str, *_: Any) -> Any:
        return "head" if method == "chain_getHead" else {"number": hex(len(self.stamps) - 1)}

    async def rpc_async(self, _method: str, number: int) -> str:
        return str(number)

    async def query(self, _pallet: str, _name: str, _keys: list[Any], *, block_hash: str) -> int:
        return self.stamps[int(block_hash)]

    def run(self, question: Any) -> Any:
        return asyncio.run(question)


def block_s(stamps: Sequence[int]) -> float:
    reads = SubnetReads.__new__(SubnetReads)
    reads.client = cast("WireClient", Stamped(stamps))
    return reads.block_s()


@pytest.mark.parametrize(
    ("stamps", "seconds"),
    [
        ([0], 12.0),
        ([0, 12_000], 12.0),
        ([n * 12_000 for n in range(30)], 12.0),
        # Twenty blocks sealed at once, then an interval of half a second.
        ([*range(20), *(20 + n * 500 for n in range(1, 7))], 0.5),
        # A slot that was left out.
        ([0, 12_000, 24_000, 48_000, 60_000, 72_000], 12.0),
        ([0, 0, 0, 0], 0.01),
    ],
)
def test_the_time_between_blocks_is_that_of_the_newest(stamps: list[int], seconds: float) -> None:
    assert block_s(stamps) == pytest.approx(seconds)
