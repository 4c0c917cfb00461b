"""Forms of both halves on a real network: unstake, move, pay from the EVM, and the life of a job."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from subnetlab.errors import KeyLocked, OverBudget, PasswordWrong
from subnetlab.lab.session import Net, connect
from subnetlab.lab.subnet import Subnet, network_client
from subnetlab.network.evm.wallet import EvmWallet
from subnetlab.network.keyring import KEYRING, LockedKey
from subnetlab_widgets import job_form, move_form, pay_form, stake_form, unstake_form
from subnetlab_widgets.money import SpendForm, forms
from tests.widgets.test_forms import click, eventually, first, say

TAO = 10**9


@pytest.fixture(scope="module")
def net() -> Iterator[Net]:
    with connect(sealing="instant") as net:
        net.fund_evm(amount_tao=50, to="alice", wallet="alice")
        net.fund_evm(amount_tao=1, to="bob", wallet="alice")
        net.fund_evm(amount_tao=1, to="charlie", wallet="alice")
        yield net
        forms.close_all()


@pytest.fixture(scope="module")
def subnet(net: Net) -> Subnet:
    subnet = net.create_subnet("tiny-lm", wallet="alice")
    network_client(net).burned_register(subnet.netuid, "bob")
    net.stake(amount_tao=20, hotkey_ss58=subnet.hotkey(0), netuid=subnet.netuid, wallet="alice")
    return subnet


def look(form: SpendForm, **typed: str) -> dict[str, str]:
    """Type into a form; its lines by name, those that fail with a mark."""
    form.spend.look({field["name"]: field["value"] for field in form.setup["fields"]} | typed)
    facts = (form.state["preview"] or {}).get("facts", ())
    return {fact["name"] + ("!" if fact["bad"] else ""): fact["then"] or fact["value"] for fact in facts}


def done(form: SpendForm) -> dict[str, Any]:
    """Click, and wait for the end; what it says."""
    click(form).join()
    assert form.state["step"] == "finalised", form.state["note"]
    state: dict[str, Any] = form.state
    return state


def test_stake_moves_to_another_hotkey_and_comes_back(net: Net, subnet: Subnet) -> None:
    bob = net.wallet("bob").hotkey.ss58_address
    form = move_form(net, netuid=subnet.netuid)
    assert first(form, "target") == subnet.hotkey(0)
    told = look(form, amount="5", to=bob)
    assert told["Exchanged"] == "nothing: the same subnet"
    assert form.state["preview"]["button"] == "Move 5 α"
    assert "5 α moved to" in done(form)["preview"]["done"]
    held = {p.hotkey: p.alpha_rao for p in net.holdings("alice").positions if p.netuid == subnet.netuid}
    assert held[bob] == 5 * TAO
    back = unstake_form(net, netuid=subnet.netuid)
    before = net.balance("alice").rao
    told = look(back, amount="all", target=bob)
    assert back.state["preview"]["button"] == "Unstake 5 α"
    assert net.balance("alice").rao == before
    done(back)
    after = net.balance("alice").rao
    assert after > before
    assert after / TAO == pytest.approx(float(told["Balance"].split()[0].replace(",", "")), abs=2e-3)
    assert net.spent[-1].what == "unstake"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"to": "5x"}, "is not an address"),
        ({"subnet": "-1"}, "a whole number from 0"),
        ({"subnet": "\u0661"}, "a whole number from 0"),
        ({"amount": "1000000"}, "staked behind"),
        ({"amount": "1,5"}, "1,5"),
        ({"amount": "nan"}, "nan"),
    ],
)
def test_a_move_that_cannot_be_is_said(net: Net, subnet: Subnet, typed: dict[str, str], said: str) -> None:
    form = move_form(net, netuid=subnet.netuid)
    look(form, **({"amount": "1", "to": net.wallet("bob").hotkey.ss58_address} | typed))
    if form.state["step"] == "previewed":
        click(form).join()
        assert form.state["step"] == "failed"
    assert said in form.state["note"]
    same = move_form(net, netuid=subnet.netuid)
    look(same, amount="1", to=first(same, "target"))
    assert "there already" in same.state["note"]


def test_a_payment_of_the_evm_shows_its_gas_and_leaves_what_it_showed(net: Net) -> None:
    key, bob = net.evm_wallet("alice"), net.evm_wallet("bob")
    form = pay_form(net, wallet=key)
    told = look(form, amount="1", target=bob.address.lower())
    assert told["To"] == bob.address
    fee, left = (float(told[name].split()[0].replace(",", "")) for name in ("Fee", "Balance"))
    assert fee > 0
    done(form)
    assert net.balance(key).rao / TAO == pytest.approx(left, abs=2e-3)
    assert "Balance!" in look(pay_form(net, wallet=key), amount="5000", target="bob")


def test_a_job_is_deployed_opened_approved_withdrawn_and_closed_by_form(net: Net) -> None:
    arbiter, miner = net.evm_wallet("bob"), net.evm_wallet("charlie")
    look(deployed := job_form(net))
    address = done(deployed)["note"].split()[-1]
    opened = job_form(net, escrow=address)
    told = look(opened, amount="1", rounds="3", miner="charlie", arbiter="bob")
    assert (told["To the miner"], told["A round"]) == (miner.address, "0.333333333 play τ")
    assert told["Stays with you"].startswith("0.000000001 play τ")
    assert "Job 1 of" in done(opened)["note"]
    approved = job_form(net, escrow=address, wallet=arbiter)
    told = look(approved, action="approve", upto="2")
    assert told["Pays"] == f"0.666666666 play τ to {miner.address}"
    done(approved)
    before, paid = net.balance(miner).rao, job_form(net, escrow=address, wallet=miner)
    assert look(paid, action="withdraw")["You receive"] == "0.666666666 play τ"
    assert done(paid)["receipt"]["block"]
    assert net.balance(miner).rao > before + TAO // 2
    closed = job_form(net, escrow=address, wallet=arbiter)
    assert look(closed, action="close")["Back to the payer"].startswith("0.333333333 play τ")
    done(closed)
    assert "owes nothing to" in noted(job_form(net, escrow=address, wallet=miner), action="withdraw")
    assert "closed" in noted(job_form(net, escrow=address, wallet=arbiter), action="close").lower()
    assert "no job 7" in noted(job_form(net, escrow=address), action="approve", job="7")


def noted(form: SpendForm, **typed: str) -> str:
    """What a form says that cannot be sent."""
    look(form, **typed)
    assert form.state["step"] == "editing"
    return str(form.state["note"])


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"arbiter": "alice"}, "payer cannot be the arbiter"),
        ({"miner": "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"}, "not an address of the EVM"),
        ({"rounds": "0"}, "Rounds is a whole number"),
        ({"rounds": "1e3"}, "Rounds is a whole number"),
        ({"days": "99999999999"}, "Days is a whole number"),
        ({"amount": "0.000000001"}, "less than a rao"),
        ({"action": "sudo"}, "is opened, approved"),
        ({"miner": "bottom drive obey lake curtain smoke basket hold race lonely fit walk"}, "mnemonic"),
    ],
)
def test_a_job_that_cannot_be_is_said(net: Net, typed: dict[str, str], said: str) -> None:
    escrow = noted_escrow(net)
    form = job_form(net, escrow=escrow)
    assert said in noted(form, **({"amount": "1", "miner": "charlie", "arbiter": "bob"} | typed))


def noted_escrow(net: Net) -> str:
    """An escrow of this network, deployed once."""
    found = [spent for spent in net.ledger().to_dicts() if spent["summary"] == "deploy an escrow"]
    contract = net.w3.eth.get_transaction_receipt(found[0]["tx"])["contractAddress"]
    return str(contract)


def locked(net: Net) -> EvmWallet:
    """Alice's key of the EVM behind the password `open`."""
    alice = net.evm_wallet("alice")

    def unlock(password: str) -> Any:
        if password != "open":
            raise PasswordWrong("no")
        return alice.signer()

    def opened() -> Any:
        return KEYRING.open(
            LockedKey(name="the EVM key cold", place="cold", unlock=unlock, variable="X", given=lambda: None)
        )

    return EvmWallet(name="cold", address=alice.address, development=True, _open=opened)


@pytest.fixture
def nobody_else_is_asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    class Refuses:
        @contextmanager
        def asking(self, locked: LockedKey[Any]) -> Generator[Callable[[str], str]]:
            raise KeyLocked("the usual place was asked")
            yield str

    monkeypatch.setattr(KEYRING, "usual", Refuses())
    yield
    KEYRING.lock()


def asked(state: dict[str, Any], note: str = "") -> bool:
    """Whether the form asks for a password and says this of the last one."""
    asks = state["asks"] or {}
    return bool(asks.get("id")) and note in asks["note"]


@pytest.mark.usefixtures("nobody_else_is_asked")
def test_a_locked_key_is_opened_in_the_form_and_its_password_is_kept_nowhere(net: Net) -> None:
    form = pay_form(net, to="bob", wallet=locked(net))
    look(form, amount="0.1", target="bob")
    thread = click(form)
    for typed, note in (("wrong-password", ""), ("open", "4 more may be tried")):
        eventually(form, lambda state, note=note: asked(state, note))
        say(form, {"k": "password", "id": "of another question", "text": "late"})
        say(form, {"k": "password", "id": form.state["asks"]["id"], "text": typed})
    thread.join(300)
    assert form.state["step"] == "finalised", form.state["note"]
    assert form.state["asks"] is None
    assert "wrong-password" not in str(form.get_state()) + str(vars(form.spend)) + str(vars(form.passwords))
    assert KEYRING.lock() == 1
    again = pay_form(net, to="bob", wallet=locked(net))
    look(again, amount="0.1", target="bob")
    thread = click(again)
    eventually(again, asked)
    again.close()
    thread.join(300)
    assert "stays locked" in again.state["note"]


def test_a_budget_of_nothing_freezes_every_form(net: Net, subnet: Subnet) -> None:
    escrow, key = noted_escrow(net), net.evm_wallet("alice")
    net.budget.set(tao=0)
    try:
        bob = net.wallet("bob").hotkey.ss58_address
        for form, typed in (
            (stake_form(net, netuid=subnet.netuid), {"amount": "1"}),
            (unstake_form(net, netuid=subnet.netuid), {"amount": "1"}),
            (move_form(net, netuid=subnet.netuid), {"amount": "1", "to": bob}),
            (pay_form(net, to="bob"), {"amount": "1"}),
            (pay_form(net, to="bob", wallet=key), {"amount": "1"}),
            (job_form(net, escrow=escrow), {"amount": "1", "miner": "bob", "arbiter": "charlie"}),
        ):
            assert "Budget left!" in look(form, **typed), form.setup["title"]
            assert form.spend.confirm(form.spend.token) is None
        for payer in ("alice", key):
            with pytest.raises(OverBudget):
                net.pay(amount_tao=1, to="bob", wallet=payer)
        with pytest.raises(OverBudget, match="is 0"):
            net.unstake(amount_alpha=1, hotkey_ss58=subnet.hotkey(0), netuid=subnet.netuid, wallet="alice")
    finally:
        net.budget.set(tao=None)
