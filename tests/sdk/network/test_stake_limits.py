"""Stake that the chain cannot take is refused before its fee is paid, whichever verb carries it."""

from collections.abc import Callable
from typing import Any

import bittensor
import pytest

from subnetlab.errors import InsufficientBalance, InvalidAmount, MoneyError
from subnetlab.network.client import NetworkClient

from .conftest import Prepared

LEAST = 2_000_000
ALPHA = 1_000_000_000
BOB = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"
ALICE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"


def tao(amount: int) -> bittensor.Balance:
    return bittensor.Balance.from_rao(amount)


def alpha(amount: int, netuid: int) -> bittensor.Balance:
    return bittensor.Balance.from_rao(amount, netuid)


INTENTS: dict[str, tuple[Callable[[str, int], Any], type[MoneyError]]] = {
    "stake": (lambda h, n: bittensor.AddStake(hotkey_ss58=h, netuid=n, amount_tao=tao(LEAST)), InvalidAmount),
    "stake on root": (
        lambda h, n: bittensor.AddStake(hotkey_ss58=h, netuid=0, amount_tao=tao(LEAST - 1)),
        InvalidAmount,
    ),
    "stake with a limit": (
        lambda h, n: bittensor.AddStakeLimit(
            hotkey_ss58=h, netuid=n, amount_tao=tao(1), limit_price_rao=9 * ALPHA
        ),
        InvalidAmount,
    ),
    "unstake": (
        lambda h, n: bittensor.RemoveStake(hotkey_ss58=h, netuid=n, amount_alpha=alpha(1, n)),
        InvalidAmount,
    ),
    "unstake with a limit": (
        lambda h, n: bittensor.RemoveStakeLimit(
            hotkey_ss58=h, netuid=n, amount_alpha=alpha(1, n), limit_price_rao=0
        ),
        InvalidAmount,
    ),
    "unstake more than there is": (
        lambda h, n: bittensor.RemoveStake(hotkey_ss58=h, netuid=n, amount_alpha=alpha(10**6 * ALPHA, n)),
        InsufficientBalance,
    ),
    "unstake of somebody else": (
        lambda h, n: bittensor.RemoveStake(hotkey_ss58=BOB, netuid=n, amount_alpha=alpha(ALPHA, n)),
        InsufficientBalance,
    ),
    "swap": (
        lambda h, n: bittensor.SwapStake(
            hotkey_ss58=h, origin_netuid=n, dest_netuid=0, amount_alpha=alpha(9, n)
        ),
        InvalidAmount,
    ),
    "move": (
        lambda h, n: bittensor.MoveStake(
            origin_hotkey_ss58=h, dest_hotkey_ss58=h, origin_netuid=n, dest_netuid=0, amount_alpha=alpha(9, n)
        ),
        InvalidAmount,
    ),
    "transfer of stake": (
        lambda h, n: bittensor.TransferStake(
            dest_coldkey_ss58=BOB, hotkey_ss58=h, origin_netuid=n, dest_netuid=0, amount_alpha=alpha(9, n)
        ),
        InvalidAmount,
    ),
}


@pytest.mark.parametrize("name", INTENTS)
def test_what_the_chain_cannot_take_costs_no_fee(
    network: NetworkClient, prepared: Prepared, name: str
) -> None:
    make, error = INTENTS[name]
    before, head = network.balance("alice"), network.head().number
    with pytest.raises(error):
        network.execute(make(prepared.validator.hotkey.ss58_address, prepared.netuid), wallet="alice")
    assert network.balance("alice") == before
    assert network.head().number == head


def test_the_amount_that_the_hint_names_is_taken(network: NetworkClient, prepared: Prepared) -> None:
    hotkey = prepared.validator.hotkey.ss58_address
    with pytest.raises(InvalidAmount, match="least stake") as caught:
        network.stake(amount_tao="0.001", hotkey_ss58=hotkey, netuid=prepared.netuid, wallet="alice")
    least = caught.value.hint.split()[1].removeprefix("τ")
    network.stake(amount_tao=f"{least} TAO", hotkey_ss58=hotkey, netuid=prepared.netuid, wallet="alice")


def test_the_last_of_a_stake_comes_back_however_little_it_is(
    network: NetworkClient, prepared: Prepared
) -> None:
    hotkey, netuid = prepared.validator.hotkey.ss58_address, prepared.netuid

    def held() -> int:
        found = network.client.read("stake", coldkey_ss58=ALICE, hotkey_ss58=hotkey, netuid=netuid)
        return int(found.rao)

    least = network.quote_stake(amount_tao="0.002", netuid=netuid).received
    sold = alpha(held() - least // 2, netuid)
    network.unstake(amount_alpha=sold, hotkey_ss58=hotkey, netuid=netuid, wallet="alice", rate_tolerance=None)
    rest = held()
    assert 0 < rest < least
    network.unstake(
        amount_alpha=alpha(rest, netuid), hotkey_ss58=hotkey, netuid=netuid, wallet="alice",
        rate_tolerance=None,
    )  # fmt: skip
    assert held() == 0
