"""Blocks as people look at them: decoded calls, fees, outcomes, Ethereum, and what a search finds."""

import threading
from collections.abc import Sequence
from typing import Any, ClassVar, cast

import bittensor
import pytest

from subnetlab.errors import ArgumentInvalid, NotOnChain
from subnetlab.network.client import NetworkClient
from subnetlab.network.destination import destination
from subnetlab.network.explorer import follow, read
from subnetlab.network.explorer.block import ChainBlock
from subnetlab.network.explorer.ethereum import call_of, with_receipts
from subnetlab.network.explorer.find import Found, find, wanted
from subnetlab.network.explorer.follow import FIRST, BlockFollowing
from subnetlab.network.explorer.read import BlockReader
from subnetlab.network.explorer.values import MOST, text_of
from subnetlab.network.following import State
from subnetlab.network.wire_client import WireClient

from .conftest import Prepared

PATIENCE_S = 300


@pytest.fixture
def reader(network: NetworkClient) -> BlockReader:
    return BlockReader(network.client)


def newest(reader: BlockReader) -> ChainBlock:
    async def ask() -> ChainBlock:
        number, _ = await reader.head()
        return await reader.numbered(number)

    return reader.client.run(ask())


def found(reader: BlockReader, text: str) -> Found:
    return reader.client.run(find(reader, wanted(text)))


def test_a_payment_is_a_call_with_signer_fee_and_events(network: NetworkClient, reader: BlockReader) -> None:
    receipt = network.pay(amount_tao=2.5, to="bob", wallet="alice")
    block = newest(reader)
    (sent,) = block.sent
    assert (sent.call, sent.ok, sent.error) == ("Balances.transfer_keep_alive", True, "")
    assert (sent.signer, sent.fee_rao) == (destination("alice", development=True), receipt.fee_rao)
    assert [text_of(each.value, each.type) for each in sent.arguments][1] == "2.5 τ"
    assert "Balances.Transfer" in [event.name for event in sent.events]
    assert [each.call for each in block.extrinsics if each.inherent] == ["Timestamp.set"]
    assert block.summary() == "transfer_keep_alive"
    assert "transfer_keep_alive" in repr(block)
    assert "done" in repr(block)


def test_a_failure_is_said_in_the_chains_words_and_one_inside_sudo_too(
    network: NetworkClient, reader: BlockReader, prepared: Prepared
) -> None:
    stake = bittensor.AddStake(hotkey_ss58=prepared.miner.hotkey.ss58_address, netuid=999, amount_tao=1)
    assert not network.client.execute(stake, network.wallet("bob")).success
    block = newest(reader)
    (sent,) = block.sent
    assert (sent.ok, block.failed) == (False, 1)
    assert "SubnetNotExists" in sent.error
    assert sent.error.startswith("Trying to perform action on non-existent subnet")
    inner = bittensor.calls.AdminUtils.sudo_set_tempo(netuid=999, tempo=8)
    with pytest.raises(Exception, match="Subnet"):
        network.sudo(inner)
    (sent,) = newest(reader).sent
    assert (sent.call, sent.ok) == ("Sudo.sudo", False)
    assert text_of(sent.arguments[0].value) == "AdminUtils.sudo_set_tempo(netuid=999, tempo=8)"
    assert newest(reader).summary() == "sudo set_tempo"


def test_an_ethereum_transaction_has_its_receipt_and_a_precompiles_call_its_name(
    network: NetworkClient, reader: BlockReader
) -> None:
    network.evm.fund(amount_tao=10, to="bob", wallet="alice")
    bob = network.evm.wallet("bob")
    receipt = network.evm.withdraw(amount_tao=1, to="alice", wallet="bob")
    block = network.client.run(with_receipts(network.client, newest(reader)))
    (sent,) = block.sent
    inside = sent.ethereum
    assert inside is not None
    assert (inside.sender, inside.value_wei, sent.fee_rao) == (bob.address, 10**18, receipt.fee_rao)
    assert inside.call.startswith("balance-transfer.transfer(data=0x")
    assert inside.gas_used is not None
    assert inside.gas_used <= inside.gas_limit
    assert found(reader, inside.hash).index == sent.index
    by_address = found(reader, bob.address).account
    assert by_address is not None
    assert [each.signed for each in by_address.extrinsics] == [True, False]
    assert (by_address.evm, by_address.nonce) == (bob.address, 1)


def test_number_hash_and_address_lead_to_block_extrinsic_and_account(
    network: NetworkClient, reader: BlockReader
) -> None:
    network.pay(amount_tao=1, to="bob", wallet="alice")
    block = newest(reader)
    sent = block.sent[0]
    assert found(reader, f"#{block.number:,}").block == block
    assert found(reader, block.hash).block == block
    assert (found(reader, sent.hash).block, found(reader, sent.hash).index) == (block, sent.index)
    account = found(reader, sent.signer).account
    assert account is not None
    assert (account.extrinsics[0].block, account.extrinsics[0].signed) == (block.number, True)
    assert account.free_rao == int(network.balance("alice"))


@pytest.mark.parametrize(
    "text", ["", "hello", "0x12", "0x" + "g" * 64, "5" + "x" * 47, "-1", "1.5", "💥" * 99]
)
def test_what_names_nothing_is_refused_before_a_node_is_asked(text: str) -> None:
    with pytest.raises(ArgumentInvalid, match="no number, hash or address"):
        wanted(text)


def test_a_secret_is_refused_and_not_repeated() -> None:
    words = "bottom drive obey lake curtain smoke basket hold race lonely fit walk"
    with pytest.raises(ArgumentInvalid, match="looks like a mnemonic") as caught:
        wanted(words)
    assert "bottom" not in str(caught.value)


def test_what_the_chain_does_not_hold_is_said_with_how_far_was_looked(reader: BlockReader) -> None:
    with pytest.raises(NotOnChain, match="There is no block 4,000,000,000"):
        found(reader, "4000000000")
    with pytest.raises(NotOnChain, match="No chain has come to block"):
        found(reader, "9" * 60)
    with pytest.raises(NotOnChain, match="no extrinsic since block"):
        found(reader, "0x" + "ab" * 32)


def test_a_value_of_a_stranger_is_bounded_in_depth_items_and_letters() -> None:
    call: dict[str, Any] = {"call_module": "Utility", "call_function": "batch", "call_args": []}
    for _ in range(50):
        given = [{"name": "calls", "type": "Vec<Call>", "value": [call] * 50}]
        call = {"call_module": "Utility", "call_function": "batch", "call_args": given}
    assert len(text_of(call)) <= MOST
    assert len(text_of({str(i): ["x" * 9999] * 99 for i in range(999)})) <= MOST
    assert text_of("a\u202eb\n") == "a\ufffdb "
    assert (text_of({"Ok": ()}), text_of((1, "a", None)), text_of([True])) == ("Ok", "[1, a, none]", "[yes]")
    assert (text_of(10**9, "AlphaBalance"), text_of(5, "Compact<Balance>")) == ("1 α", "0.000000005 τ")


@pytest.mark.parametrize("given", ["0xcd6f4eb1", "0xcd6f4eb1ff", "0xcd6f4eb1" + "zz" * 32])
def test_a_precompiles_input_that_does_not_decode_keeps_the_functions_name(given: str) -> None:
    assert call_of("0x" + "0" * 37 + "800", given) == "balance-transfer.transfer(…)"
    assert call_of("0x" + "11" * 20, "0x" + "ab" * 5000).endswith("… (5000 bytes)")


def test_a_block_whose_events_are_forgotten_is_read_without_outcomes(
    network: NetworkClient, reader: BlockReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    network.pay(amount_tao=1, to="bob", wallet="alice")

    async def forgotten(*_: object) -> None:
        return None

    monkeypatch.setattr(read, "_events", forgotten)
    block = newest(reader)
    assert not block.complete
    assert [(each.ok, each.outcome, each.fee_rao) for each in block.sent] == [(None, "unknown", None)]


class Seen:
    """Keeps what it is told, and waits for what is wished."""

    def __init__(self) -> None:
        self.told: list[tuple[list[int], bool]] = []
        self.states: list[State] = []
        self.changed = threading.Condition()

    def see(self, blocks: Sequence[ChainBlock], *, fresh: bool) -> None:
        with self.changed:
            self.told.append(([block.number for block in blocks], fresh))
            self.changed.notify_all()

    def state(self, state: State, reason: str) -> None:
        assert state != "gone" or reason
        with self.changed:
            self.states.append(state)
            self.changed.notify_all()

    def until(self, number: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: any(number in told[0] for told in self.told), PATIENCE_S)


def test_new_blocks_are_told_once_and_a_chain_that_was_turned_back_anew(
    network: NetworkClient, prepared: Prepared
) -> None:
    head = network.head().number
    seen = Seen()
    following = BlockFollowing(prepared.endpoint, seen)
    seen.until(head)
    assert seen.told[0] == (list(range(head, max(-1, head - FIRST), -1)), True)
    network.dev.seal(3)
    seen.until(head + 3)
    after = [number for numbers, fresh in seen.told[1:] for number in numbers if not fresh]
    assert sorted(after) == [head + 1, head + 2, head + 3]
    network.turn_back(prepared.snapshot)
    network.pay(amount_tao=1, to="bob", wallet="alice")
    with seen.changed:
        assert seen.changed.wait_for(lambda: seen.told[-1][1] and len(seen.told) > 2, PATIENCE_S)
    assert max(seen.told[-1][0]) <= head + 1
    following.stop()
    assert not following.running


async def test_a_chain_that_is_turned_back_while_it_is_read_is_followed_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without another look the explorer would say for good that nothing answers."""

    class Reader:
        heads: ClassVar[list[int]] = [7, 4]

        def __init__(self, _client: object) -> None:
            pass

        async def head(self) -> tuple[int, str]:
            number = self.heads.pop(0)
            return number, f"hash of {number}"

        async def several(self, numbers: range) -> list[ChainBlock]:
            if 7 in numbers:
                raise NotOnChain("There is no block 7; the newest is 4.")
            return [
                ChainBlock(number=number, hash=f"hash of {number}", parent="", time_s=None)
                for number in numbers
            ]

    seen = Seen()
    monkeypatch.setattr(follow, "BlockReader", Reader)
    monkeypatch.setattr(BlockFollowing, "_run", str)  # its own thread does nothing
    await BlockFollowing("ws://127.0.0.1:1", seen).look(cast("WireClient", None))
    assert seen.told == [([4, 3, 2, 1, 0], True)]
