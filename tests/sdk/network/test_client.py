"""What a person does on a network, on the wire: every write leaves a receipt or an error in words."""

import contextlib
import signal
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path

import bittensor
import pytest
from tests.devnet_process import running_devnet

from subnetlab.errors import (
    ChainRejected,
    DevnetOnly,
    HeadlessSpendRefused,
    InvalidAmount,
    NodeUnreachable,
    NotConfirmed,
    OverBudget,
    UnknownNetwork,
    WalletError,
)
from subnetlab.network.budget import Budget
from subnetlab.network.client import NetworkClient
from subnetlab.network.confirm import Recorded
from subnetlab.network.wallets import dev_wallet

from .conftest import Prepared

RAO = 10**9


def test_the_sdk_s_own_client_is_never_hidden(network: NetworkClient) -> None:
    assert isinstance(network.client, bittensor.Subtensor)
    assert network.client.block == network.head().number
    assert network.development


def test_a_payment_arrives_and_leaves_a_receipt(network: NetworkClient) -> None:
    before = network.balance("5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty")
    mine = network.balance(dev_wallet("alice"))
    receipt = network.pay(amount_tao="0.5", to="bob", wallet="alice")
    assert network.balance(dev_wallet("bob")) == before + RAO // 2
    assert network.balance(dev_wallet("alice")) == mine - RAO // 2 - receipt.fee_rao
    assert receipt.block == network.head().number
    moved = receipt.event("Balances", "Transfer")
    assert moved is not None
    assert moved["amount"] == RAO // 2
    assert receipt.event("Balances", "Nonsense") is None
    block = network.client.rpc("chain_getBlock", network.head().hash)["block"]["extrinsics"]
    hashes = ["0x" + blake2b(bytes.fromhex(raw[2:]), digest_size=32).hexdigest() for raw in block]
    assert receipt.tx in hashes


def test_paying_from_a_wallet_object_and_to_one(network: NetworkClient) -> None:
    alice, bob = network.wallet("alice"), network.wallet("bob")
    before = network.balance(bob)
    network.pay(amount_tao=1, to=bob, wallet=alice)
    assert network.balance(bob) == before + RAO


def test_a_quote_says_what_the_stake_then_brings(network: NetworkClient, prepared: Prepared) -> None:
    hotkey = prepared.validator.hotkey.ss58_address
    quote = network.quote_stake(amount_tao=3, netuid=prepared.netuid)
    assert quote.given == 3 * RAO
    assert 0 < quote.received < 3 * RAO
    assert 0 < quote.slippage_share < 0.01
    receipt = network.stake(amount_tao=3, hotkey_ss58=hotkey, netuid=prepared.netuid, wallet="alice")
    added = receipt.event("SubtensorModule", "StakeAdded")
    assert added is not None
    assert quote.received in list(added.values() if isinstance(added, dict) else added)
    assert "slippage" in str(quote)


def test_unstaking_brings_tao_back(network: NetworkClient, prepared: Prepared) -> None:
    hotkey = prepared.validator.hotkey.ss58_address
    before = network.balance(dev_wallet("alice"))
    quote = network.quote_unstake(amount_alpha=5, netuid=prepared.netuid)
    receipt = network.unstake(amount_alpha=5, hotkey_ss58=hotkey, netuid=prepared.netuid, wallet="alice")
    assert network.balance(dev_wallet("alice")) == before + quote.received - receipt.fee_rao
    assert 0.5 < quote.price_tao < 2


def test_on_the_root_network_both_tokens_are_the_same(network: NetworkClient) -> None:
    quote = network.quote_stake(amount_tao=3, netuid=0)
    assert (quote.received, quote.fee, quote.slippage) == (3 * RAO, 0, 0)


def test_a_stake_too_large_for_its_pool_fails_on_the_chain(
    network: NetworkClient, prepared: Prepared
) -> None:
    hotkey = prepared.validator.hotkey.ss58_address
    with pytest.raises(ChainRejected) as caught:
        network.stake(amount_tao=500, hotkey_ss58=hotkey, netuid=prepared.netuid, wallet="alice")
    assert (caught.value.pallet, caught.value.code) == ("SubtensorModule", "SlippageTooHigh")
    assert "tolerance" in caught.value.hint
    network.stake(
        amount_tao=500, hotkey_ss58=hotkey, netuid=prepared.netuid, wallet="alice", rate_tolerance=None
    )


def test_registrations_in_a_row_through_the_shield_get_a_uid_each(
    network: NetworkClient, prepared: Prepared
) -> None:
    uids = [network.burned_register(prepared.netuid, f"alice/extra-{n}")[0] for n in range(3)]
    assert uids == [3, 4, 5]
    network.pay(amount_tao=1, to="bob", wallet="alice")  # the nonce after a shielded one is fresh


def test_a_receipt_counts_the_shield_s_own_fee(network: NetworkClient, prepared: Prepared) -> None:
    price = network.client.query(("SubtensorModule", "Burn"), [prepared.netuid])
    before = network.balance(dev_wallet("alice"))
    _, receipt = network.burned_register(prepared.netuid, "alice/counted")
    burned = before - network.balance(dev_wallet("alice")) - receipt.fee_rao
    assert 0.995 * price < burned <= price, "the price falls a little with every block, nothing else is left"


def test_a_nonce_the_sdk_left_behind_is_mended(network: NetworkClient, prepared: Prepared) -> None:
    alice = dev_wallet("alice")
    hotkey = dev_wallet("alice/other").hotkey.ss58_address
    network.client.execute(bittensor.BurnedRegister(netuid=prepared.netuid, hotkey_ss58=hotkey), alice)
    assert network.pay(amount_tao=1, to="bob", wallet=alice).fee_rao > 0


def test_registering_twice_is_refused_in_the_chain_s_words(
    network: NetworkClient, prepared: Prepared
) -> None:
    with pytest.raises(ChainRejected) as caught:
        network.burned_register(prepared.netuid, prepared.miner)
    assert caught.value.code == "HotKeyAlreadyRegisteredInSubNet"


def test_serving_publishes_where_a_hotkey_answers(network: NetworkClient, prepared: Prepared) -> None:
    network.serve(prepared.netuid, prepared.miner, ip="203.0.113.7", port=8091)
    axon = network.client.query(
        ("SubtensorModule", "Axons"), [prepared.netuid, prepared.miner.hotkey.ss58_address]
    )
    assert axon["port"] == 8091


def test_a_snapshot_of_a_subnet_belongs_to_one_block(network: NetworkClient, prepared: Prepared) -> None:
    block = network.head().number
    network.dev.seal(3)
    then, now = network.metagraph(prepared.netuid, block), network.metagraph(prepared.netuid)
    assert (then.block, now.block) == (block, block + 3)
    assert [neuron.uid for neuron in now.neurons] == [0, 1, 2]
    validator = now.by_hotkey(prepared.validator.hotkey.ss58_address)
    assert validator is not None
    assert validator.validator_permit
    assert validator.stake_alpha_rao > 40 * RAO
    assert validator in now.validators
    assert now.owner_coldkey == dev_wallet("alice").coldkey.ss58_address
    assert now.tempo == 8
    assert now.by_hotkey(dev_wallet("bob").hotkey.ss58_address) is None


def test_a_subnet_that_does_not_exist_says_so(network: NetworkClient) -> None:
    with pytest.raises(ChainRejected, match="no subnet 99"):
        network.metagraph(99)
    assert 99 not in network.subnets()


def test_sudo_is_for_development_chains_and_its_failures_are_failures(
    network: NetworkClient, prepared: Prepared
) -> None:
    call = bittensor.calls.AdminUtils.sudo_set_tempo
    network.sudo(call(netuid=prepared.netuid, tempo=9))
    assert network.metagraph(prepared.netuid).tempo == 9
    with pytest.raises(ChainRejected) as caught:
        network.sudo(call(netuid=99, tempo=9))
    assert caught.value.code in ("SubnetNotExists", "SubnetDoesNotExist")
    with pytest.raises(ChainRejected):
        network.sudo(call(netuid=prepared.netuid, tempo=7), wallet="bob")
    rehearsal = NetworkClient(prepared.endpoint, real=True)
    with contextlib.closing(rehearsal), pytest.raises(DevnetOnly):
        rehearsal.sudo(call(netuid=prepared.netuid, tempo=7))


def test_time_turned_back_is_forgotten_everywhere(network: NetworkClient) -> None:
    before, money = network.head(), network.balance(dev_wallet("bob"))
    snapshot = network.dev.snapshot()
    network.pay(amount_tao=1, to="bob", wallet="alice")
    network.dev.seal(3)
    network.turn_back(snapshot)
    assert network.head() == before
    assert network.balance(dev_wallet("bob")) == money
    network.pay(amount_tao=2, to="bob", wallet="alice")
    assert network.balance(dev_wallet("bob")) == money + 2 * RAO


def rehearsal(prepared: Prepared, folder: Path, confirm: Recorded) -> NetworkClient:
    budget = Budget("rehearsal", unlimited=False, folder=folder)
    budget.set(10)
    return NetworkClient(prepared.endpoint, name="rehearsal", real=True, confirm=confirm, budget=budget)


def wallet_on_disk(folder: Path) -> bittensor.Wallet:
    wallet = bittensor.Wallet("mine", path=str(folder))
    return wallet.create_new_coldkey(use_password=False, suppress=True).create_new_hotkey(
        use_password=False, suppress=True
    )


def test_real_money_asks_a_person_each_time_with_the_whole_cost(
    network: NetworkClient, prepared: Prepared, tmp_path: Path
) -> None:
    wallet = wallet_on_disk(tmp_path)
    network.dev.faucet(wallet.coldkeypub.ss58_address, 5 * RAO)
    confirm = Recorded([True, False])
    with contextlib.closing(rehearsal(prepared, tmp_path, confirm)) as real:
        receipt = real.pay(amount_tao=1, to=dev_wallet("bob").coldkey.ss58_address, wallet=wallet)
        assert real.budget.spent_rao == RAO + receipt.fee_rao
        with pytest.raises(NotConfirmed):
            real.pay(amount_tao=1, to=dev_wallet("bob").coldkey.ss58_address, wallet=wallet)
        assert real.budget.spent_rao == RAO + receipt.fee_rao
    assert [(asked.amount_rao, asked.real) for asked in confirm.asked] == [(RAO, True), (RAO, True)]
    assert "transfer" in str(confirm.asked[0])


def test_real_money_is_not_spent_where_nobody_can_be_asked(
    network: NetworkClient, prepared: Prepared, tmp_path: Path
) -> None:
    wallet = wallet_on_disk(tmp_path)
    network.dev.faucet(wallet.coldkeypub.ss58_address, 5 * RAO)
    with contextlib.closing(rehearsal(prepared, tmp_path, Recorded([True], interactive=False))) as real:
        with pytest.raises(HeadlessSpendRefused):
            real.pay(amount_tao=1, to=dev_wallet("bob").coldkey.ss58_address, wallet=wallet)
        assert real.balance(wallet) == 5 * RAO
        assert real.budget.spent_rao == 0


def test_a_limit_order_that_fills_in_part_counts_in_part(network: NetworkClient, prepared: Prepared) -> None:
    price = network.quote_stake(amount_tao="0.01", netuid=prepared.netuid).price_tao
    before = network.balance(dev_wallet("alice"))
    network.execute(
        bittensor.AddStakeLimit(
            hotkey_ss58=prepared.validator.hotkey.ss58_address,
            netuid=prepared.netuid,
            amount_tao=500,
            limit_price_rao=int(price * 1.01 * RAO),
            allow_partial=True,
        ),
        wallet="alice",
    )
    left = before - network.balance(dev_wallet("alice"))
    assert 0 < left < 50 * RAO
    assert network.budget.spent_rao == left


def test_every_spend_counts_what_it_took(network: NetworkClient, prepared: Prepared) -> None:
    spent, free = network.budget.spent_rao, network.balance(dev_wallet("alice"))
    hotkey = prepared.validator.hotkey.ss58_address
    for spend in (
        lambda: network.pay(amount_tao="0.5", to="bob", wallet="alice"),
        lambda: network.burned_register(prepared.netuid, "alice/another"),
        lambda: network.stake(amount_tao=5, hotkey_ss58=hotkey, netuid=prepared.netuid, wallet="alice"),
    ):
        spend()
        assert network.budget.spent_rao - spent == free - network.balance(dev_wallet("alice"))


def test_a_key_that_is_missing_spends_nothing_and_counts_nothing(
    network: NetworkClient, tmp_path: Path
) -> None:
    wallet = wallet_on_disk(tmp_path)
    network.dev.faucet(wallet.coldkeypub.ss58_address, 5 * RAO)
    Path(wallet.coldkey_file.path).unlink()
    network.budget.set(10)
    looking = bittensor.Wallet("mine", path=str(tmp_path))
    with pytest.raises(WalletError, match="coldkey is missing"):
        network.pay(amount_tao=1, to="bob", wallet=looking)
    assert network.budget.spent_rao == 0


def test_a_payment_too_small_to_open_an_account_costs_no_fee(network: NetworkClient) -> None:
    new, before = dev_wallet("alice/new").hotkey.ss58_address, network.balance(dev_wallet("alice"))
    small = Decimal(network.existential_deposit - 1) / RAO
    with pytest.raises(InvalidAmount, match="too little to open the account"):
        network.pay(amount_tao=small, to=new, wallet="alice")
    with pytest.raises(InvalidAmount, match="too little to open the account"):
        network.execute(bittensor.Transfer(dest_ss58=new, amount_tao=bittensor.Balance(1)), wallet="alice")
    assert network.balance(dev_wallet("alice")) == before
    network.pay(amount_tao=small, to="bob", wallet="alice")
    network.pay(amount_tao=small + Decimal(1) / RAO, to=new, wallet="alice")


def test_a_budget_belongs_to_a_chain_and_not_to_a_name(
    network: NetworkClient, prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUBNETLAB_HOME", str(tmp_path / "home"))
    with (
        contextlib.closing(NetworkClient(prepared.endpoint)) as one,
        contextlib.closing(NetworkClient(prepared.endpoint.replace("127.0.0.1", "localhost"))) as same,
        running_devnet(tmp_path, "--instant") as node,
        contextlib.closing(NetworkClient(node.endpoint, name=one.network.name)) as another,
    ):
        one.budget.set(5)
        assert same.budget.limit_rao == 5 * RAO
        assert another.budget.limit_rao is None
        assert another.chain != one.chain == same.chain
        assert network.chain == one.chain
        another.budget.set(0)
        with pytest.raises(OverBudget, match=f"of the budget for {one.network.name}"):
            another.pay(amount_tao=1, to="bob", wallet="alice")
        another.forget_budget()
        assert another.budget.limit_rao is None


def test_a_raw_call_on_a_real_network_counts_as_everything_there_is(
    network: NetworkClient, prepared: Prepared, tmp_path: Path
) -> None:
    wallet = wallet_on_disk(tmp_path)
    network.dev.faucet(wallet.coldkeypub.ss58_address, 5 * RAO)
    confirm = Recorded([False])
    real = rehearsal(prepared, tmp_path, confirm)
    with contextlib.closing(real), pytest.raises(NotConfirmed):
        real.submit_call(bittensor.calls.System.remark(remark="0x00"), wallet=wallet)
    assert confirm.asked[0].amount_rao == 5 * RAO - network.existential_deposit


def test_what_no_block_takes_is_given_up_in_time_and_counts_as_spent(
    network: NetworkClient, prepared: Prepared, tmp_path: Path
) -> None:
    network.dev.set_sealing("manual")
    budget = Budget("devnet", unlimited=True, folder=tmp_path)
    hasty = NetworkClient(prepared.endpoint, budget=budget, patience_s=0.3)
    with contextlib.closing(hasty):
        with pytest.raises(NodeUnreachable, match=r"no block took it within 0\.3 s"):
            hasty.pay(amount_tao=1, to="bob", wallet="alice")
        assert budget.spent_rao > RAO
        before = network.balance(dev_wallet("bob"))
        network.dev.seal()
        assert network.balance(dev_wallet("bob")) == before + RAO, "it was in the pool after all"
        network.dev.set_sealing("instant")
        hasty.pay(amount_tao=1, to="bob", wallet="alice")


def test_a_method_the_node_does_not_know_is_refused_in_words(network: NetworkClient) -> None:
    with pytest.raises(ChainRejected, match="Method not found"):
        network.client.rpc("nonsense_method")


def test_the_embedded_devnet_is_not_an_endpoint() -> None:
    with pytest.raises(UnknownNetwork):
        NetworkClient("devnet")


def test_a_node_that_stands_still_is_given_up_by_name_and_found_again(
    network: NetworkClient, tmp_path: Path
) -> None:
    budget = Budget("devnet", unlimited=True, folder=tmp_path)
    with running_devnet(tmp_path, "--instant") as node:
        known = NetworkClient(node.endpoint, budget=budget, answer_s=0.5)
        fresh = NetworkClient(node.endpoint, budget=budget, answer_s=0.5)
        head, hotkey = known.head(), dev_wallet("bob").hotkey.ss58_address
        assert known.development
        node.process.send_signal(signal.SIGSTOP)
        try:
            for ask in (
                fresh.head,
                lambda: fresh.development,
                known.head,
                known.dev.info,
                lambda: known.dev.set_sealing("manual"),
                lambda: known.balance("alice"),
                lambda: known.metagraph(1),
                lambda: known.uid(1, hotkey),
                known.subnets,
                lambda: known.quote_stake(amount_tao=1, netuid=1),
                lambda: known.pay(amount_tao=1, to="bob", wallet="alice"),
                lambda: known.stake(amount_tao=1, hotkey_ss58=hotkey, netuid=1, wallet="alice"),
                lambda: known.burned_register(1, "bob"),
                lambda: known.register_subnet("bob"),
            ):
                with pytest.raises(NodeUnreachable, match=f"The node at {node.endpoint} did not answer"):
                    ask()
        finally:
            node.process.send_signal(signal.SIGCONT)
        assert budget.spent_rao == 0
        assert known.head() == fresh.head() == head
        known.close()
        fresh.close()


def test_a_network_that_was_closed_says_so(prepared: Prepared) -> None:
    client = NetworkClient(prepared.endpoint)
    client.head()
    client.close()
    for ask in (client.head, lambda: client.balance("alice"), lambda: client.metagraph(1), client.subnets):
        with pytest.raises(NodeUnreachable, match="was closed"):
            ask()


def test_nobody_there_is_one_clear_error() -> None:
    client = NetworkClient("ws://127.0.0.1:9")
    for use in (client.head, lambda: client.balance("alice"), lambda: client.development):
        with pytest.raises(NodeUnreachable, match=r"Nothing answers at ws://127\.0\.0\.1:9"):
            use()
    client.close()
