"""Every error of ours that a person can meet says what to do next: in its class, or where it is raised."""

import ast
from collections.abc import Iterator
from inspect import isclass

from tests.project import ROOT

from subnetlab import errors
from subnetlab.errors import SubnetLabError

BETWEEN_PEERS = {
    "PayloadRejected", "ObjectExists", "ObjectMissing", "ObjectTooLarge", "InvalidObjectName", "PlaceAway",
}  # fmt: skip
"""What the protocol raises and catches itself; of these a record keeps the sentence alone."""
FEW = 4
"""How many may lack one before the tests fail: give the new ones a `hint` instead of raising this."""
SAID_ALREADY = 40
"""How many say `hint=""`, because their sentence, or what it quotes, holds the next step."""


def raised() -> Iterator[tuple[str, ast.Call]]:
    """Every call of a constructor of our errors, with the name of the class and where it is written."""
    names = {
        name for name, kind in vars(errors).items() if isclass(kind) and issubclass(kind, SubnetLabError)
    }
    for part in ("sdk/subnetlab", "kernel/subnetlab_kernel", "widgets/subnetlab_widgets"):
        for path in sorted((ROOT / part).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    name = ast.unparse(node.func).rpartition(".")[2]
                    if name in names - BETWEEN_PEERS:
                        yield f"{path.relative_to(ROOT)}:{node.lineno} {name}", node


def given(call: ast.Call) -> ast.expr | None:
    return next((one.value for one in call.keywords if one.arg in ("hint", None)), None)


def test_every_error_says_what_to_do_next() -> None:
    calls = dict(raised())
    assert len(calls) > 300
    lacking = [
        where for where, call in calls.items()
        if given(call) is None and not getattr(errors, where.rpartition(" ")[2]).hint
    ]  # fmt: skip
    assert len(lacking) <= FEW, "\n".join(lacking)


def test_few_errors_say_that_their_sentence_is_enough() -> None:
    empty = [where for where, call in raised() if (hint := given(call)) and ast.unparse(hint) in ("''", '""')]
    assert len(empty) <= SAID_ALREADY, "\n".join(empty)


def test_a_hint_is_a_sentence_and_follows_one() -> None:
    """Both are shown in one line, so the first ends before the second begins."""
    open_ended: list[str] = []
    for where, call in raised():
        message, hint = call.args[0] if call.args else None, given(call)
        said = message.values[-1] if isinstance(message, ast.JoinedStr) and message.values else message
        parts = [hint] if hint is None or ast.unparse(hint) in ("''", "None") else [said, hint]
        ends = [str(part.value).rstrip() for part in parts if isinstance(part, ast.Constant) and part.value]
        open_ended += [where for end in ends if end[-1] not in ".!?:`)'…"]
    assert open_ended == []
