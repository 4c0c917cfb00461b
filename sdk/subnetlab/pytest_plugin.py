"""`subtensor_devnet`: a Subtensor-compatible chain as a pytest fixture, for the tests of any project.

One node serves a whole test session; each test finds the chain as it was when the session began, because it
is turned back after every test. The node is a process of its own on a free port, so tests that run side by
side (pytest-xdist) have one each. Nothing here knows what a test connects with.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, cast

import pytest

from subnetlab.lab.embedded import EmbeddedNode
from subnetlab.network.dev import DevControls

SEALING = "subtensor_devnet_sealing"
"""The option in pytest.ini or pyproject.toml: `instant`, `manual`, or seconds from block to block."""


class SubtensorDevnet(DevControls):
    """The chain of a test: where it listens, and its time and money under control."""

    @property
    def url(self) -> str:
        """The same port for HTTP: Ethereum's JSON-RPC, and Substrate's without subscriptions."""
        return self.endpoint.replace("ws://", "http://", 1)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the option of how blocks come."""
    parser.addini(SEALING, "blocks of subtensor_devnet: instant, manual, or seconds", default="instant")


@pytest.fixture(scope="session")
def subtensor_devnet_node(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmbeddedNode]:
    """The node of the session; tests ask for `subtensor_devnet` instead."""
    written = str(request.config.getini(SEALING)).strip()
    flags = {"instant": ["--instant"], "manual": ["--manual"]}
    arguments = flags.get(written) or ["--block-time", str(_seconds(written))]
    node = EmbeddedNode(*arguments, folder=Path(tmp_path_factory.mktemp("subtensor-devnet")))
    try:
        yield node
    finally:
        node.close()


@pytest.fixture
def subtensor_devnet(
    request: pytest.FixtureRequest, subtensor_devnet_node: EmbeddedNode
) -> Iterator[SubtensorDevnet]:
    """A chain of the test's own: `.endpoint` (ws://…), `.url` (http://…), `.seal()`, `.faucet(ss58, rao)`.

    Accounts are the development keys of Substrate (`//Alice`, `//Bob`, …), each with a million TAO of play
    money. After the test the chain is turned back, its blocks and its sealing too.
    """
    devnet = SubtensorDevnet(subtensor_devnet_node.endpoint)
    began = devnet.snapshot()
    yield devnet
    devnet.revert(began)
    written = str(request.config.getini(SEALING)).strip()
    devnet.set_sealing(
        cast('Literal["instant", "manual"]', written) if written.isalpha() else _seconds(written)
    )


def _seconds(written: str) -> float:
    try:
        found = float(written)
    except ValueError:
        found = 0.0
    if not 0 < found < float("inf"):
        raise pytest.UsageError(f"{SEALING} is instant, manual or seconds, not {written!r}.")
    return found
