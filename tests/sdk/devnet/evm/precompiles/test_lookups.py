"""Paying to the other half of the chain, raw storage, constants, the clock, and pallets that are not used."""

import pytest
from tests.sdk.devnet.evm.precompiles.wallet import Refused, Wallet, public_key
from tests.sdk.devnet.pallets.stage import BOB, TAO, Stage

from subnetlab.devnet.evm.abi import contracts
from subnetlab.devnet.evm.addresses import mirror
from subnetlab.devnet.evm.precompiles.engine import CONTRACTS
from subnetlab.devnet.evm.precompiles.frame import WEI_PER_RAO
from subnetlab.devnet.pallets import balances

STORAGE = (0x807).to_bytes(20, "big")


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def wallet(stage: Stage) -> Wallet:
    return Wallet(stage)


def test_value_is_forwarded_to_any_account_and_dust_is_dropped(stage: Stage, wallet: Wallet) -> None:
    before, own = balances.free(stage.ledger, BOB), balances.free(stage.ledger, wallet.account)
    wallet.call("balance-transfer", "transfer", public_key(BOB), value=2 * 10**18 + 7)
    assert balances.free(stage.ledger, BOB) - before == 2 * TAO
    assert own - balances.free(stage.ledger, wallet.account) == 2 * TAO
    assert balances.free(stage.ledger, mirror(contracts()["balance-transfer"].address)) == 0
    wallet.call("balance-transfer", "transfer", public_key(BOB), value=7)
    wallet.call("balance-transfer", "transferKeepAlive", public_key(BOB), 3 * TAO)
    assert balances.free(stage.ledger, BOB) - before == 5 * TAO
    wallet.call("balance-transfer", "transferAll", public_key(BOB), False)  # noqa: FBT003 - an ABI argument
    assert balances.free(stage.ledger, wallet.account) == 0
    assert wallet.call("balance", "getFreeBalance", public_key(BOB)) == balances.free(stage.ledger, BOB)
    assert wallet.call("balance", "getTotalIssuance") == balances.issuance(stage.ledger)


def test_more_than_one_has_is_refused_in_substrates_words(wallet: Wallet) -> None:
    with pytest.raises(Refused, match=r"^dispatch execution failed: Funds are unavailable$"):
        wallet.call("balance-transfer", "transferKeepAlive", public_key(BOB), 10**6 * TAO)


def test_raw_storage_is_open_for_some_pallets(stage: Stage, wallet: Wallet) -> None:
    codec = stage.ledger.codec
    key = codec.key("Balances", "TotalIssuance")
    assert wallet.raw(STORAGE, key) == balances.issuance(stage.ledger).to_bytes(8, "little")
    assert wallet.raw(STORAGE, codec.key("SubtensorModule", "Owner", BOB)) == b""
    for closed in (
        codec.key("System", "Account", BOB),
        codec.key("EVM", "AccountCodes", "0x" + "00" * 20),
        b"",
    ):
        with pytest.raises(Refused, match="Invalid key"):
            wallet.raw(STORAGE, closed)


def test_an_address_is_mapped_to_its_account(wallet: Wallet) -> None:
    assert wallet.call("address-mapping", "addressMapping", wallet.address) == wallet.key


def test_uids_are_found_by_their_evm_key(stage: Stage, wallet: Wallet) -> None:
    text = "0x" + wallet.address.hex()
    stage.write("AssociatedUidsByEvmAddress", 2, text, value=[(5, 40), (3, 20)])
    stage.write("AssociatedEvmAddress", 2, 3, value=(text, 20))
    assert wallet.call("uid-lookup", "uidLookup", 2, wallet.address, 10) == ((3, 20), (5, 40))
    assert wallet.call("uid-lookup", "uidLookup", 2, wallet.address, 1) == ((3, 20),)
    exists, address, block = wallet.call("uid-lookup", "getAssociatedEvmAddress", 2, 3)
    assert (exists, address, block) == (True, text, 20)
    assert wallet.call("uid-lookup", "getAssociatedEvmAddress", 2, 9)[0] is False


def test_the_clock_and_the_constants_are_the_runtimes(stage: Stage, wallet: Wallet) -> None:
    assert wallet.call("timestamp", "getTimestamp") == stage.ledger.now_ms
    stage.ledger.phase = {"ApplyExtrinsic": 1}
    assert wallet.call("timestamp", "wasUpdatedThisBlock") is True
    deposit, *_ = wallet.call("runtime-configuration", "getBalancesConstants")
    assert deposit == balances.EXISTENTIAL_DEPOSIT * WEI_PER_RAO
    tempo = wallet.call("runtime-configuration", "getSubtensorSubnetConstants")[0]
    assert tempo == stage.ledger.codec.constant("SubtensorModule", "InitialTempo")
    pallet, burn = wallet.call("runtime-configuration", "getSubtensorSystemAccounts")
    assert pallet == b"modlsubtensr".ljust(32, b"\0")
    assert burn == b"modlburntnsr".ljust(32, b"\0")
    chain_id = stage.ledger.get("EVMChainId", "ChainId")
    assert wallet.call("runtime-configuration", "getEvmChainId") == chain_id


def test_what_no_pallet_answers_is_filtered_as_a_call_and_missing_as_a_read(wallet: Wallet) -> None:
    with pytest.raises(Refused, match=r"^dispatch execution failed: CallFiltered$"):
        wallet.call("crowdloan", "contribute", 0, TAO)
    with pytest.raises(Refused, match=r"^dispatch execution failed: CallFiltered$"):
        wallet.call("leasing", "createLeaseCrowdloan", 1, 1, 1, 1, 5, False, 0)  # noqa: FBT003 - an ABI argument
    with pytest.raises(Refused, match=r"^dispatch execution failed: CallFiltered$"):
        wallet.call("staking-v2", "addProxy", public_key(BOB))
    with pytest.raises(Refused, match="Invalid proxy type"):
        wallet.call("proxy", "addProxy", public_key(BOB), 99, 0)
    with pytest.raises(Refused, match="Crowdloan not found"):
        wallet.call("crowdloan", "getCrowdloan", 0)
    with pytest.raises(Refused, match="Lease not found"):
        wallet.call("leasing", "getLease", 0)
    assert wallet.call("proxy", "getProxies", wallet.key) == ()
    assert wallet.call("drand", "getPulse", 42) == (False, 42, b"", b"")
    assert wallet.call("drand", "getBeaconConfig")[1] == 3
    assert wallet.call("scheduler", "getScheduledCallCount", 10) == 0


def test_voting_power_is_not_tracked(wallet: Wallet) -> None:
    assert wallet.call("voting-power", "getTotalVotingPower", 2) == 0
    assert wallet.call("voting-power", "isVotingPowerTrackingEnabled", 2) is False
    with pytest.raises(Refused, match="CallFiltered"):
        wallet.call("voting-power", "enableVotingPowerTracking", 2)


def test_every_switch_is_one_that_the_runtime_has(stage: Stage) -> None:
    kind = stage.ledger.codec.item("AdminUtils", "PrecompileEnable").key_types[0]
    variants = stage.ledger.codec.type_def(kind)["def"]["variant"]["variants"]
    assert {one.precompile.switch for one in CONTRACTS} == {variant["name"] for variant in variants}
