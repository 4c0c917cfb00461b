"""Staking from the EVM books the stake that the pallet's own calls book, for the caller's account."""

import pytest
from tests.sdk.devnet.evm.precompiles.wallet import Refused, Wallet, public_key
from tests.sdk.devnet.pallets.stage import BOB, OWNER_HOTKEY, TAO, Stage, key

from subnetlab.devnet.evm.addresses import mirror
from subnetlab.devnet.evm.precompiles import allowances
from subnetlab.devnet.evm.precompiles.frame import READ_GAS, WEI_PER_RAO
from subnetlab.devnet.pallets import balances, swap
from subnetlab.devnet.pallets.subtensor import share_pool

HOTKEY = public_key(OWNER_HOTKEY)
ADD_STAKE_GAS = 3_064_064_000 // 40_000
SPENDER = b"\x22" * 20


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def netuid(stage: Stage) -> int:
    return stage.subnet()


@pytest.fixture
def wallet(stage: Stage, netuid: int) -> Wallet:
    return Wallet(stage)


def staked(wallet: Wallet, netuid: int, hotkey: str = OWNER_HOTKEY) -> int:
    return share_pool.stake_of(wallet.stage.ledger, hotkey, wallet.account, netuid)


def test_stake_is_booked_for_the_callers_account(wallet: Wallet, netuid: int) -> None:
    expected = swap.buy(wallet.stage.ledger, netuid, 5 * TAO).paid
    wallet.call("staking-v2", "addStake", HOTKEY, 5 * TAO, netuid)
    assert wallet.used == ADD_STAKE_GAS
    assert staked(wallet, netuid) == expected
    assert wallet.call("staking-v2", "getStake", HOTKEY, wallet.key, netuid) == expected
    assert wallet.call("staking", "getStake", HOTKEY, wallet.key, netuid) == expected * WEI_PER_RAO
    assert wallet.call("staking-v2", "getTotalAlphaStaked", HOTKEY, netuid) == share_pool.hotkey_stake(
        wallet.stage.ledger, OWNER_HOTKEY, netuid
    )
    holders = wallet.call("staking-v2", "getAlphaStakedValidators", HOTKEY, netuid)
    assert int.from_bytes(wallet.key, "big") in holders


def test_value_that_comes_with_a_second_version_call_stays_where_it_is(wallet: Wallet, netuid: int) -> None:
    wallet.call("staking-v2", "addStake", HOTKEY, 5 * TAO, netuid, value=10**18)
    assert balances.free(wallet.stage.ledger, mirror((0x805).to_bytes(20, "big"))) == TAO


def test_the_first_version_stakes_its_value_and_keeps_none(wallet: Wallet, netuid: int) -> None:
    ledger = wallet.stage.ledger
    before = balances.free(ledger, wallet.account)
    wallet.call("staking", "addStake", HOTKEY, netuid, value=5 * 10**18 + 7)
    assert before - balances.free(ledger, wallet.account) == 5 * TAO
    assert balances.free(ledger, mirror((0x801).to_bytes(20, "big"))) == 0
    alpha = staked(wallet, netuid)
    assert alpha
    wallet.call("staking", "removeStake", HOTKEY, alpha // 2 * WEI_PER_RAO, netuid)
    assert staked(wallet, netuid) == alpha - alpha // 2


def test_stake_moves_swaps_and_leaves(wallet: Wallet, netuid: int) -> None:
    other = key("//Bob//hotkey")
    wallet.stage.register(netuid, (BOB, other))
    wallet.call("staking-v2", "addStake", HOTKEY, 50 * TAO, netuid)
    alpha = staked(wallet, netuid)
    wallet.call("staking-v2", "moveStake", HOTKEY, public_key(other), netuid, netuid, alpha // 4)
    assert staked(wallet, netuid, other) == alpha // 4
    wallet.call("staking-v2", "transferStake", public_key(BOB), HOTKEY, netuid, netuid, alpha // 4)
    assert share_pool.stake_of(wallet.stage.ledger, OWNER_HOTKEY, BOB, netuid) == pytest.approx(
        alpha // 4, abs=1
    )
    wallet.call("staking-v2", "removeStakeFull", HOTKEY, netuid)
    assert staked(wallet, netuid) == 0
    hotkeys, total = wallet.call("staking-v2", "getStakingHotkeys", wallet.key, 0, 64)
    assert total == 2
    assert set(hotkeys) == {HOTKEY, public_key(other)}
    positions = wallet.call(
        "staking-v2", "getStakeInfoForColdkeyAndNetuid", wallet.key, netuid, [HOTKEY, public_key(other)]
    )
    assert positions == ((public_key(other), staked(wallet, netuid, other)),)


def test_what_the_pallet_refuses_fails_in_the_runtimes_words_and_leaves_nothing(
    wallet: Wallet, netuid: int
) -> None:
    before = balances.free(wallet.stage.ledger, wallet.account)
    with pytest.raises(Refused, match=r"^dispatch execution failed: SubnetNotExists$"):
        wallet.call("staking-v2", "addStake", HOTKEY, TAO, 99)
    with pytest.raises(Refused, match=r"^dispatch execution failed: AmountTooLow$"):
        wallet.call("staking-v2", "addStake", HOTKEY, 1, netuid)
    with pytest.raises(Refused, match=r"^the value is outside of u16 bounds$"):
        wallet.call("staking-v2", "addStake", HOTKEY, TAO, 65_536)
    with pytest.raises(Refused, match=r"^dispatch execution failed: CallFiltered$"):
        wallet.call("staking-v2", "lockStake", HOTKEY, TAO, netuid)
    assert balances.free(wallet.stage.ledger, wallet.account) == before
    assert staked(wallet, netuid) == 0


def test_an_amount_past_64_bits_saturates_instead_of_wrapping(wallet: Wallet, netuid: int) -> None:
    with pytest.raises(Refused, match="dispatch execution failed: InsufficientLiquidity"):
        wallet.call("staking-v2", "addStake", HOTKEY, 2**64 + 5 * TAO, netuid)


def test_gas_below_the_calls_weight_runs_nothing(wallet: Wallet, netuid: int) -> None:
    with pytest.raises(Refused, match="OutOfGas"):
        wallet.call("staking-v2", "addStake", HOTKEY, 5 * TAO, netuid, gas=ADD_STAKE_GAS)
    assert staked(wallet, netuid) == 0
    wallet.call("staking-v2", "addStake", HOTKEY, 5 * TAO, netuid, gas=ADD_STAKE_GAS + 1)
    assert staked(wallet, netuid)


def test_an_allowance_is_given_used_and_used_up(wallet: Wallet, netuid: int) -> None:
    wallet.call("staking-v2", "addStake", HOTKEY, 50 * TAO, netuid)
    spender = Wallet(wallet.stage, SPENDER)
    alpha = staked(wallet, netuid)
    use = ("staking-v2", "transferStakeFrom", wallet.address, SPENDER, HOTKEY, netuid, netuid)
    with pytest.raises(Refused, match="trying to spend more than allowed"):
        spender.call(*use, alpha // 2)
    wallet.call("staking-v2", "approve", SPENDER, netuid, alpha // 4)
    wallet.call("staking-v2", "increaseAllowance", SPENDER, netuid, alpha // 2)
    wallet.call("staking-v2", "decreaseAllowance", SPENDER, netuid, alpha // 4)
    assert allowed(wallet, netuid) == alpha // 4 + alpha // 2 - alpha // 4
    spender.call(*use, alpha // 4)
    assert staked(spender, netuid) == pytest.approx(alpha // 4, abs=1)
    assert allowed(wallet, netuid) == alpha // 2 - alpha // 4
    wallet.call("staking-v2", "approve", SPENDER, netuid, 0)
    assert allowed(wallet, netuid) == 0
    assert not wallet.stage.state.keys(allowances.PREFIX)


def allowed(wallet: Wallet, netuid: int) -> int:
    return wallet.call("staking-v2", "allowance", wallet.address, SPENDER, netuid)


def test_an_allowance_is_untouched_where_the_transfer_fails(wallet: Wallet, netuid: int) -> None:
    spender = Wallet(wallet.stage, SPENDER)
    wallet.call("staking-v2", "approve", SPENDER, netuid, TAO)
    with pytest.raises(Refused, match="dispatch execution failed"):
        spender.call("staking-v2", "transferStakeFrom", wallet.address, SPENDER, HOTKEY, netuid, netuid, TAO)
    assert allowed(wallet, netuid) == TAO


def test_an_allowance_ends_with_the_registration_of_its_subnet(wallet: Wallet, netuid: int) -> None:
    wallet.call("staking-v2", "approve", SPENDER, netuid, TAO)
    wallet.stage.write("RegisteredSubnetCounter", netuid, value=7)
    assert allowed(wallet, netuid) == 0


def test_totals_are_the_values_of_what_is_held(wallet: Wallet, netuid: int) -> None:
    wallet.call("staking-v2", "addStake", HOTKEY, 5 * TAO, netuid)
    wallet.call("staking-v2", "addStake", HOTKEY, 3 * TAO, 0)
    ledger = wallet.stage.ledger
    sold = swap.sell(ledger, netuid, staked(wallet, netuid))
    worth = sold.paid + swap.value_rao(ledger, netuid, sold.fee)
    assert wallet.call("staking-v2", "getTotalColdkeyStakeOnSubnet", wallet.key, netuid) == worth
    total = wallet.call("staking-v2", "getTotalColdkeyStake", wallet.key)
    assert total == worth + 3 * TAO
    assert wallet.call("staking", "getTotalColdkeyStake", wallet.key) == total * WEI_PER_RAO
    everyone = share_pool.hotkey_stake(ledger, OWNER_HOTKEY, netuid)
    assert wallet.call("staking-v2", "getTotalHotkeyStake", HOTKEY) == pytest.approx(
        swap.value_rao(ledger, netuid, everyone) + 3 * TAO, abs=1
    )


def test_a_total_is_charged_for_what_it_may_read(wallet: Wallet, netuid: int) -> None:
    limit = wallet.stage.number("SubnetLimit")
    wallet.call("staking-v2", "getTotalHotkeyStake", HOTKEY)
    assert wallet.used == READ_GAS * (1 + 5 * limit)
    wallet.call("staking-v2", "addStake", HOTKEY, 5 * TAO, netuid)
    wallet.call("staking-v2", "addStake", HOTKEY, 3 * TAO, 0)
    wallet.call("staking-v2", "getTotalColdkeyStake", wallet.key)
    assert wallet.used == READ_GAS * (2 + 2 * 22)
    wallet.call("staking-v2", "getTotalColdkeyStakeOnSubnet", wallet.key, netuid)
    assert wallet.used == READ_GAS * (2 + 2 * 2 + 20)


@pytest.mark.parametrize("limit", [0, 65])
def test_a_page_has_a_size(wallet: Wallet, limit: int) -> None:
    with pytest.raises(Refused, match="page limit"):
        wallet.call("staking-v2", "getStakingHotkeys", wallet.key, 0, limit)


def test_a_batch_names_each_hotkey_once(wallet: Wallet, netuid: int) -> None:
    with pytest.raises(Refused, match="duplicate stake info hotkey"):
        wallet.call("staking-v2", "getStakeInfoForColdkeyAndNetuid", wallet.key, netuid, [HOTKEY, HOTKEY])
    many = [bytes([number]) * 32 for number in range(65)]
    with pytest.raises(Refused, match="hotkeys: Value is too large for length"):
        wallet.call("staking-v2", "getStakeInfoForColdkeyAndNetuid", wallet.key, netuid, many)
