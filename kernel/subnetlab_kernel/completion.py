"""Completion of `%sl` subcommands and of the options of `%sl` and `%%train`.

Only on the magic's own line; Python in and below a cell is IPython's to complete, hence the None.
"""

from typing import Any

from subnetlab_kernel import commands

_BEFORE_OPTION = {
    "network": ["devnet", "finney", "local", "test"],
    "wallet": ["alice", "bob", "charlie", "dave", "eve", "ferdie"],
}


def complete(code: str, cursor: int) -> dict[str, Any] | None:
    """A reply for the front end, or None where the line is not ours."""
    line = code[:cursor].rsplit("\n", 1)[-1]
    words = line.split()
    if not words:
        return None
    word = "" if line[-1].isspace() else words[-1]
    candidates = _candidates(code, words, word)
    if candidates is None:
        return None
    return {
        "status": "ok",
        "matches": [c for c in candidates if c.startswith(word)],
        "cursor_start": cursor - len(word),
        "cursor_end": cursor,
        "metadata": {},
    }


def _candidates(code: str, words: list[str], word: str) -> list[str] | None:
    before = words[:-1] if word else words
    if before[:1] == ["%%train"] and "\n" not in code.lstrip():
        return commands.options(commands.train_parser()) if word.startswith("-") else None
    if before[:1] != ["%sl"]:
        return None
    if len(before) == 1:
        return list(commands.LINE)
    name = before[1]
    if name not in commands.LINE:
        return []
    if word.startswith("-"):
        return commands.options(commands.line_parser(name))
    return _BEFORE_OPTION.get(name, [])
