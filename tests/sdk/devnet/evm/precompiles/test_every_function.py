"""Every function answers in its ABI's types or refuses in words, and the books still add up."""

from typing import Any

import pytest
from bittensor.evm.precompiles import PRECOMPILES, decode_result
from eth_abi.tools._strategies import get_abi_strategy
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sdk.devnet.evm.precompiles.wallet import Refused, Wallet, public_key
from tests.sdk.devnet.pallets.stage import BOB, OWNER_HOTKEY, TAO, Stage, key

from subnetlab.devnet.evm.abi import Contract, Function, contracts
from subnetlab.devnet.evm.precompiles.engine import CONTRACTS
from subnetlab.devnet.pallets import balances

NEWER = {
    "getNullConsensusLimits",
    "getNullPruningBatchSize",
    "getNullPruningState",
    "getSavedYumaValidatorLimit",
    "setEpochConsensus",
    "trimNullUidsBatch",
}
"""Functions of SDK 11.3 whose storage and calls the recorded runtime does not have."""
KEYS = st.sampled_from([public_key(one) for one in (OWNER_HOTKEY, BOB, key("//miner"), key("//stranger"))])
EVERY = [(contract, function) for contract in contracts().values() for function in contract.functions]


@pytest.fixture(scope="module")
def wallet() -> Wallet:
    """The owner of a subnet that is in use."""
    stage = Stage()
    stage.write("AdminFreezeWindow", value=0)
    wallet = Wallet(stage)
    netuid = stage.subnet(wallet.account)
    stage.register(netuid, (BOB, key("//miner")))
    stage.stake(wallet.account, OWNER_HOTKEY, netuid, 20 * TAO)
    stage.stake(wallet.account, OWNER_HOTKEY, 0, 20 * TAO)
    stage.until_epoch(netuid)
    stage.ledger.phase = {"ApplyExtrinsic": 1}
    return wallet


def plausible(kind: str, name: str) -> st.SearchStrategy[Any]:
    """Values that get past the first check now and then."""
    if kind == "bytes32":
        return KEYS
    if kind != "bool" and name.lower().endswith("netuid"):
        return st.sampled_from([0, 2, 2, 2, 9])
    if name == "uid":
        return st.sampled_from([0, 1, 2, 65_535])
    if kind in ("uint64", "uint256"):
        return st.sampled_from([0, 1, 500, TAO, 3 * TAO, 2**64 - 1])
    return get_abi_strategy(kind)


def books(ledger: Any) -> int:
    return sum(int(account["data"]["free"]) for _, account in ledger.items("System", "Account"))


@pytest.mark.parametrize(("contract", "function"), EVERY, ids=lambda one: getattr(one, "name", ""))
def test_a_function_answers_or_refuses(wallet: Wallet, contract: Contract, function: Function) -> None:
    (described,) = (
        entry
        for entry in PRECOMPILES[contract.name].functions()
        if entry["name"] == function.name and len(entry["inputs"]) == len(function.inputs)
    )
    ledger = wallet.stage.ledger

    @given(st.tuples(*(plausible(*pair) for pair in zip(function.inputs, function.names, strict=True))))
    @settings(max_examples=6, deadline=None, database=None)
    def attempt(values: tuple[Any, ...]) -> None:
        mark = ledger.begin()
        answer = asked(wallet, contract.address, function.call_data(values))
        if isinstance(answer, str):
            assert (answer == "Unknown selector") is (function.name in NEWER)
        else:
            assert len(decode_result(described, answer)) == len(function.outputs)
            assert books(ledger) == balances.issuance(ledger)
        ledger.rollback(mark)

    attempt()


def asked(wallet: Wallet, address: bytes, data: bytes) -> bytes | str:
    """The answer, or the words of the refusal."""
    try:
        return wallet.raw(address, data)
    except Refused as refusal:
        return str(refusal)


def test_every_function_of_the_runtime_has_a_body() -> None:
    without = {
        function.name
        for contract in CONTRACTS
        for function in contract.interface.functions
        if function.selector not in contract.bodies
    }
    assert without == NEWER


def test_every_body_is_of_a_function() -> None:
    for contract in CONTRACTS:
        known = {name for one in contract.interface.functions for name in (one.name, one.signature)}
        assert set(contract.precompile.bodies) <= known
