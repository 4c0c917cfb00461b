"""`net` against the real embedded node: looking, money, subnets, time, and every refusal."""

import time

import bittensor
import psutil
import pytest

import subnetlab as sl
from subnetlab.errors import (
    ChainRejected,
    DevnetOnly,
    HeadlessSpendRefused,
    InsufficientBalance,
    InvalidAmount,
    NodeStartFailed,
    NodeUnreachable,
    NotYetSupported,
    SecretRefused,
    UnknownNetwork,
    UnknownUid,
    UnknownWallet,
    WalletError,
)
from subnetlab.lab.embedded import EmbeddedNode, is_alive
from subnetlab.lab.session import Net, connect
from subnetlab.network.balance import Balance
from subnetlab.network.wallets import dev_keypair

BOB = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"


def test_the_name_says_which_chain_and_whose_money(net: Net) -> None:
    assert repr(net) == f"devnet at {net.endpoint}, block {net.block}, play money"
    assert isinstance(net.balance("alice"), bittensor.Balance)
    assert str(net.balance("alice")) == "τ1,000,000.000000000"
    assert net.client.balances.get(BOB) == net.balance(BOB)


def test_a_payment_is_a_transaction_with_a_receipt(net: Net) -> None:
    before = net.balance("bob")
    receipt = net.pay(amount_tao="0.5", to=net.wallet("bob"), wallet="alice")
    assert (net.balance("bob") - before).rao == 500_000_000
    assert receipt.tx.startswith("0x")
    assert receipt.fee_rao > 0
    assert [(s.what, s.amount_rao, s.to) for s in net.spent[-1:]] == [("pay", 500_000_000, BOB)]


def test_half_of_a_balance_is_half_of_a_balance(net: Net) -> None:
    new = dev_keypair("//NewHere").ss58_address
    net.pay(amount_tao="0.000002", to=new, wallet="alice")
    before = net.balance("bob")
    net.pay(amount_tao=net.balance(new) / 2, to="bob", wallet="alice")
    assert (net.balance("bob") - before).rao == 1000
    assert net.spent[-1].amount_rao == 1000
    subnet = net.create_subnet("tiny-lm")
    where = {"hotkey_ss58": subnet.hotkey(0), "netuid": subnet.netuid, "wallet": "bob"}
    net.stake(amount_tao=sum([net.balance(new)] * 5000), **where)
    assert net.spent[-1].amount_rao == 10_000_000
    held = Balance(net.holdings("bob").positions[0].alpha_rao, subnet.netuid)
    with pytest.raises(InvalidAmount, match="where TAO is asked for"):
        net.pay(amount_tao=held, to="bob", wallet="alice")
    with pytest.raises(InvalidAmount, match=f"where alpha of subnet {subnet.netuid} is asked for"):
        net.unstake(amount_alpha=bittensor.tao(1), **where)
    net.unstake(amount_alpha=held / 2, **where)
    left = net.holdings("bob").positions[0].alpha_rao
    assert abs(left - held.rao // 2) <= 1


@pytest.mark.parametrize(
    ("amount", "to", "error"),
    [
        (0, BOB, InvalidAmount),
        (-1, BOB, InvalidAmount),
        ("much", BOB, InvalidAmount),
        ("0.1234567891", BOB, InvalidAmount),
        (float("nan"), BOB, InvalidAmount),
        (10**9, BOB, InsufficientBalance),
        (1, "nobody", WalletError),
        (1, BOB[:-1] + "x", WalletError),
        (1, "0x" + "Ab" * 20, WalletError),
        (1, "0x" + "ab" * 19, WalletError),
        (1, "0x" + "ab" * 32, SecretRefused),
    ],
)
def test_a_payment_that_cannot_be_is_refused_and_nothing_moves(
    net: Net, amount: object, to: str, error: type[Exception]
) -> None:
    before, block, noted = net.balance("alice"), net.block, len(net.spent)
    with pytest.raises(error) as caught:
        net.pay(amount_tao=amount, to=to, wallet="alice")  # pyright: ignore[reportArgumentType]
    assert (net.balance("alice"), net.block, len(net.spent)) == (before, block, noted)
    assert "ab" * 32 not in str(caught.value)


def test_wallets_by_name_and_as_the_sdk_makes_them(net: Net) -> None:
    assert net.address(net.wallet("bob")) == net.address("bob") == net.address(BOB) == BOB
    alice = net.wallet("alice")
    assert net.wallet(alice) is alice
    with pytest.raises(UnknownWallet):
        net.wallet("zed")
    with pytest.raises(SecretRefused):
        net.wallet("legal winner thank year wave sausage worth useful legal winner thank yellow")


def test_a_subnet_is_created_started_and_ready_for_a_lesson(net: Net) -> None:
    subnet = net.create_subnet("tiny-lm", wallet="alice")
    assert repr(subnet) == f"subnet {subnet.netuid} (tiny-lm) on devnet"
    rules = {change.call: change.value for change in net.preset}
    assert rules["sudo_set_tempo"] == "8"
    assert next(iter(rules)) == "sudo_set_admin_freeze_window"
    assert subnet.metagraph().tempo == 8
    for change in net.preset:
        assert net.client.block_info(change.receipt.block) is not None
    assert ">uid</th>" in subnet.page()
    assert subnet.hotkey(0) == subnet.metagraph().owner_hotkey
    with pytest.raises(UnknownUid, match="It has 1 seats"):
        subnet.hotkey(7)
    second = net.create_subnet("another", wallet="bob")
    assert second.netuid != subnet.netuid
    assert net.subnet(subnet.netuid).name == "tiny-lm"


def test_a_subnet_that_does_not_exist(net: Net) -> None:
    with pytest.raises(ChainRejected, match="There is no subnet 99"):
        net.subnet(99)


def test_stake_goes_in_and_comes_out(net: Net) -> None:
    subnet = net.create_subnet("tiny-lm", wallet="alice")
    hotkey = subnet.hotkey(0)
    net.stake(amount_tao=10, hotkey_ss58=hotkey, netuid=subnet.netuid, wallet="alice")
    assert net.spent[-1].what == "stake"
    assert subnet.metagraph().neurons[0].stake_alpha_rao > 0
    net.unstake(amount_alpha="all", hotkey_ss58=hotkey, netuid=subnet.netuid, wallet="alice")
    assert subnet.metagraph().neurons[0].stake_alpha_rao == 0
    with pytest.raises((ChainRejected, WalletError)):
        net.stake(amount_tao=10, hotkey_ss58="5nobody", netuid=subnet.netuid, wallet="alice")


def test_any_intent_of_the_sdk_can_be_executed(net: Net) -> None:
    before = net.balance("bob")
    intent = bittensor.Transfer(dest_ss58=BOB, amount_tao=1)
    net.execute(intent, wallet="alice")
    assert (net.balance("bob") - before).rao == 10**9


def test_time_and_state_are_under_control(net: Net) -> None:
    held, height = net.snapshot(), net.block
    net.pay(amount_tao=1, to=BOB, wallet="alice")
    assert net.seal(5) == net.block == height + 6
    assert net.revert(held) == height
    assert net.balance("alice").rao == 10**15
    with pytest.raises(ChainRejected):
        net.revert("no such snapshot")


def test_quick_sealing_ends_as_it_began(net: Net) -> None:
    net._client.dev.set_sealing("manual")
    try:
        with net._quick("a test"):
            net.pay(amount_tao=1, to=BOB, wallet="alice")
        assert net._client.dev.info()["sealing"] == "manual"
        with pytest.raises(RuntimeError), net.sealing.for_run("test-1234"):
            raise RuntimeError
        assert net._client.dev.info()["sealing"] == "manual"
    finally:
        net._client.dev.set_sealing("instant")


def test_the_other_chain_of_the_same_node_is_no_lesser_network(net: Net) -> None:
    with connect(net.endpoint) as other:
        assert other.play_money
        assert other.block == net.block
        with pytest.raises(DevnetOnly, match="was not started here"):
            other.reset()
    assert net.alive


def test_names_that_lead_nowhere() -> None:
    with pytest.raises(UnknownNetwork):
        connect("mars")
    with pytest.raises(NodeUnreachable):
        connect("ws://127.0.0.1:1")


def test_a_node_that_cannot_start_says_why(tmp_path) -> None:
    with pytest.raises(NodeStartFailed, match="unrecognized arguments: --nonsense"):
        EmbeddedNode("--nonsense", folder=tmp_path)


def test_closing_leaves_no_process() -> None:
    with connect(sealing="instant") as net:
        node = psutil.Process(net._node.pid)
    assert not node.is_running()
    assert repr(net) == "devnet: closed."
    net.close()
    another = connect(sealing="instant")
    process = psutil.Process(another._node.pid)
    with connect(another.endpoint) as shared:
        pass
    assert shared.closed
    assert process.is_running()
    another.close()
    assert not process.is_running()


def test_real_money_is_never_spent_without_a_person(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    from subnetlab.network.client import NetworkClient
    from subnetlab.network.confirm import Always

    client = NetworkClient(net.endpoint, name="finney", confirm=Always())
    client.__dict__["development"] = False  # as if the chain called itself Live
    real = Net(client)
    assert "REAL TAO" in repr(real)
    real.budget.set(tao=5)
    wallet = bittensor.Wallet("none")
    wallet._coldkey = wallet._coldkeypub = net.wallet("alice").coldkey
    before = net.balance(BOB)
    with pytest.raises(HeadlessSpendRefused):
        real.pay(amount_tao=1, to=BOB, wallet=wallet)
    with pytest.raises(DevnetOnly):
        real.seal()
    with pytest.raises(NotYetSupported):
        sl.Subnet(real, 1, name="x", owner=wallet).train()
    assert net.balance(BOB) == before
    client.close()


def test_a_network_that_no_variable_names_any_more_leaves_no_node() -> None:
    folders = []
    for _ in range(3):
        net = connect(sealing="instant")
        assert net._node is not None
        folders.append(net._node.folder)
    deadline = time.monotonic() + 30
    while any(is_alive(folder) for folder in folders[:-1]):
        assert time.monotonic() < deadline
    assert is_alive(folders[-1])
    net.close()
