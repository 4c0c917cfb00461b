"""A node that accepts and never answers: every question ends in time with an error that names the node."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from tests.silent_proxy import SilentProxy, silent_proxy

from subnetlab.errors import NodeUnreachable
from subnetlab.network.client import NetworkClient
from subnetlab.network.peer_chain import PeerChain
from subnetlab.public.subnet_reads import SubnetReads

from .conftest import Prepared

SHORT_S = 0.2


@dataclass
class Asked:
    """Who asks through the proxy: a reader and a peer, both connected."""

    proxy: SilentProxy
    reads: SubnetReads
    chain: PeerChain
    hotkey: str


@pytest.fixture(scope="module")
def asked(prepared: Prepared) -> Iterator[Asked]:
    with contextlib.ExitStack() as held:
        proxy = held.enter_context(silent_proxy(int(prepared.endpoint.rsplit(":", 1)[1])))
        reads = held.enter_context(contextlib.closing(SubnetReads(proxy.endpoint, prepared.netuid)))
        chain = held.enter_context(
            contextlib.closing(PeerChain(proxy.endpoint, prepared.netuid, prepared.validator.hotkey))
        )
        assert reads.head().number == chain.wait_for(0, 300).number
        reads.rules()
        chain.weights()
        usual = reads.client.answer_s
        proxy.fall_silent()
        # Limits as short as a test can bear hold only from now on.
        reads.client.answer_s = chain._client.answer_s = SHORT_S
        yield Asked(proxy, reads, chain, prepared.validator.hotkey.ss58_address)
        reads.client.answer_s = chain._client.answer_s = usual
        proxy.speak()
        assert reads.head().number == chain.wait_for(0, 300).number, "both go on once the node answers"


QUESTIONS: dict[str, Callable[[Asked], object]] = {
    "the head": lambda asked: asked.reads.head(),
    "the metagraph": lambda asked: asked.reads.metagraph(),
    "a commitment": lambda asked: asked.reads.commitment(asked.hotkey),
    "all commitments": lambda asked: asked.reads.commitments(),
    "the rules": lambda asked: asked.reads.rules(),
    "the block time": lambda asked: asked.reads.block_s(),
    "the roster": lambda asked: asked.reads.roster().at(1),
    "a block's hash": lambda asked: asked.chain.block_hash(1),
    "the commitments of a peer": lambda asked: asked.chain.commitments(),
    "the weights": lambda asked: asked.chain.weights(),
    "to commit": lambda asked: asked.chain.commit(b"silence"),
    "to vote": lambda asked: asked.chain.set_weights({1: 1.0}),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_question_to_a_silent_node_waits_for_ever(asked: Asked, question: str) -> None:
    with pytest.raises(NodeUnreachable) as given_up:
        QUESTIONS[question](asked)
    assert asked.proxy.endpoint in str(given_up.value)


def test_who_connects_to_a_silent_node_is_told_its_name(asked: Asked) -> None:
    newcomer = NetworkClient(asked.proxy.endpoint, name="silent")
    newcomer.client.answer_s = SHORT_S
    with contextlib.closing(newcomer.client), pytest.raises(NodeUnreachable) as given_up:
        newcomer.client.rpc("chain_getHead")
    assert asked.proxy.endpoint in str(given_up.value)
