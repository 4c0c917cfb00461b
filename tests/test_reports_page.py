"""`docs/reports.md` shows what is printed here: its Python runs in order, and its output is compared."""

import contextlib
import doctest
import io
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.project import ROOT

BLOCKS = re.compile(r"^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
PAGE = (ROOT / "docs" / "reports.md").read_text(encoding="utf-8")


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    monkeypatch.chdir(ROOT)
    found: dict[str, Any] = {}
    yield found
    found["net"].close()


def test_what_the_page_shows_is_what_is_printed(names: dict[str, Any]) -> None:
    told = ""
    compared = 0
    for kind, text in BLOCKS.findall(PAGE):
        if kind == "python":
            said = io.StringIO()
            with contextlib.redirect_stdout(said):
                exec(compile(text, "docs/reports.md", "exec"), names)
            told = said.getvalue()
        else:
            assert doctest.OutputChecker().check_output(text, told, FLAGS), told
            compared += 1
    assert compared == 9
