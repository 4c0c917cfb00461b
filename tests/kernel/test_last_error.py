"""`%explain` says what the last error of a notebook means, with the traceback folded."""

import pytest
from tests.kernel.running import RunningKernel

from subnetlab.errors import NodeUnreachable, OverBudget, RemoteFailed
from subnetlab_kernel.last_error import explained


def caught(error: BaseException, cause: BaseException | None = None) -> BaseException:
    try:
        raise error from cause
    except type(error) as raised:
        return raised


def test_an_error_of_ours_says_what_to_do_and_what_lies_below() -> None:
    below = caught(OSError("connection <refused>"), caught(ValueError("deeper")))
    found = explained(caught(NodeUnreachable("Nothing answers at ws://127.0.0.1:9."), below))
    assert found.paragraphs == (
        "NodeUnreachable: Nothing answers at ws://127.0.0.1:9.",
        "What it means: Nothing answers at the endpoint.",
        "What to do: Start one with `subnetlab devnet`, or check the endpoint.",
        "To catch it: except sl.errors.NodeUnreachable (NodeUnreachable < NetworkError < SubnetLabError)",
        "Below it lies OSError: connection <refused>",
        "Below it lies ValueError: deeper",
    )
    assert "Traceback" not in repr(found)
    page = found._repr_html_()
    assert "connection &lt;refused&gt;" in page
    assert "<details><summary>Traceback</summary>" in page


def test_the_traceback_is_shown_when_it_is_asked_for() -> None:
    error = RemoteFailed("The remote cell failed: KeyError: 'x'")
    error.traceback = "line 7 of the remote cell"
    found = explained(caught(error), unfolded=True)
    assert "in caught" in repr(found)
    assert repr(found).endswith("line 7 of the remote cell")
    assert "<details open>" in found._repr_html_()


@pytest.mark.parametrize(
    "error", [OverBudget(""), KeyError(), RuntimeError("\x1b[31mred\u202e"), SystemExit(2)]
)
def test_any_error_can_be_explained(error: BaseException) -> None:
    found = explained(caught(error))
    assert found.paragraphs[0].startswith(type(error).__name__ + ": ")
    assert "\x1b" not in repr(found)
    assert "\u202e" not in repr(found)


def test_in_a_notebook_it_is_the_last_error_that_is_explained(kernel: RunningKernel) -> None:
    assert "has failed yet" in kernel.run("%explain").text
    kernel.run("import subnetlab as sl\nsl.attach('no such run')")
    told = kernel.run("%explain")
    assert "To catch it: except sl.errors.UnknownRun" in told.text
    assert "What to do:" in told.text
    assert "<details>" in told.data[0]["text/html"]
    kernel.run("{}['missing']")
    assert "KeyError: 'missing'" in kernel.run("%explain --traceback").text
    assert "takes nothing" in kernel.run("%explain 3").evalue + kernel.run("%explain 3").stderr
