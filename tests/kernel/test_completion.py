"""Completion: ours on our lines, IPython's everywhere else."""

import pytest
from tests.kernel.running import RunningKernel

from subnetlab_kernel.completion import complete


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("%sl st", ["stake"]),
        ("%sl stake --", ["--help", "--netuid", "--to", "--wallet"]),
        ("%sl network te", ["test"]),
        ("x = 1\n%sl wal", ["wallet"]),
        ("%%train --mi", ["--miners"]),
        ("%sl nonsense --", []),
    ],
)
def test_words_of_our_lines(code: str, expected: list[str]) -> None:
    reply = complete(code, len(code))
    assert reply is not None
    assert reply["matches"] == expected
    assert reply["cursor_start"] <= reply["cursor_end"] == len(code)


@pytest.mark.parametrize("code", ["", "import o", "%time x", "%%train --rounds 3\nimp", "net.pa"])
def test_lines_that_are_not_ours(code: str) -> None:
    assert complete(code, len(code)) is None


def test_a_front_end_gets_both(kernel: RunningKernel) -> None:
    ours = kernel.answer(kernel.client.complete("%sl ex", 6))
    assert ours["matches"] == ["explain"]
    theirs = kernel.answer(kernel.client.complete("import jso", 10))
    assert "json" in theirs["matches"]
