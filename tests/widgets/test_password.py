"""The password field without a page: what is late, repeated, malformed or never typed opens nothing."""

import threading
from typing import Any

import pytest

from subnetlab.errors import KeyLocked
from subnetlab.network.confirm import Spend
from subnetlab.network.keyring import LockedKey
from subnetlab.network.stages import submitting
from subnetlab_widgets.password import PasswordField, Passwords

KEY: LockedKey[Any] = LockedKey(
    name="the coldkey of cold", place="file", unlock=str, variable="X", given=lambda: None
)


class Page:
    """What a page is shown, and an answer as soon as it is asked."""

    def __init__(self, *answers: Any) -> None:
        self.shown: list[Any] = []
        self.answers = list(answers)
        self.passwords = Passwords(self.see, within_s=30)

    def see(self) -> None:
        asks = self.passwords.asks
        self.shown.append(asks)
        if asks and asks["id"]:
            for content in self.answers:
                told = {"k": "password", "id": asks["id"], **content}
                threading.Thread(target=self.passwords.hear, args=(told,)).start()


def test_the_first_answer_to_this_question_counts_and_nothing_of_it_is_shown() -> None:
    page = Page(
        {"id": "another"}, {"text": 5}, {"text": None}, {"id": None, "text": "x"}, {"text": "opensesame"}
    )
    with page.passwords.asking(KEY) as ask:
        assert ask("") == "opensesame"
        first = page.shown[0]["id"]
        page.passwords.hear({"k": "password", "id": first, "text": "late"})
        page.answers = [{"id": first, "text": "replayed"}, {"text": "second"}]
        assert ask("wrong") == "second"
    assert [(asks or {}).get("busy") for asks in page.shown] == [False, True, False, True, None]
    assert "opensesame" not in str(page.shown) + str(vars(page.passwords))
    assert page.passwords.hear({"k": "look"}) is False


def test_what_the_key_is_to_sign_is_said_and_whose_money_it_is() -> None:
    spend = Spend(summary="pay\u202e 5 τ", network="finney", wallet="5G", amount_rao=5, fee_rao=1, real=True)
    page = Page({"text": "x"})
    with submitting(spend), page.passwords.asking(KEY) as ask:
        ask("")
    told = page.shown[0]["spend"]
    assert (told["real"], told["network"]) == (True, "finney")
    assert "pay\ufffd 5 τ on finney" in told["what"]


def test_a_password_that_is_never_typed_leaves_the_key_locked() -> None:
    passwords = Passwords(lambda: None, within_s=0.01)
    with pytest.raises(KeyLocked, match="no password was typed in"), passwords.asking(KEY) as ask:
        ask("")
    assert passwords.asks is None


def test_a_field_that_is_closed_answers_for_the_person() -> None:
    field, typed = PasswordField(), []
    asked = threading.Event()
    field.observe(lambda _: asked.set(), "state")

    def cell() -> None:
        with field.passwords.asking(KEY) as ask:
            typed.append(ask(""))

    thread = threading.Thread(target=cell)
    thread.start()
    assert asked.wait(300)
    field.close()
    thread.join(300)
    assert typed == [""]
