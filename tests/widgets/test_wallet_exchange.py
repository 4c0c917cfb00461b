"""Questions to the pages of one wallet: one at a time, one page asks, one answer counts."""

from collections.abc import Callable
from typing import Any

import pytest

from subnetlab.errors import NodeUnreachable, WalletRefused, WalletSilent
from subnetlab_widgets.wallet.exchange import SILENT_AFTER_S, Exchange, Question


class Pages:
    """What the kernel says to every page, and a clock that the test moves."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.shown: list[str] = []
        self.now = 100.0
        self.exchange = Exchange(self.heard.append, self.shown.append, clock=lambda: self.now)

    def say(self, kind: str, question: Question | None, page: str = "one", **more: Any) -> None:
        told = {} if question is None else {"id": question.id}
        self.exchange.hear({"k": kind, "page": page, **told, **more})

    def granted(self) -> list[str]:
        return [message["page"] for message in self.heard if message["k"] == "go"]


def says_goodbye(pages: Pages, question: Question) -> None:
    pages.say("bye", question, "before")


def falls_silent(pages: Pages, question: Question) -> None:
    pages.now = question.held_at + 2 * SILENT_AFTER_S


@pytest.fixture
def pages() -> Pages:
    return Pages()


def test_of_two_pages_the_first_that_claims_asks_and_the_other_cannot_answer(pages: Pages) -> None:
    question = pages.exchange.put("extrinsic.sign", {"payload": 1})
    assert pages.heard == [
        {"k": "ask", "id": question.id, "method": "extrinsic.sign", "params": {"payload": 1}}
    ]
    pages.say("claim", question, "one")
    pages.say("claim", question, "two")
    assert pages.granted() == ["one", "one"]
    pages.say("answer", question, "two", result="forged")
    assert not question.answer.done()
    pages.say("answer", question, "one", result="signed")
    assert question.answer.result(0) == "signed"
    assert pages.heard[-1] == {"k": "over", "id": question.id}
    assert pages.shown == ["extrinsic.sign", ""]


def test_questions_wait_for_each_other_and_ids_are_used_once(pages: Pages) -> None:
    first, second = pages.exchange.put("bytes.sign", {}), pages.exchange.put("extrinsic.sign", {})
    assert [message["id"] for message in pages.heard] == [first.id]
    pages.say("claim", second)  # not asked yet
    assert pages.granted() == []
    pages.say("claim", first)
    pages.say("answer", first, result="a")
    assert pages.heard[-1]["id"] == second.id
    pages.say("claim", second)
    pages.say("answer", first, result="replayed")
    assert not second.answer.done()
    pages.say("answer", second, result="b")
    pages.say("answer", second, result="replayed")
    assert (first.answer.result(0), second.answer.result(0)) == ("a", "b")
    assert first.id != second.id


@pytest.mark.parametrize("leave", [says_goodbye, falls_silent])
def test_a_reloaded_page_is_asked_again_what_only_signs(
    pages: Pages, leave: Callable[[Pages, Question], None]
) -> None:
    question = pages.exchange.put("extrinsic.sign", {})
    pages.say("claim", question, "before")
    leave(pages, question)
    pages.exchange.hear({"k": "hello"})
    assert pages.heard[-1]["k"] == "ask"
    pages.say("claim", question, "after")
    pages.say("answer", question, "before", result="late")
    assert not question.answer.done()
    pages.say("answer", question, "after", result="signed")
    assert question.answer.result(0) == "signed"


@pytest.mark.parametrize("leave", [says_goodbye, falls_silent])
def test_what_a_wallet_sends_by_itself_is_never_asked_twice(
    pages: Pages, leave: Callable[[Pages, Question], None]
) -> None:
    question = pages.exchange.put("evm.request", {}, sends=True)
    pages.say("claim", question, "before")
    leave(pages, question)
    pages.say("claim", question, "after")
    with pytest.raises(NodeUnreachable, match="whether it did is not known"):
        question.answer.result(0)
    assert pages.granted() == ["before"]


def test_a_page_that_still_holds_a_question_keeps_it(pages: Pages) -> None:
    question = pages.exchange.put("evm.request", {}, sends=True)
    pages.say("claim", question, "one")
    for _ in range(10):
        pages.now += SILENT_AFTER_S - 1
        pages.say("holding", question, "one")
        pages.say("claim", question, "two")
    assert set(pages.granted()) == {"one"}
    assert not question.answer.done()


def test_a_refusal_and_a_failure_of_the_wallet_are_said_and_a_markup_is_not(pages: Pages) -> None:
    question = pages.exchange.put("extrinsic.sign", {})
    pages.say("claim", question)
    pages.say("answer", question, error={"code": 4001, "message": "Cancelled\u202e\x1b[31m"})
    with pytest.raises(WalletRefused, match="Refused in the page: Cancelled") as refused:
        question.answer.result(0)
    assert "\x1b" not in str(refused.value)
    sent = pages.exchange.put("evm.request", {}, sends=True)
    pages.say("claim", sent)
    pages.say("answer", sent, error={"code": -32000, "message": "it broke", "asked": True})
    with pytest.raises(NodeUnreachable, match="it broke"):
        sent.answer.result(0)


def test_without_an_answer_in_time_nothing_was_signed_or_it_is_not_known(pages: Pages) -> None:
    with pytest.raises(WalletSilent, match="No open page"):
        pages.exchange.ask("extrinsic.sign", {}, within_s=0.01)
    sent = pages.exchange.put("evm.request", {}, sends=True)
    pages.say("claim", sent)
    assert isinstance(pages.exchange.given_up(sent), NodeUnreachable)
    pages.say("answer", sent, result="0x")
    assert not sent.answer.done()
    assert pages.shown[-1] == ""


@pytest.mark.parametrize(
    "content", [{}, {"k": "answer"}, {"k": "claim", "page": 3}, {"k": None, "page": "x", "id": []}]
)
def test_what_is_malformed_is_dropped(pages: Pages, content: dict[str, Any]) -> None:
    question = pages.exchange.put("bytes.sign", {})
    pages.exchange.hear(content)
    assert not question.holder
