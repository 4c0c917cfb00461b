"""Money is moved, kept above the deposit, and never made or lost on the way."""

import pytest
from bittensor_core import Keypair
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.sdk.devnet.pallets.test_utility import decoded

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import ROOT, DispatchError, Origin
from subnetlab.devnet.node.node import Node
from subnetlab.devnet.pallets import balances
from subnetlab.devnet.pallets.balances import EXISTENTIAL_DEPOSIT

WHO = [Keypair.from_uri(f"//{name}").ss58_address for name in ("Dave", "Eve", "New", "Newer")]


def total(ledger: Ledger) -> int:
    return sum(int(account["data"]["free"]) for _, account in ledger.items("System", "Account"))


MOVES = st.tuples(
    st.sampled_from(WHO), st.sampled_from(WHO),
    st.one_of(st.integers(0, 3 * EXISTENTIAL_DEPOSIT), st.integers(0, 3 * 10**12)), st.booleans(),
)  # fmt: skip


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(MOVES, max_size=12))
def test_issuance_is_the_sum_of_balances(node: Node, moves: list[tuple[str, str, int, bool]]) -> None:
    ledger = node.ledger
    offset = int(ledger.get("Balances", "TotalIssuance")) - total(ledger)
    for source, dest, amount, keep_alive in moves:
        try:
            with ledger.transaction():
                balances.transfer(ledger, source, dest, amount, keep_alive=keep_alive)
        except DispatchError:
            continue
    assert int(ledger.get("Balances", "TotalIssuance")) - total(ledger) == offset
    for who in WHO:
        assert balances.free(ledger, who) == 0 or balances.free(ledger, who) >= EXISTENTIAL_DEPOSIT


def test_a_sender_is_kept_alive(node: Node) -> None:
    rao = balances.free(node.ledger, WHO[0])
    with pytest.raises(DispatchError, match=r"Token\.NotExpendable"):
        balances.transfer(node.ledger, WHO[0], WHO[1], rao - EXISTENTIAL_DEPOSIT + 1, keep_alive=True)
    balances.transfer(node.ledger, WHO[0], WHO[1], rao - EXISTENTIAL_DEPOSIT, keep_alive=True)


def test_a_new_account_needs_the_deposit(node: Node) -> None:
    with pytest.raises(DispatchError, match=r"Token\.BelowMinimum"):
        balances.transfer(node.ledger, WHO[0], WHO[2], EXISTENTIAL_DEPOSIT - 1, keep_alive=True)


def test_dust_is_lost_with_its_account_and_counted_out(node: Node) -> None:
    ledger = node.ledger
    rao, issued = balances.free(ledger, WHO[0]), int(ledger.get("Balances", "TotalIssuance"))
    balances.transfer(ledger, WHO[0], WHO[1], rao - 7, keep_alive=False)
    assert balances.free(ledger, WHO[0]) == 0
    assert int(ledger.get("Balances", "TotalIssuance")) == issued - 7
    names = [next(iter(pallet)) for e in ledger.events for pallet in e["event"].values()]
    assert names == ["DustLost", "KilledAccount", "Transfer"]


def test_paying_oneself_changes_nothing_but_needs_the_money(node: Node) -> None:
    rao = balances.free(node.ledger, WHO[0])
    balances.transfer(node.ledger, WHO[0], WHO[0], rao, keep_alive=True)
    assert balances.free(node.ledger, WHO[0]) == rao
    with pytest.raises(DispatchError, match=r"Token\.FundsUnavailable"):
        balances.transfer(node.ledger, WHO[0], WHO[0], rao + 1, keep_alive=True)


def test_burning_takes_it_out_of_the_issuance(node: Node) -> None:
    issued = int(node.ledger.get("Balances", "TotalIssuance"))
    call = decoded(node, "Balances", "burn", value=5, keep_alive=True)
    node.ledger.dispatch(Origin(account=WHO[0]), call)
    assert int(node.ledger.get("Balances", "TotalIssuance")) == issued - 5


def test_only_root_sets_balances(node: Node) -> None:
    ledger = node.ledger
    call = decoded(node, "Balances", "force_set_balance", who=WHO[2], new_free=10**9)
    with pytest.raises(DispatchError, match="BadOrigin"):
        ledger.dispatch(Origin(account=WHO[0]), call)
    offset = int(ledger.get("Balances", "TotalIssuance")) - total(ledger)
    ledger.dispatch(ROOT, call)
    assert balances.free(ledger, WHO[2]) == 10**9
    ledger.dispatch(ROOT, decoded(node, "Balances", "force_set_balance", who=WHO[2], new_free=1))
    assert balances.free(ledger, WHO[2]) == 0
    assert int(ledger.get("Balances", "TotalIssuance")) - total(ledger) == offset


def test_root_moves_anybodys_money(node: Node) -> None:
    before = balances.free(node.ledger, WHO[1])
    node.ledger.dispatch(
        ROOT, decoded(node, "Balances", "force_transfer", source=WHO[0], dest=WHO[1], value=9)
    )
    assert balances.free(node.ledger, WHO[1]) == before + 9
