"""Text of strangers reaches a terminal without control of it, in every sentence, table and question."""

import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.project import ROOT
from tests.sdk.lab import story

from subnetlab.commands.doctor import Check, Checkup
from subnetlab.errors import ChainRejected
from subnetlab.lab.run import Run
from subnetlab.network.confirm import Spend
from subnetlab.network.receipt import Receipt
from subnetlab.record.events import PeerGone, RunEnded
from subnetlab.text import LINE, LINES, kind_of, plain, plain_lines, with_article

HOSTILE = "\x1b]0;owned\x07\x1b[2J\u202egnp.exe\u2066\u200b\x9b31m\r\ud800\u2028" + "x" * 100_000


def is_plain(text: str) -> bool:
    lines = text.split("\n")
    return all(
        len(line) <= LINE and all(unicodedata.category(letter)[0] != "C" for letter in line) for line in lines
    )


@given(st.text(alphabet=st.characters(), max_size=300))
def test_what_is_shown_has_no_hidden_letter(text: str) -> None:
    assert is_plain(plain_lines(text))
    assert "\n" not in plain(text)


@pytest.mark.parametrize("text", ["", "alice", "Füße 東京 τ α", "a" * LINE, "été 🚀"])
def test_words_stay_as_they_are(text: str) -> None:
    assert plain(text) == text


@pytest.mark.parametrize(
    "said",
    [
        "an int", "a str", "an ndarray", "a NoneType", "an LSTM", "an MSELoss", "a uint8", "a UUID", "a unit",
        "an hour", "a HuggingFace", "an Embedding", "an SGD", "a DataFrame", "an attacker", "a user",
        "an honest miner", "an OrderedDict", "a one", "an umbrella",
    ],
)  # fmt: skip
def test_a_noun_has_its_article(said: str) -> None:
    assert with_article(said.partition(" ")[2]) == said


def test_a_value_is_called_by_its_kind() -> None:
    assert [kind_of(value) for value in (3, "x", None, int, [])] == [
        "an int",
        "a str",
        "None",
        "the class int",
        "a list",
    ]


def test_no_sentence_of_the_product_writes_an_article_before_a_name_it_does_not_know() -> None:
    wrong = re.compile(r"\b[Aa]n? \{(?:type\(|kind|noun|role|_named)")
    found = [
        f"{file.name}:{number}"
        for root in ("sdk", "kernel", "widgets")
        for file in (ROOT / root).rglob("*.py")
        if file.name != "text.py"
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if wrong.search(line)
    ]
    assert found == []


def test_length_is_cut() -> None:
    assert plain("x" * 100_000, 10) == "x" * 9 + "…"
    assert plain_lines("x\n" * 100_000).count("\n") == LINES


def hostile_run(folder: Path) -> Run:
    events = [*story.story(ended=False)]
    events += [
        PeerGone(uid=5, reason=HOSTILE),
        RunEnded(status="failed", reason=HOSTILE, block=9, wall_s=1.0),
    ]
    return Run(story.write(folder, events))


def test_a_runs_words_and_tables(tmp_path: Path) -> None:
    run = hostile_run(tmp_path / "r1")
    for shown in (run.headline, repr(run), repr(run.explain(5)), repr(run.explain(1)), repr(run.verdict())):
        assert is_plain(shown)
    for name in ("peers", "miners"):
        frame = run.frame(name)
        for column in frame.select("^.*$").columns:
            assert all(is_plain(value) for value in frame[column].to_list() if isinstance(value, str))


def test_questions_receipts_errors_and_checks() -> None:
    spend = Spend(summary=HOSTILE, network=HOSTILE, wallet=HOSTILE, amount_rao=1, fee_rao=1, real=True)
    assert is_plain(str(spend))
    assert len(str(spend)) < 1000
    assert is_plain(str(Receipt(tx="0x00", block=1, fee_rao=1, summary=HOSTILE)))
    assert is_plain(str(ChainRejected(HOSTILE)))
    assert is_plain(repr(Checkup((Check("disk", "ok", HOSTILE, HOSTILE),))))


def test_the_next_step_begins_a_sentence_of_its_own() -> None:
    quoted = "The remote cell failed: ZeroDivisionError: division by zero"
    assert str(ChainRejected(quoted, hint="Try again.")) == f"{quoted}. Try again."
    for whole in ("Done.", "Really?", "No!", "It says: `x`", "as told (here)", "and so on…", "It said 'no'"):
        assert str(ChainRejected(whole, hint="Try again.")) == f"{whole} Try again."
    assert str(ChainRejected(quoted, hint="")) == quoted
