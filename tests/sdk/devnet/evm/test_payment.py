"""A message that reaches no code runs no frame, and leaves what the engine would leave."""

import json
import subprocess
import sys
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.sdk.devnet.evm.conftest import GWEI, TAO, Wallet
from tests.sdk.devnet.evm.contracts import box

from subnetlab.devnet.chain.ledger import Ledger, go_on
from subnetlab.devnet.evm.addresses import mirror
from subnetlab.devnet.evm.apply import is_payment, pay
from subnetlab.devnet.evm.engine import Message, engine
from subnetlab.devnet.evm.gas import least
from subnetlab.devnet.evm.precompiles import TABLE
from subnetlab.devnet.evm.transaction import Authorization
from subnetlab.devnet.node.node import Node
from subnetlab.devnet.pallets import balances

NEW, USED = bytes.fromhex("22" * 20), bytes.fromhex("44" * 20)
keys = st.lists(st.binary(min_size=32, max_size=32), max_size=2).map(tuple)


values = st.one_of(
    st.integers(0, 1200).map(lambda rao: rao * GWEI + 5), st.integers(10**18, 2 * 10**21), st.just(10**30)
)
messages = st.fixed_dictionaries(
    {
        "to": st.sampled_from([NEW, USED, None]),
        "data": st.binary(max_size=60),
        "value": values,
        "access_list": st.lists(st.tuples(st.just(NEW), keys), max_size=2).map(tuple),
    }
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(parts=messages, spare=st.integers(0, 1000))
def test_a_payment_leaves_what_the_engine_leaves(
    node: Node, wallet: Wallet, parts: dict[str, Any], spare: int
) -> None:
    """The target None is the sender itself."""
    message = Message(sender=wallet.address, **{**parts, "to": parts["to"] or wallet.address})
    message = message._replace(gas_limit=least(message) + spare)
    paid, run = _overlay(node), _overlay(node)
    for ledger in (paid, run):
        balances.deposit(ledger, mirror(USED), 10**9)
    assert is_payment(paid, message)
    assert pay(paid, message) == engine().run(run, message, go_on)
    assert paid.state._written == run.state._written
    assert paid.events == run.events


def test_what_reaches_code_is_no_payment(node: Node, wallet: Wallet) -> None:
    contract = wallet.create(box().code)
    signed = Authorization(chain_id=42, address=NEW, nonce=0, parity=0, r=1, s=1)
    calls = [Message(sender=wallet.address, to=to) for to in (*TABLE, contract)]
    others = [
        Message(sender=wallet.address),
        Message(sender=wallet.address, to=NEW, authorizations=(signed,)),
        Message(sender=wallet.address, to=NEW, gas_limit=20_999),
    ]
    assert [one for one in (*calls, *others) if is_payment(node.ledger, one)] == []


def test_a_node_that_is_only_paid_through_loads_no_engine(wallet: Wallet) -> None:
    """In a process of its own, because this one has loaded the engine."""
    raw = wallet.sign(value=TAO, nonce=0).encoded.hex()
    program = f"""
import json, sys
from subnetlab.devnet import metadata
from subnetlab.devnet.chain import ethereum_admission
from subnetlab.devnet.chain.codec import Codec
from subnetlab.devnet.evm.transaction import decode
from subnetlab.devnet.node.clock import Clock
from subnetlab.devnet.node.node import Node
node = Node(Codec(metadata.recorded(), metadata.SPEC_VERSION, metadata.TRANSACTION_VERSION), Clock())
node.seal()
node.endow({wallet.mirror!r}, 10**12)
node.submit(ethereum_admission.wrapped(node.ledger, decode(bytes.fromhex({raw!r}))))
node.seal()
free = node.ledger.get("System", "Account", {mirror(NEW)!r})["data"]["free"]
print(json.dumps([int(free), "eth" in sys.modules]))
"""
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout) == [10**9, False]


def _overlay(node: Node) -> Ledger:
    number = node.blocks.head.number
    ledger = Ledger(node.codec, node.state.overlay(number))
    ledger.block_number, ledger.now_ms = number, node.ledger.now_ms
    return ledger
