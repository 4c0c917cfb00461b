"""A chain in this process: the real runtime's types, and a clock that moves when it is told to."""

from collections.abc import Iterator
from functools import cache

import pytest
from bittensor_core import Keypair
from tests.sdk.devnet.signing import Signer

from subnetlab.devnet import metadata
from subnetlab.devnet.chain.codec import Codec
from subnetlab.devnet.node.clock import Clock
from subnetlab.devnet.node.node import Node


class StillClock(Clock):
    """Time that stands still until it is advanced."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 1_700_000_000_000

    def now(self) -> int:
        return self._now

    def advance(self, milliseconds: int) -> None:
        self._now += milliseconds


@pytest.fixture(autouse=True)
def _no_part_of_a_block_failed(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A hook or call that raises costs only itself on a node; in a test it is a bug, unless it is the point.

    A test that makes one fail clears the log.
    """
    yield
    failed = [record.getMessage() for record in caplog.get_records("call") if record.exc_info]
    assert not failed


@cache
def recorded_codec() -> Codec:
    return Codec(metadata.recorded(), metadata.SPEC_VERSION, metadata.TRANSACTION_VERSION)


@pytest.fixture
def codec() -> Codec:
    return recorded_codec()


@pytest.fixture
def node(codec: Codec) -> Node:
    return Node(codec, StillClock())


@pytest.fixture
def signer(node: Node) -> Signer:
    return Signer(node, Keypair.from_uri("//Alice"))
