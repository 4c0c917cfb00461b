"""Every bad request is refused by its own error, and nothing is spent."""

import bittensor
import pytest
from bittensor_core import ss58_encode

from subnetlab.errors import (
    ChainRejected,
    InsufficientBalance,
    InvalidAmount,
    OverBudget,
    SecretRefused,
    SubnetLabError,
    UnknownWallet,
    WalletError,
)
from subnetlab.network.client import NetworkClient
from subnetlab.network.wallets import dev_wallet

from .conftest import Prepared

BOB = dev_wallet("bob").coldkey.ss58_address
BOB_KEY = dev_wallet("bob").coldkey.public_key
AMOUNTS = {
    "huge": 1e30,
    "above 2^64 rao": 18_446_744_074,
    "negative": -1,
    "zero": 0,
    "not a number": float("nan"),
    "infinite": float("inf"),
    "a truth value": True,
    "ten decimals": "0.0000000001",
    "words": "a lot",
    "nothing": None,
    "empty": "",
    "a list": [1],
}

PAYMENTS: dict[str, tuple[dict[str, object], type[SubnetLabError]]] = {
    **{f"amount: {name}": ({"amount_tao": amount}, InvalidAmount) for name, amount in AMOUNTS.items()},
    "over balance": ({"amount_tao": 2_000_000}, InsufficientBalance),
    "unknown wallet": ({"wallet": "mallory"}, UnknownWallet),
    "no wallet": ({"wallet": None}, UnknownWallet),
    "seed as wallet": ({"wallet": "0x" + "5a" * 32}, SecretRefused),
    "mnemonic as wallet": ({"wallet": "abandon " * 11 + "about"}, SecretRefused),
    "seed as address": ({"to": "5a" * 32}, SecretRefused),
    "an EVM address with a wrong checksum": ({"to": "0x" + "Ab" * 20}, WalletError),
    "half of an EVM address": ({"to": "0xab"}, WalletError),
    "a precompile": ({"to": "0x" + "0" * 37 + "805"}, WalletError),
    "an EVM address that opens with too little": (
        {"to": "0x" + "ab" * 20, "amount_tao": 1e-9},
        InvalidAmount,
    ),
    "no address": ({"to": ""}, WalletError),
    "a cut address": ({"to": BOB[:-1]}, WalletError),
    "a mistyped address": ({"to": BOB[:-1] + ("1" if BOB[-1] != "1" else "2")}, WalletError),
    "an unknown name": ({"to": "mallory"}, UnknownWallet),
    "an address of Kusama": ({"to": ss58_encode(BOB_KEY, 2)}, WalletError),
    "an address of a network with a long number": ({"to": ss58_encode(BOB_KEY, 13116)}, WalletError),
    "the bytes of a key": ({"to": BOB_KEY}, WalletError),
    "nothing": ({"to": None}, WalletError),
}


@pytest.mark.parametrize(("change", "error"), PAYMENTS.values(), ids=PAYMENTS)
def test_a_bad_payment_is_refused_and_nothing_is_spent(
    network: NetworkClient, change: dict[str, object], error: type[SubnetLabError]
) -> None:
    head, mine = network.head(), network.balance(dev_wallet("alice"))
    request: dict[str, object] = {"amount_tao": 1, "to": BOB, "wallet": "alice"}
    with pytest.raises(error) as caught:
        network.pay(**(request | change))  # type: ignore[arg-type]
    assert type(caught.value) is error
    assert len(str(caught.value)) > len(caught.value.hint) > 0, "it says what happened, and what to do next"
    assert network.head() == head
    assert network.balance(dev_wallet("alice")) == mine
    assert network.budget.spent_rao == 0


@pytest.mark.parametrize(
    ("prefix", "words"),
    [(0, "of Polkadot (prefix 0)"), (2, "of Kusama (prefix 2)"), (63, "network (prefix 63)"),
     (64, "network (prefix 64)"), (13116, "network (prefix 13116)"), (16383, "network (prefix 16383)")],
)  # fmt: skip
def test_an_address_of_another_network_is_named_and_refused_wherever_one_belongs(
    network: NetworkClient, prepared: Prepared, prefix: int, words: str
) -> None:
    other, head = ss58_encode(BOB_KEY, prefix), network.head()
    uses = (
        lambda: network.balance(other),
        lambda: network.pay(amount_tao=1, to=other, wallet="alice"),
        lambda: network.stake(amount_tao=1, hotkey_ss58=other, netuid=prepared.netuid, wallet="alice"),
        lambda: network.unstake(amount_alpha=1, hotkey_ss58=other, netuid=prepared.netuid, wallet="alice"),
        lambda: network.burned_register(prepared.netuid, "alice", hotkey_ss58=other),
        lambda: network.register_subnet("alice", hotkey_ss58=other),
        lambda: network.execute(bittensor.Transfer(dest_ss58=other, amount_tao=1), wallet="alice"),
    )
    for use in uses:
        with pytest.raises(WalletError) as caught:
            use()
        assert f"is an address {'of another ' * (words[0] == 'n')}{words}, not of Bittensor" in str(
            caught.value
        )
    assert network.head() == head


def test_a_public_key_in_hex_is_not_called_a_private_one(network: NetworkClient) -> None:
    for text in (BOB_KEY.hex(), f"0x{BOB_KEY.hex()}"):
        with pytest.raises(SecretRefused, match="public or private") as caught:
            network.pay(amount_tao=1, to=text, wallet="alice")
        assert "give the ss58 address" in str(caught.value)
        assert BOB_KEY.hex() not in str(caught.value)


def test_over_budget_is_refused_and_nothing_is_spent(network: NetworkClient, prepared: Prepared) -> None:
    head = network.head()
    network.budget.set(1)
    with pytest.raises(OverBudget):
        network.pay(amount_tao=1, to=BOB, wallet="alice")  # with its fee it is more than one
    with pytest.raises(OverBudget):
        network.stake(
            amount_tao=2,
            hotkey_ss58=prepared.validator.hotkey.ss58_address,
            netuid=prepared.netuid,
            wallet="alice",
        )
    with pytest.raises(OverBudget):
        network.register_subnet("alice")
    assert network.head() == head
    assert network.budget.spent_rao == 0
    network.pay(amount_tao="0.9", to=BOB, wallet="alice")
    with pytest.raises(OverBudget):
        network.pay(amount_tao="0.1", to=BOB, wallet="alice")


@pytest.mark.parametrize(
    ("netuid", "amount", "code"),
    [(99, 1, "SubnetNotExists"), (65_535, 1, "SubnetNotExists")],
)
def test_what_only_the_chain_can_know_comes_back_in_its_words(
    network: NetworkClient, prepared: Prepared, netuid: int | None, amount: float, code: str
) -> None:
    with pytest.raises(ChainRejected) as caught:
        network.stake(
            amount_tao=amount,
            hotkey_ss58=prepared.validator.hotkey.ss58_address,
            netuid=prepared.netuid if netuid is None else netuid,
            wallet="alice",
            rate_tolerance=None,
        )
    assert (caught.value.pallet, caught.value.code) == ("SubtensorModule", code)
    assert caught.value.hint
    assert code in str(caught.value)


def test_an_amount_that_leaves_less_than_the_deposit_is_refused(network: NetworkClient) -> None:
    network.dev.faucet(dev_wallet("alice/poor").hotkey.ss58_address, 10**9)
    poor = dev_wallet("alice/poor").hotkey
    with pytest.raises(InsufficientBalance, match="deposit"):
        network.pay(amount_tao="0.9999", to=BOB, wallet=poor)
    network.pay(amount_tao="0.9", to=BOB, wallet=poor)


@pytest.mark.parametrize("netuid", [-1, 70_000, "one", None, 1.5])
def test_a_netuid_no_call_can_carry_is_refused_before_it_is_sent(
    network: NetworkClient, prepared: Prepared, netuid: object
) -> None:
    head = network.head()
    hotkey = prepared.validator.hotkey.ss58_address
    with pytest.raises(SubnetLabError):
        network.stake(amount_tao=1, hotkey_ss58=hotkey, netuid=netuid, wallet="alice")  # type: ignore[arg-type]
    with pytest.raises(SubnetLabError):
        network.quote_stake(amount_tao=1, netuid=netuid)  # type: ignore[arg-type]
    with pytest.raises(SubnetLabError):
        network.burned_register(netuid, "alice/new")  # type: ignore[arg-type]
    assert network.head() == head


@pytest.mark.parametrize("tolerance", [5, -0.1, float("nan"), "0.05", True, [1]])
def test_a_tolerance_that_is_no_share_is_refused(
    network: NetworkClient, prepared: Prepared, tolerance: object
) -> None:
    where = {"hotkey_ss58": BOB, "netuid": prepared.netuid, "wallet": "alice", "rate_tolerance": tolerance}
    for spend in (
        lambda: network.stake(amount_tao=1, **where),
        lambda: network.unstake(amount_alpha=1, **where),
    ):
        with pytest.raises(InvalidAmount, match="is not a share between 0 and 1"):
            spend()


@pytest.mark.parametrize("secret", ["0x" + "5a" * 32, "abandon " * 11 + "about"])
def test_a_secret_is_refused_wherever_an_address_belongs(
    network: NetworkClient, prepared: Prepared, secret: str
) -> None:
    uses = (
        lambda: network.balance(secret),
        lambda: network.register_subnet("alice", hotkey_ss58=secret),
        lambda: network.burned_register(prepared.netuid, "alice", hotkey_ss58=secret),
        lambda: network.stake(amount_tao=1, hotkey_ss58=secret, netuid=1, wallet="alice"),
        lambda: network.unstake(amount_alpha=1, hotkey_ss58=secret, netuid=1, wallet="alice"),
    )
    for use in uses:
        with pytest.raises(SecretRefused) as caught:
            use()
        assert secret.split(maxsplit=1)[0] not in str(caught.value)
