"""The explorer's widget: what pages are told, what they may ask, and what an answer may hold."""

import threading
from dataclasses import replace
from typing import Any, cast

import pytest

from subnetlab.errors import NodeUnreachable, NotOnChain
from subnetlab.lab.explorer import Explorer
from subnetlab.network.explorer.block import Argument, ChainBlock, ChainEvent, EthereumTransaction, Extrinsic
from subnetlab.network.explorer.find import Account, AccountExtrinsic, Found
from subnetlab_widgets.explorer_view.asks import MOST_PAGES, Asks
from subnetlab_widgets.explorer_view.state import MOST_EVENTS, MOST_EXTRINSICS, account_state, block_state
from subnetlab_widgets.explorer_view.widget import KEPT, ExplorerView

SENT = Extrinsic(
    index=1, hash="0x" + "ab" * 32, call="Balances.transfer_keep_alive", signer="5Alice", nonce=3, ok=False,
    error="Funds are unavailable (FundsUnavailable)", fee_rao=166250,
    arguments=(Argument("value", "Balance", 5 * 10**9),), events=(ChainEvent("System.ExtrinsicFailed", {}),),
)  # fmt: skip


def block(number: int, *extrinsics: Extrinsic) -> ChainBlock:
    return ChainBlock(
        number=number, hash=f"0x{number:064x}", parent=f"0x{number - 1:064x}", time_s=60.0 * number,
        extrinsics=extrinsics,
    )  # fmt: skip


class Answering:
    """An explorer whose network is a few blocks."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    def block(self, number: int) -> ChainBlock:
        self.asked.append(number)
        if number > 99:
            raise NotOnChain(f"There is no block {number}; the newest is 99.")
        return block(number, SENT)

    def between(self, first: int, last: int) -> list[ChainBlock]:
        self.asked.append((first, last))
        return [block(number) for number in range(last, first - 1, -1)]

    def find(self, text: str) -> Found:
        self.asked.append(text)
        if text == "away":
            raise NodeUnreachable("Nothing answers.")
        return Found(kind="extrinsic", block=block(7, SENT), index=1)


class Recorded(ExplorerView):
    """Keeps what would go to the page."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.came = threading.Condition()
        self.network = Answering()
        super().__init__({"network": "devnet", "real": False}, cast("Explorer", self.network))

    def send(self, content: Any, buffers: Any = None) -> None:
        with self.came:
            self.sent.append(content)
            self.came.notify_all()

    def hear(self, content: Any) -> None:
        self._handle_custom_msg(content, [])

    def ask(self, content: dict[str, Any], turn: int) -> dict[str, Any]:
        """Ask as a page, and wait for the answer."""
        self.hear({**content, "page": "p", "turn": turn})

        def answers() -> list[dict[str, Any]]:
            return [one for one in self.sent if one.get("turn") == turn]

        with self.came:
            assert self.came.wait_for(lambda: bool(answers()), 300)
            return answers()[0]

    def told(self) -> list[dict[str, Any]]:
        return [content for content in self.sent if content["k"] == "blocks"]


def test_a_page_gets_every_block_first_and_then_what_is_new() -> None:
    widget = Recorded()
    widget.see([block(2), block(1)], fresh=True)
    assert widget.sent == []
    widget.hear({"k": "hello"})
    widget.see([block(3, SENT)], fresh=False)
    first, second = widget.told()
    assert (first["fresh"], [row[0] for row in first["rows"]]) == (True, [1, 2])
    assert (second["fresh"], second["rows"]) == (
        False,
        [[3, block(3).hash, "00:03:00", "transfer_keep_alive", 1, 1, 1]],
    )
    widget.see([block(1)], fresh=True)
    assert (widget.told()[-1]["fresh"], len(widget.told()[-1]["rows"])) == (True, 1)
    widget.close()


def test_a_long_chain_keeps_the_newest_blocks_alone() -> None:
    widget = Recorded()
    for number in range(KEPT + 50):
        widget.see([block(number)], fresh=False)
    widget.hear({"k": "hello"})
    assert [row[0] for row in widget.told()[0]["rows"]] == list(range(50, KEPT + 50))
    widget.close()


def test_open_find_and_older_are_answered_to_the_page_that_asked() -> None:
    widget = Recorded()
    widget.hear({"k": "hello"})
    opened = widget.ask({"k": "open", "number": 5}, 1)
    assert (opened["k"], opened["page"], opened["block"]["number"]) == ("block", "p", 5)
    extrinsic = opened["block"]["extrinsics"][0]
    assert (extrinsic["said"], extrinsic["ok"]) == ("Funds are unavailable (FundsUnavailable)", False)
    assert extrinsic["arguments"] == [["value", "Balance", "5 τ"]]
    found = widget.ask({"k": "find", "text": "0xab"}, 2)
    assert (found["block"]["number"], found["index"]) == (7, 1)
    assert widget.ask({"k": "open", "number": 1000}, 3)["sentence"].startswith("There is no block 1000")
    assert widget.ask({"k": "find", "text": "away"}, 4)["sentence"].startswith("Nothing answers.")
    assert widget.ask({"k": "older", "number": 30}, 5)["k"] == "older"
    assert [row[0] for row in widget.told()[-1]["rows"]] == list(range(6, 30))
    widget.close()


@pytest.mark.parametrize(
    "content",
    [
        None, "open", [], 7, {"k": "open"}, {"k": None}, {"k": ["open"]},
        {"k": "open", "number": "5", "page": "p", "turn": 1},
        {"k": "open", "number": True, "page": "p", "turn": 1},
        {"k": "open", "number": 5.0, "page": "p", "turn": 1},
        {"k": "open", "number": -1, "page": "p", "turn": 1},
        {"k": "open", "number": 2**32, "page": "p", "turn": 1},
        {"k": "open", "number": 5, "page": "p" * 41, "turn": 1},
        {"k": "open", "number": 5, "page": "", "turn": 1},
        {"k": "open", "number": 5, "page": 7, "turn": 1},
        {"k": "open", "number": 5, "page": "p", "turn": "1"},
        {"k": "older", "number": float("nan"), "page": "p", "turn": 1},
        {"k": "find", "text": 5, "page": "p", "turn": 1},
        {"k": "find", "text": "  ", "page": "p", "turn": 1},
        {"k": "find", "page": "p", "turn": 1},
        {"k": "pay", "text": "all", "page": "p", "turn": 1},
        {"k": "ack", "seq": 10**9}, {"k": "ack", "seq": None},
    ],
)  # fmt: skip
def test_what_a_page_may_not_say_asks_nothing(content: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    widget, put = Recorded(), list[object]()
    monkeypatch.setattr(widget._asks, "put", lambda *question: put.append(question))
    widget.hear({"k": "hello"})
    told = list(widget.sent)
    widget.hear(content)
    assert (put, widget.sent) == ([], told)
    widget.hear({"k": "open", "number": 1, "page": "p", "turn": 1})
    assert len(put) == 1
    widget.close()


def test_a_text_of_any_length_is_cut_before_it_is_looked_for() -> None:
    widget = Recorded()
    widget.hear({"k": "hello"})
    widget.ask({"k": "find", "text": "7" * 10**6}, 1)
    assert widget.network.asked[0] == "7" * 201
    widget.close()


def test_a_flood_of_pages_leaves_a_bounded_queue_and_each_page_its_newest_question() -> None:
    begun, go, heard = threading.Event(), threading.Event(), list[int]()
    over = threading.Event()

    def answer(question: dict[str, Any]) -> None:
        heard.append(question["n"])
        begun.set()
        assert go.wait(300)
        if question["n"] == 999:
            over.set()

    asks = Asks(answer)
    asks.put("first", {"n": 0})
    assert begun.wait(300)
    for n in range(100):
        asks.put(f"page {n}", {"n": n})
    asks.put("page 99", {"n": 999})
    go.set()
    assert over.wait(300)
    assert heard == [0, *range(100 - MOST_PAGES, 99), 999]


def test_what_a_page_is_told_is_bounded_whatever_a_block_holds() -> None:
    noisy = replace(
        SENT,
        events=tuple(ChainEvent("A.B", "x" * 10**5) for _ in range(999)),
        error="e" * 10**5,
        arguments=(Argument("data", "Bytes", "\u202e" * 10**5),),
    )
    state = block_state(block(9, *(replace(noisy, index=i) for i in range(999))))
    assert (len(state["extrinsics"]), state["more"]) == (MOST_EXTRINSICS, 999 - MOST_EXTRINSICS)
    first = state["extrinsics"][0]
    assert (len(first["events"]), first["events"][-1]) == (
        MOST_EVENTS + 1,
        [f"and {999 - MOST_EVENTS} more", ""],
    )
    assert len(str(first)) < 60 * 500
    assert "\u202e" not in str(first)


def test_an_ethereum_transaction_and_an_account_have_fields_by_name() -> None:
    inside = EthereumTransaction(
        hash="0x" + "cd" * 32, sender="0xSender", to="0xTo", creates=True, value_wei=5, gas_limit=10**6,
        nonce=1,
        gas_used=21000, gas_price_wei=10**10, logs=2,
    )  # fmt: skip
    sent = replace(SENT, ethereum=inside, ok=True, error="", call="Ethereum.transact")
    said = dict(block_state(block(1, sent))["extrinsics"][0]["fields"])
    assert (said["creates"], said["value"]) == ("0xTo", "5 wei")
    assert (said["gas"], said["logs"]) == ("21,000 of 1,000,000 allowed at 10 gwei", "2")
    account = Account(
        address="5Alice", evm="", free_rao=10**9, nonce=4, since=1,
        extrinsics=tuple(AccountExtrinsic(block=n, extrinsic=SENT, signed=n % 2 == 0) for n in range(300)),
    )  # fmt: skip
    state = account_state(account)
    assert (state["fields"], len(state["extrinsics"]), state["more"]) == (
        [["free", "1 τ"], ["nonce", "4"]],
        100,
        200,
    )
    assert state["extrinsics"][0][3:5] == ["signed", False]
