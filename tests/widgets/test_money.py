"""Money by form: nothing goes out before the click, and one click is one spend, whoever clicks how often."""

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from subnetlab.errors import NodeUnreachable, SecretRefused
from subnetlab.network.client import NetworkClient
from subnetlab.network.receipt import Receipt
from subnetlab.units import rao
from subnetlab_widgets.money.form import SpendForm
from subnetlab_widgets.money.preview import Preview, preview_pay
from subnetlab_widgets.money.spend import Clicked, OneSpend
from tests.devnet_process import DevnetProcess, running_devnet

FIELDS = {"amount": "0.5", "target": "bob"}


class Sender:
    """Counts what is sent, and can hold it on its way."""

    def __init__(self, error: Exception | None = None) -> None:
        self.sent: list[dict[str, str]] = []
        self.let_go = threading.Event()
        self.error = error

    def __call__(self, fields: dict[str, str]) -> Receipt:
        self.sent.append(fields)
        self.let_go.wait(10)
        if self.error is not None:
            raise self.error
        return Receipt(tx="0xabc", block=7, fee_rao=1, summary="paid")


def easy(fields: dict[str, str]) -> Preview:
    return Preview(facts=(), vote=None, can=True, note="", amount_rao=rao(fields["amount"]))


def spend_of(sender: Sender) -> OneSpend:
    return OneSpend(preview=easy, send=sender, clicked=Clicked(), changed=lambda _state: None)


def test_a_thousand_clicks_from_many_tabs_send_once() -> None:
    sender = Sender()
    spend = spend_of(sender)
    spend.look(FIELDS)
    started: list[threading.Thread | None] = []
    tabs = [
        threading.Thread(target=lambda: started.extend(spend.confirm(spend.token) for _ in range(50)))
        for _ in range(20)
    ]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    sender.let_go.set()
    going = [thread for thread in started if thread is not None]
    assert len(going) == 1
    going[0].join()
    assert sender.sent == [FIELDS]
    assert spend.step == "finalised"
    assert spend.confirm(spend.token) is None


def test_a_click_on_what_is_no_longer_shown_sends_nothing() -> None:
    sender = Sender()
    spend = spend_of(sender)
    spend.look(FIELDS)
    stale = spend.token
    spend.look(FIELDS | {"amount": "500"})
    assert spend.confirm(stale) is None
    assert sender.sent == []


def test_typing_while_it_is_on_its_way_changes_nothing() -> None:
    sender = Sender()
    spend = spend_of(sender)
    spend.look(FIELDS)
    thread = spend.confirm(spend.token)
    spend.look({"amount": "999", "target": "eve"})
    assert spend.step == "sending"
    sender.let_go.set()
    assert thread is not None
    thread.join()
    assert sender.sent == [FIELDS]


def test_a_broken_connection_is_unknown_and_never_failed() -> None:
    sender = Sender(NodeUnreachable("gone"))
    sender.let_go.set()
    spend = spend_of(sender)
    spend.look(FIELDS)
    thread = spend.confirm(spend.token)
    assert thread is not None
    thread.join()
    assert spend.step == "unknown"
    assert "may or may not" in spend.state()["note"]


def test_a_pasted_secret_is_neither_kept_nor_shown() -> None:
    secret = "bottom drive obey lake curtain smoke basket hold race lonely fit walk"

    def refuse(_fields: dict[str, str]) -> Preview:
        raise SecretRefused("That looks like a mnemonic.")

    spend = OneSpend(preview=refuse, send=Sender(), clicked=Clicked(), changed=lambda _state: None)
    spend.look({"amount": "1", "target": secret})
    assert spend.step == "editing"
    assert "bottom" not in str(spend.state())
    assert "bottom" not in str(vars(spend))


@pytest.fixture
def devnet(tmp_path: Path) -> Iterator[DevnetProcess]:
    with running_devnet(tmp_path, "--instant") as node:
        yield node


@pytest.fixture
def client(devnet: DevnetProcess) -> Iterator[NetworkClient]:
    with closing(NetworkClient(devnet.endpoint, name="devnet")) as client:
        yield client


@pytest.fixture
def form(devnet: DevnetProcess) -> Iterator[SpendForm]:
    with closing(SpendForm.pay(devnet.endpoint, wallet="alice", network="devnet")) as form:
        yield form


def test_a_payment_by_form_moves_what_it_previewed_and_only_once(
    client: NetworkClient, form: SpendForm
) -> None:
    bob = client.wallet("bob")
    before = client.balance(bob)
    form.spend.look({"amount": "0.5", "target": "bob"})
    assert form.state["step"] == "previewed"
    assert client.balance(bob) == before
    thread = form.spend.confirm(form.spend.token)
    assert form.spend.confirm(form.spend.token) is None
    assert thread is not None
    thread.join()
    assert form.state["step"] == "finalised", form.state["note"]
    assert client.balance(bob) == before + rao(0.5)


def test_a_bad_amount_is_said_and_cannot_be_sent(form: SpendForm) -> None:
    for amount in ("", "0", "-1", "nan", "1e30", "0.0000000001", "ten"):
        form.spend.look({"amount": amount, "target": "bob"})
        assert form.state["step"] == "editing", amount
        assert form.state["preview"]["note"], amount
        assert form.spend.confirm(form.spend.token) is None


def test_more_than_the_balance_or_the_budget_is_a_marked_line(client: NetworkClient) -> None:
    too_much = preview_pay(client, "dave", amount="2000", to="bob")
    assert not too_much.can
    assert [fact.name for fact in too_much.facts if fact.bad] == ["Balance"]
    client.budget.set(1)
    over = preview_pay(client, "alice", amount="2", to="bob")
    assert [fact.name for fact in over.facts if fact.bad] == ["Budget left"]
