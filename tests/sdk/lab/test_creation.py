"""Creating a subnet: refused before the payment, carried through an interrupt, continued after a failure."""

import _thread
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest

from subnetlab.errors import (
    ChainRejected,
    InsufficientBalance,
    InvalidSubnetName,
    NotConfirmed,
    SubnetIncomplete,
)
from subnetlab.lab import creation, preset
from subnetlab.lab.carry import carried_through
from subnetlab.lab.session import Net
from subnetlab.lab.subnet import _slug
from subnetlab.network.confirm import Always, Recorded, Spend


@pytest.fixture(autouse=True)
def _interrupts_arrive() -> Generator[None]:
    """A shell that starts the tests in its background has them ignore interrupts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    "name",
    [
        "x" * 257,
        "漢" * 86,
        "",
        "   ",
        "a\nb",
        "a\x00b",
        "\u202eevil",
        "\ud800",
        "\x1b]0;x\x07",
        "0xab",
        None,
        7,
    ],
)
def test_a_name_the_chain_or_a_page_cannot_take_costs_nothing(net: Net, name: Any) -> None:
    before = (net.block, net.balance("alice"), net._client.subnets())
    with pytest.raises(InvalidSubnetName):
        net.create_subnet(name)
    assert (net.block, net.balance("alice"), net._client.subnets()) == before


@pytest.mark.parametrize("name", ["漢" * 85, "räum 100% #1/a%20b", "👩‍💻 lab", "a/../../b"])
def test_every_other_name_is_kept_and_makes_a_folder(net: Net, name: str) -> None:
    subnet = net.create_subnet(name)
    assert net.subnet(subnet.netuid).name == name
    assert len(f"{_slug(name)}-abcd".encode()) <= 80
    assert "/" not in _slug(name)


def test_whoever_cannot_pay_all_of_it_pays_nothing(net: Net) -> None:
    price = int(net.client.read("subnet_registration_cost").rao)
    net._client.pay(amount_tao=1, to=net.address(net.wallet("bob")), wallet="alice")
    left = price + 1_000_000  # the price, and not the fees of the steps behind it
    surplus = int(net._client.balance(net.wallet("bob"))) - left
    net._client.pay(amount_tao=f"{surplus / 10**9:.9f}", to=net.address(net.wallet("alice")), wallet="bob")
    before = (net.block, net.balance("bob"), net._client.subnets())
    with pytest.raises(InsufficientBalance, match="A subnet costs"):
        net.create_subnet("poor", wallet="bob")
    assert (net.block, net.balance("bob"), net._client.subnets()) == before


def test_a_step_that_fails_names_the_subnet_and_the_next_call_finishes_it(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = net._client.subnets()

    def refused(*_: object) -> None:
        raise ChainRejected("The chain refused it.")

    monkeypatch.setattr(preset, "subnet_rules", refused)
    with pytest.raises(SubnetIncomplete) as caught:
        net.create_subnet("halfway")
    netuid = caught.value.netuid
    assert str(netuid) in str(caught.value)
    assert "net.create_subnet('halfway') goes on" in str(caught.value)
    assert net.subnet(netuid).name == "halfway"
    monkeypatch.undo()
    before = net.balance("alice")
    assert net.create_subnet("halfway").netuid == netuid
    assert (before - net.balance("alice")).rao < 10_000_000, "it was paid for again"
    assert len(net._client.subnets()) == len(known) + 1
    assert net.create_subnet("halfway").netuid != netuid, "a finished subnet is no unfinished one"


@contextmanager
def _interrupted_inside(monkeypatch: pytest.MonkeyPatch, where: Any, name: str) -> Generator[None]:
    """Interrupt the main thread when a step begins, and let the step go on once that was delivered."""
    real, delivered = getattr(where, name), threading.Event()

    def step(*arguments: Any, **named: Any) -> Any:
        if not delivered.is_set():
            delivered.set()
            _thread.interrupt_main()
        return real(*arguments, **named)

    monkeypatch.setattr(where, name, step)
    yield
    assert delivered.is_set()
    monkeypatch.undo()


def test_an_interrupt_after_the_payment_is_raised_once_the_subnet_is_whole(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, sealing = net._client.subnets(), net._client.dev.info()["sealing"]
    with (
        _interrupted_inside(monkeypatch, creation, "_finished"),
        pytest.raises(KeyboardInterrupt) as caught,
    ):
        net.create_subnet("cut")
    (netuid,) = set(net._client.subnets()) - set(known)
    assert f"net.subnet({netuid})" in str(caught.value)
    assert net.subnet(netuid).name == "cut"
    assert net.client.query(("SubtensorModule", "FirstEmissionBlockNumber"), [netuid])
    assert net._client.dev.info()["sealing"] == sealing


def test_an_interrupt_before_the_payment_pays_nothing(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    known = net._client.subnets()
    real = creation._price

    def slow(*arguments: Any) -> int:
        waiting = threading.Event()
        _thread.interrupt_main()
        waiting.wait(1)  # until the main thread has taken it
        return real(*arguments)

    monkeypatch.setattr(creation, "_price", slow)
    with pytest.raises(KeyboardInterrupt):
        net.create_subnet("never")
    assert net._client.subnets() == known


def test_questions_are_asked_in_the_thread_that_waits() -> None:
    threads: list[threading.Thread] = []

    class Watching(Always):
        def ask(self, spend: Spend) -> bool:
            threads.append(threading.current_thread())
            return super().ask(spend)

    spend = Spend(summary="x", network="n", wallet="w", amount_rao=1, fee_rao=0, real=False)
    assert carried_through(lambda confirm: confirm.ask(spend), Watching())
    assert threads == [threading.current_thread()]
    assert not carried_through(lambda confirm: confirm.ask(spend), Recorded([False]))


def test_a_no_is_a_no(net: Net) -> None:
    from subnetlab.network.client import NetworkClient

    client = NetworkClient(net.endpoint, confirm=Recorded([False]))
    other = Net(client)
    known = net._client.subnets()
    with pytest.raises(NotConfirmed):
        other.create_subnet("no")
    assert net._client.subnets() == known
    other.close()
