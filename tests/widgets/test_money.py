"""Money by form: nothing goes out before the click, and one click is one spend, whoever clicks how often."""

import threading
from typing import Any

import pytest

from subnetlab.errors import NodeUnreachable, OverBudget, SecretRefused
from subnetlab.network.receipt import Receipt
from subnetlab.units import rao
from subnetlab_widgets.heartbeat import Heartbeat
from subnetlab_widgets.money.latest import Latest
from subnetlab_widgets.money.plain import plain_html, words
from subnetlab_widgets.money.preview import Preview
from subnetlab_widgets.money.spend import Clicked, OneSpend

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


def finished(sender: Sender) -> OneSpend:
    """A spend that was clicked once and has come to its end."""
    spend = spend_of(sender)
    spend.look(FIELDS)
    thread = spend.confirm(spend.token)
    assert thread is not None
    thread.join()
    return spend


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


def test_after_an_unknown_end_the_form_sends_nothing_more() -> None:
    sender = Sender(NodeUnreachable("gone"))
    sender.let_go.set()
    spend = finished(sender)
    spend.look(FIELDS)
    assert spend.confirm(spend.token) is None
    assert len(sender.sent) == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bug_on_the_way_is_no_proof_that_nothing_was_sent() -> None:
    sender = Sender(ZeroDivisionError())
    sender.let_go.set()
    assert finished(sender).step == "unknown"


def test_what_was_refused_can_be_put_right_and_sent() -> None:
    sender = Sender(OverBudget("too much"))
    sender.let_go.set()
    spend = finished(sender)
    assert (spend.step, spend.state()["note"][:8]) == ("failed", "too much")
    sender.error = None
    spend.look(FIELDS)
    thread = spend.confirm(spend.token)
    assert thread is not None
    thread.join()
    assert spend.step == "finalised"


def test_a_pasted_secret_is_neither_kept_nor_shown() -> None:
    secret = "bottom drive obey lake curtain smoke basket hold race lonely fit walk"

    def refuse(_fields: dict[str, str]) -> Preview:
        raise SecretRefused("That looks like a mnemonic.")

    spend = OneSpend(preview=refuse, send=Sender(), clicked=Clicked(), changed=lambda _state: None)
    spend.look({"amount": "1", "target": secret})
    assert spend.step == "editing"
    assert "bottom" not in str(spend.state())
    assert "bottom" not in str(vars(spend))


def test_a_flood_of_wishes_is_one_thread_and_the_newest_wish() -> None:
    done: list[int] = []
    begun, let_go = threading.Event(), threading.Event()

    def work(wish: int) -> None:
        done.append(wish)
        begun.set()
        let_go.wait(10)

    latest = Latest(work, name="flooded")
    latest.put(0)
    assert begun.wait(10)
    for wish in range(1, 5001):
        latest.put(wish)
    workers = [thread for thread in threading.enumerate() if thread.name == "flooded"]
    let_go.set()
    for worker in workers:
        worker.join(10)
    assert len(workers) == 1
    assert done == [0, 5000]


def test_a_heartbeat_beats_for_all_and_ends_with_the_last() -> None:
    heartbeat, beaten = Heartbeat(every_s=0.01), threading.Semaphore(0)
    for key in range(3):
        heartbeat.join(key, beaten.release)
    assert all(beaten.acquire(timeout=10) for _ in range(9))
    threads = [thread for thread in threading.enumerate() if thread.name == "subnetlab-heartbeat"]
    for key in range(3):
        heartbeat.leave(key)
    for thread in threads:
        thread.join(10)
    assert len(threads) == 1
    assert not threads[0].is_alive()


SETUP = {"title": "Pay", "network": "devnet", "real": False, "written": "%sl pay 0.5 bob"}


def state(step: str, **more: Any) -> dict[str, Any]:
    preview = {"money": "0.5 play τ", "button": "Pay 0.5 play τ", "done": "0.5 play τ paid to bob"}
    return {"step": step, "note": "", "preview": preview, "receipt": None, **more}


def test_the_plain_text_says_what_the_form_was_last() -> None:
    assert words(SETUP, state("editing")).endswith(
        "nothing had been sent so far. Without a form: %sl pay 0.5 bob"
    )
    assert "0.5 play τ sent, the block is not known yet" in words(SETUP, state("sending"))
    assert "0.5 play τ: it may or may not" in words(SETUP, state("unknown", note="it may or may not"))
    final = state("finalised", receipt={"block": 7, "tx": "0xabcdef0123456789"})
    assert words(SETUP, final) == (
        "Finalised: 0.5 play τ paid to bob (block 7, 0xabcdef0123456789; play money, devnet)"
    )
    assert "REAL TAO, finney" in plain_html({**SETUP, "real": True, "network": "finney"}, final)


def test_the_plain_html_escapes_what_the_chain_says() -> None:
    assert "<script" not in plain_html(SETUP, state("failed", note="<script>alert(1)</script>"))
