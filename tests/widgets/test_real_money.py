"""Real money is said wherever money can move, by what the chain says it is and never by its name."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from subnetlab.lab.session import Net, connect
from subnetlab.network.client import NetworkClient
from subnetlab.network.evm.wallet import seat_wallet
from subnetlab.network.wallets import dev_keypair
from subnetlab_widgets import browser_wallet, job_form, ledger_view, pay_form, stake_form
from subnetlab_widgets.money import forms
from tests.widgets.test_forms import click

RLO = "\u202e"


@pytest.fixture(scope="module")
def net() -> Iterator[Net]:
    """A chain that counts as real, under a name that says otherwise."""
    with connect(sealing="instant") as play:
        play.create_subnet("tiny-lm", wallet="alice")
        with Net(NetworkClient(play.endpoint, name=f"devnet{RLO}", real=True)) as net:
            yield net
            forms.close_all()


@pytest.fixture
def alice() -> Any:
    """A wallet that is no development wallet: a key that a person holds."""
    key = dev_keypair("//Alice")
    return SimpleNamespace(coldkey=key, coldkeypub=key, hotkey=dev_keypair("//Alice//hotkey"))


def test_forms_ledger_and_wallet_say_real_tao_and_hide_no_letter(net: Net, alice: Any) -> None:
    key = seat_wallet("//no one's")
    object.__setattr__(key, "development", False)
    shown = [
        pay_form(net, wallet=alice), stake_form(net, netuid=1, wallet=alice), job_form(net, wallet=key),
        ledger_view(net), browser_wallet(net),
    ]  # fmt: skip
    for widget in shown:
        assert widget.setup["real"] is True
        assert widget.setup["network"] == "devnet\ufffd"
        assert "REAL TAO, devnet\ufffd" in widget._drawn()
        widget.close()


def test_a_click_spends_real_money_within_the_budget_alone(net: Net, alice: Any) -> None:
    form = pay_form(net, to="5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty", wallet=alice)
    typed = {"amount": "1", "target": "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"}
    form.spend.look(typed)
    assert [fact["name"] for fact in form.state["preview"]["facts"] if fact["bad"]] == ["Budget left"]
    net.budget.set(tao=2)
    form.spend.look(typed)
    assert form.state["preview"]["button"] == "Spend 1 TAO"
    click(form).join()
    assert form.state["step"] == "finalised", form.state["note"]
    assert "REAL TAO" in form._said()
    again = pay_form(net, to=typed["target"], wallet=alice)
    again.spend.look(typed)
    assert [fact["name"] for fact in again.state["preview"]["facts"] if fact["bad"]] == ["Budget left"]


@pytest.mark.parametrize("name", ["\u0430lice", "al\u200bice", "ALICE\u202e", "\uff15Grwva"])
def test_a_name_that_only_looks_like_one_is_no_payee(net: Net, alice: Any, name: str) -> None:
    net.budget.set(tao=50)
    form = pay_form(net, wallet=alice)
    form.spend.look({"amount": "1", "target": name})
    assert form.state["step"] == "editing"
    assert RLO not in form.state["note"]
