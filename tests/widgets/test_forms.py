"""Forms on a real network: one purse with the notebook, whatever the page sends and whatever breaks."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bittensor
import pytest

from subnetlab.errors import SubnetLabError
from subnetlab.lab.session import Net, connect
from subnetlab.lab.subnet import Subnet
from subnetlab.units import rao
from subnetlab_widgets import pay_form, stake_form
from subnetlab_widgets.money import SpendForm, forms
from tests.devnet_process import running_devnet

MNEMONIC = "bottom drive obey lake curtain smoke basket hold race lonely fit walk"
HEX_KEY = "0x" + "5e" * 32


@pytest.fixture(scope="module")
def shared_net() -> Iterator[Net]:
    with connect(sealing="instant") as net:
        yield net
        forms.close_all()


@pytest.fixture
def net(shared_net: Net) -> Net:
    shared_net.reset()
    shared_net.budget.set(None)
    shared_net.spent.clear()
    return shared_net


@pytest.fixture
def subnet(net: Net) -> Subnet:
    return net.create_subnet("tiny-lm", wallet="alice")


def click(form: SpendForm) -> threading.Thread:
    thread = form.spend.confirm(form.spend.token)
    assert thread is not None, form.state["note"]
    return thread


def first(form: SpendForm, name: str) -> str:
    """What a field shows when the form is opened."""
    return next(field["value"] for field in form.setup["fields"] if field["name"] == name)


def say(form: SpendForm, content: Any) -> None:
    """What a page sends, as the widget receives it."""
    form._handle_custom_msg(content, [])  # pyright: ignore[reportPrivateUsage]


def eventually(form: SpendForm, holds: Callable[[dict[str, Any]], bool]) -> None:
    """Wait until the form's state is as wished, told by the state itself."""
    come = threading.Event()

    def look(change: dict[str, Any]) -> None:
        if holds(change["new"]):
            come.set()

    form.observe(look, "state")
    if not holds(form.state):
        assert come.wait(300), form.state
    form.unobserve(look, "state")


def test_a_payment_by_form_moves_what_it_previewed_and_is_the_notebooks_own(net: Net) -> None:
    net.budget.set(tao=5)
    before, form = net.balance("bob"), pay_form(net, to="bob")
    form.spend.look({"amount": "0.5", "target": "bob"})
    assert form.state["preview"]["money"] == "0.5 play τ"
    assert net.balance("bob") == before
    thread = click(form)
    assert form.spend.confirm(form.spend.token) is None
    thread.join()
    assert form.state["step"] == "finalised", form.state["note"]
    assert net.balance("bob") == before + bittensor.tao("0.5")
    assert [(note.what, note.amount_rao, note.tx) for note in net.spent] == [
        ("pay", rao(0.5), form.state["receipt"]["tx"])
    ]
    assert net.budget.spent_rao > rao(0.5)


def test_a_stake_by_form_says_what_it_does_to_the_vote_and_takes_its_steps_in_order(
    net: Net, subnet: Subnet
) -> None:
    net.stake(amount_tao=5, hotkey_ss58=subnet.hotkey(0), netuid=subnet.netuid, wallet="alice")
    net.seal(20)
    form, seen = stake_form(net, netuid=subnet.netuid), []
    form.observe(lambda change: seen.append((change["new"]["step"], change["new"]["stage"])), "state")
    form.spend.look({"amount": "10", "target": first(form, "target")})
    preview = form.state["preview"]
    assert [fact["name"] for fact in preview["facts"]] == [
        "You receive", "Slippage", "Fee", "Balance", "Budget left",
    ]  # fmt: skip
    assert preview["vote"]["before"] == preview["vote"]["after"] == 100
    click(form).join()
    assert seen == [
        ("previewed", None), ("sending", None), ("sending", "signed"), ("sending", "in a block"),
        ("finalised", "in a block"),
    ]  # fmt: skip
    assert preview["done"] == "10 play τ staked to uid 0"
    assert net.spent[-1].what == "stake"


def test_a_stake_that_moves_the_price_by_itself_goes_through_as_previewed(net: Net, subnet: Subnet) -> None:
    form = stake_form(net, netuid=subnet.netuid)
    form.spend.look({"amount": "200", "target": first(form, "target")})
    facts = {fact["name"]: fact["value"] for fact in form.state["preview"]["facts"]}
    assert float(facts["Slippage"].split("\u2009")[0]) > 5
    click(form).join()
    assert form.state["step"] == "finalised", form.state["note"]
    held = net.holdings("alice").positions[0].alpha_rao
    assert f"{held / 10**9:,.3f} α" == facts["You receive"]


def test_two_forms_at_once_never_spend_more_than_the_one_budget(net: Net) -> None:
    net.budget.set(tao=1)
    pair = [pay_form(net, to="bob"), pay_form(net, to="bob", wallet="charlie")]
    for form in pair:
        form.spend.look({"amount": "0.7", "target": "bob"})
    before = net.balance("bob")
    for thread in [click(form) for form in pair]:
        thread.join()
    assert sorted(form.state["step"] for form in pair) == ["failed", "finalised"]
    assert net.balance("bob") == before + bittensor.tao("0.7")
    assert len(net.spent) == 1


def test_what_another_form_spent_is_seen_at_once(net: Net) -> None:
    net.budget.set(tao=2)
    first, second = pay_form(net, to="bob"), pay_form(net, to="bob")
    for form in (first, second):
        form.spend.look({"amount": "1.5", "target": "bob"})
    click(first).join()
    eventually(second, lambda state: state["step"] == "editing")
    marked = [fact["name"] for fact in second.state["preview"]["facts"] if fact["bad"]]
    assert marked == ["Budget left"]


@pytest.mark.parametrize(
    "amount", ["", "0", "-1", "nan", "1e30", "1e999999999", "0.0000000001", "ten", "9" * 500]
)
def test_a_bad_amount_is_said_and_cannot_be_sent(net: Net, amount: str) -> None:
    form = pay_form(net, to="bob")
    form.spend.look({"amount": amount, "target": "bob"})
    assert form.state["step"] == "editing"
    assert form.state["note"]
    assert len(form.state["note"]) < 200
    assert form.spend.confirm(form.spend.token) is None


@pytest.mark.parametrize("target", ["", "nobody", "5nobody", "0x" + "Ab" * 20, "<b>bob</b>", "bob\n"])
def test_a_bad_payee_is_said_and_cannot_be_sent(net: Net, target: str) -> None:
    form = pay_form(net)
    form.spend.look({"amount": "1", "target": target})
    if target.strip() != "bob":
        assert form.state["step"] == "editing"
        assert form.spend.confirm(form.spend.token) is None


@pytest.mark.parametrize("secret", [MNEMONIC, HEX_KEY, MNEMONIC.upper(), f'{{"secretPhrase": "{MNEMONIC}"}}'])
@pytest.mark.parametrize("field", ["amount", "target"])
def test_a_secret_in_any_field_is_refused_forgotten_and_never_repeated(
    net: Net, secret: str, field: str
) -> None:
    form = pay_form(net)
    for other in ("1", ""):
        form.spend.look({"amount": other, "target": other} | {field: secret})
        assert form.state["forget"]
    kept = str(form.get_state()) + str(vars(form.spend)) + form._drawn() + form._said()
    assert "drive obey" not in kept.lower()
    assert "5e" * 32 not in kept


def test_a_secret_where_a_form_is_opened_opens_none(net: Net) -> None:
    for options in ({"to": MNEMONIC}, {"wallet": MNEMONIC}, {"amount_tao": MNEMONIC}):
        with pytest.raises(SubnetLabError) as caught:
            pay_form(net, **options)
        assert "bottom" not in str(caught.value)


def test_more_than_the_balance_or_the_budget_is_a_marked_line(net: Net) -> None:
    form = pay_form(net, wallet="dave")
    form.spend.look({"amount": "2000000", "target": "bob"})
    assert [fact["name"] for fact in form.state["preview"]["facts"] if fact["bad"]] == ["Balance"]
    net.budget.set(1)
    form.spend.look({"amount": "2", "target": "bob"})
    assert [fact["name"] for fact in form.state["preview"]["facts"] if fact["bad"]] == ["Budget left"]
    assert form.spend.confirm(form.spend.token) is None


def test_thousands_of_malformed_messages_do_nothing(net: Net) -> None:
    form, threads, block = pay_form(net, to="bob"), threading.active_count(), net.block
    nonsense: list[Any] = [
        None, [], "look", 7, {}, {"k": None}, {"k": "confirm"}, {"k": "confirm", "token": "0"},
        {"k": "confirm", "token": True}, {"k": "confirm", "token": 10**30}, {"k": "look"},
        {"k": "look", "fields": {"amount": 5}}, {"k": "look", "fields": {"target": "b" * 10**5}},
        {"k": "look", "fields": {"amount": {"$": 1}, "target": None}}, {"k": "sudo"}, {"k": ["look"]},
        {"k": "look", "fields": {"amount": "1", "tolerance": "1"}}, {"k": "look", "fields": ["amount"]},
        {"k": "password"}, {"k": "password", "id": "", "text": "x"}, {"k": "password", "id": None, "text": 3},
    ]  # fmt: skip
    for _ in range(200):
        for content in nonsense:
            say(form, content)
    for amount in range(2000):
        say(form, {"k": "look", "fields": {"amount": str(amount), "target": "bob"}})
        say(form, {"k": "confirm", "token": -amount})
    assert threading.active_count() <= threads + 1
    eventually(form, lambda state: (state["preview"] or {}).get("money") == "1999 play τ")
    assert net.block == block
    assert net.spent == []


def test_a_form_on_a_closed_network_says_so(tmp_path: Path) -> None:
    with connect(sealing="instant") as net:
        form = pay_form(net, to="bob")
    form.spend.look({"amount": "1", "target": "bob"})
    assert "was closed" in form.state["note"]
    assert form.spend.confirm(form.spend.token) is None


@pytest.mark.parametrize("end", ["kill", "terminate", "close"])
def test_a_node_that_dies_in_mid_click_leaves_the_outcome_unknown(tmp_path: Path, end: str) -> None:
    with running_devnet(tmp_path, "--manual") as node, connect(node.endpoint) as net:
        form = pay_form(net, to="bob")
        form.spend.look({"amount": "1", "target": "bob"})
        thread = click(form)
        eventually(form, lambda state: state["stage"] == "signed")
        getattr(net if end == "close" else node.process, end)()
        thread.join(300)
        assert form.state["step"] == "unknown", form.state["note"]
        assert "may or may not" in form.state["note"]
        form.spend.look({"amount": "1", "target": "bob"})
        assert form.spend.confirm(form.spend.token) is None


def test_no_more_than_so_many_forms_stay_open(net: Net) -> None:
    opened = [pay_form(net, to="bob") for _ in range(forms.MOST + 3)]
    assert len(forms._OPEN) == forms.MOST
    assert opened[0].comm is None
    assert opened[-1].comm is not None


def test_a_form_is_filled_with_any_amount(net: Net) -> None:
    for amount, written in ((net.balance("bob") / 4, "250000"), (0.1 + 0.2, "0.3"), ("0.5 TAO", "0.5 TAO")):
        form = pay_form(net, to="bob", amount_tao=amount)
        assert first(form, "amount") == written
        eventually(form, lambda state: state["step"] == "previewed")


def test_a_payment_to_an_address_of_the_evm_shows_the_address_and_where_the_money_lies(net: Net) -> None:
    wallet = net.evm_wallet("bob")
    form = pay_form(net, to=wallet.address.lower())
    form.spend.look({"amount": "1", "target": wallet.address.lower()})
    facts = {fact["name"]: fact["value"] for fact in form.state["preview"]["facts"]}
    assert (facts["To"], facts["On its mirror"]) == (wallet.address, wallet.mirror)
    thread = form.spend.confirm(form.spend.token)
    assert thread is not None
    thread.join()
    assert form.state["step"] == "finalised"
    assert net.balance(wallet).rao == 10**9
