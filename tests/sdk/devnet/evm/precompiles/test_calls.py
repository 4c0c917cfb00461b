"""How any precompile takes a call: who signs, what static and borrowed frames may do, and what comes back."""

import pytest
from tests.sdk.devnet.evm.precompiles.wallet import (
    DELEGATECALL,
    GAS,
    STATICCALL,
    Refused,
    Wallet,
    public_key,
)
from tests.sdk.devnet.pallets.stage import ALICE, OWNER_HOTKEY, TAO, Stage

from subnetlab.devnet.evm.abi import contracts
from subnetlab.devnet.evm.addresses import mirror
from subnetlab.devnet.evm.precompiles.contract import Contract
from subnetlab.devnet.evm.precompiles.engine import CONTRACTS
from subnetlab.devnet.evm.precompiles.frame import READ_GAS, Failed, Frame
from subnetlab.devnet.pallets import balances
from subnetlab.devnet.pallets.subtensor import share_pool

HOTKEY = public_key(OWNER_HOTKEY)


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def netuid(stage: Stage) -> int:
    return stage.subnet()


@pytest.fixture
def wallet(stage: Stage) -> Wallet:
    return Wallet(stage)


def staked(wallet: Wallet, account: str, netuid: int) -> int:
    return share_pool.stake_of(wallet.stage.ledger, OWNER_HOTKEY, account, netuid)


def test_a_contract_stakes_for_its_own_account(wallet: Wallet, netuid: int) -> None:
    forwarder = wallet.forwarder("staking-v2")
    wallet.stage.call(ALICE, "transfer_keep_alive", "Balances", dest=mirror(forwarder), value=10 * TAO)
    wallet.call("staking-v2", "addStake", HOTKEY, 5 * TAO, netuid, at=forwarder)
    assert staked(wallet, mirror(forwarder), netuid)
    assert staked(wallet, wallet.account, netuid) == 0


def test_a_static_frame_reads_and_does_not_write(wallet: Wallet, netuid: int) -> None:
    reader = wallet.forwarder("staking-v2", STATICCALL)
    wallet.call("staking-v2", "addStake", HOTKEY, 5 * TAO, netuid)
    held = staked(wallet, wallet.account, netuid)
    assert wallet.call("staking-v2", "getStake", HOTKEY, wallet.key, netuid, at=reader) == held
    with pytest.raises(Refused, match="Can't call non-static function in static context"):
        wallet.call("staking-v2", "addStake", HOTKEY, 5 * TAO, netuid, at=reader)
    assert staked(wallet, wallet.account, netuid) == held


def test_a_borrowed_frame_does_not_sign_for_its_caller(wallet: Wallet, netuid: int) -> None:
    phisher = wallet.forwarder("staking-v2", DELEGATECALL)
    with pytest.raises(Refused, match="reverted"):
        wallet.call("staking-v2", "addStake", HOTKEY, 5 * TAO, netuid, at=phisher)
    assert wallet.used > GAS * 9 // 10
    assert staked(wallet, wallet.account, netuid) == staked(wallet, mirror(phisher), netuid) == 0


def test_a_borrowed_frame_may_read_the_metagraph(wallet: Wallet, netuid: int) -> None:
    reader = wallet.forwarder("metagraph", DELEGATECALL)
    assert wallet.call("metagraph", "getHotkey", netuid, 0, at=reader) == HOTKEY


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda one: one.interface.name)
def test_only_what_signs_nothing_may_be_borrowed(stage: Stage, contract: Contract) -> None:
    writes = any(not function.is_view for function in contract.interface.functions)
    frame = Frame(
        ledger=stage.ledger, caller=b"\x11" * 20, address=b"\x22" * 20, value=0, data=b"", is_static=False,
        gas=GAS, consume=lambda _: None,
    )  # fmt: skip
    if writes or not contract.precompile.borrowed:
        with pytest.raises(Failed, match="Cannot be called with DELEGATECALL or CALLCODE"):
            contract(frame)
    assert not (writes and contract.precompile.borrowed)


def test_value_is_refused_where_nothing_takes_it(wallet: Wallet, netuid: int) -> None:
    with pytest.raises(Refused, match="Function is not payable"):
        wallet.call("metagraph", "getUidCount", netuid, value=10**18)
    with pytest.raises(Refused, match="Function is not payable"):
        wallet.call("staking-v2", "unstakeAll", HOTKEY, value=10**18)
    assert balances.free(wallet.stage.ledger, mirror(contracts()["metagraph"].address)) == 0


def test_a_switched_off_precompile_says_so_until_it_is_on(wallet: Wallet, netuid: int) -> None:
    def toggle(*, enabled: bool) -> None:
        wallet.stage.call(
            None, "sudo_toggle_evm_precompile", "AdminUtils", precompile_id="Staking", enabled=enabled
        )

    def disabled(contract: str) -> bool:
        asked = contracts()[contract].address
        return wallet.call("precompile-registry", "getPrecompileStatus", asked, bytes(4))[1]

    toggle(enabled=False)
    for contract, value in (("staking", 5), ("staking-v2", 0)):
        with pytest.raises(Refused, match=r"^Precompile Staking is disabled$"):
            wallet.call(contract, "getTotalColdkeyStake", wallet.key, value=value)
        assert disabled(contract)
    assert not disabled("metagraph")
    toggle(enabled=True)
    assert wallet.call("staking", "getTotalColdkeyStake", wallet.key) == 0


def test_an_unknown_function_reverts_and_gives_its_gas_back(wallet: Wallet) -> None:
    address = contracts()["staking-v2"].address
    with pytest.raises(Refused, match=r"^Unknown selector$"):
        wallet.raw(address, b"\x01\x02\x03\x04")
    with pytest.raises(Refused, match=r"^Tried to read selector out of bounds$"):
        wallet.raw(address, b"\x01")
    assert wallet.used < READ_GAS


def test_a_failed_dispatch_burns_its_frames_gas(wallet: Wallet) -> None:
    with pytest.raises(Refused, match="dispatch execution failed"):
        wallet.call("staking-v2", "addStake", HOTKEY, TAO, 99)
    assert wallet.used == GAS


def test_a_revert_around_a_stake_takes_it_back(wallet: Wallet, netuid: int) -> None:
    for undone in (False, True):
        forwarder = wallet.forwarder("staking-v2", undone=undone)
        wallet.stage.call(ALICE, "transfer_keep_alive", "Balances", dest=mirror(forwarder), value=10 * TAO)
        events = len(wallet.stage.events("StakeAdded"))
        if undone:
            with pytest.raises(Refused, match="reverted"):
                wallet.call("staking-v2", "addStake", HOTKEY, 5 * TAO, netuid, at=forwarder)
        else:
            wallet.call("staking-v2", "addStake", HOTKEY, 5 * TAO, netuid, at=forwarder)
        assert bool(staked(wallet, mirror(forwarder), netuid)) is not undone
        assert len(wallet.stage.events("StakeAdded")) - events == (not undone)


def test_a_precompile_has_no_code(wallet: Wallet) -> None:
    for contract in contracts().values():
        assert wallet.stage.ledger.get("EVM", "AccountCodes", "0x" + contract.address.hex()) in ([], "", "0x")
