"""Completion of `%sl`, `%%train` and `%%fleet`: verbs, options, and the values they take.

Only on the magic's own line, and in the quotes of `frame("`, `wallet("` and their like; other Python is
IPython's to complete, hence the None. Which argument a word belongs to is read from the parsers in
`commands`, what it could be from `known`.
"""

import argparse
import re
from typing import Any

from subnetlab_kernel import commands, known

_ARGUMENT = re.compile(rf"\.({'|'.join(known.ARGUMENTS)})\(\s*[\"']([^\"'\n]*)\Z")
"""The beginning of a text in the brackets of a verb, as in `run.frame("mi`."""


def complete(code: str, cursor: int, variables: known.Variables) -> dict[str, Any] | None:
    """A reply for the front end, or None where the line is not ours."""
    argument = _ARGUMENT.search(code[:cursor])
    if argument is not None:
        verb, typed = argument.group(1), argument.group(2)
        reply = _reply(known.ARGUMENTS[verb](variables), typed, cursor)
        return reply if reply["matches"] else None
    line = code[:cursor].rsplit("\n", 1)[-1]
    words = line.split()
    if not words:
        return None
    word = "" if line[-1].isspace() else words[-1]
    candidates = _candidates(code, words[:-1] if word else words, word, variables)
    if candidates is None:
        return None
    return _reply(candidates, word, cursor)


def _reply(candidates: list[str], word: str, cursor: int) -> dict[str, Any]:
    return {
        "status": "ok",
        "matches": [c for c in candidates if c.startswith(word)],
        "cursor_start": cursor - len(word),
        "cursor_end": cursor,
        "metadata": {},
    }


def _candidates(code: str, before: list[str], word: str, variables: known.Variables) -> list[str] | None:
    if before[:1] == ["%%train"] and "\n" not in code.lstrip():
        return _of_parser("train", commands.train_parser(), before[1:], word, variables)
    if before[:1] == ["%%fleet"] and "\n" not in code.lstrip():
        return _of_parser("fleet", commands.fleet_parser(), before[1:], word, variables)
    if before[:1] != ["%sl"]:
        return None
    if len(before) == 1:
        return list(commands.LINE)
    verb = before[1]
    if verb not in commands.LINE:
        return []
    return _of_parser(verb, commands.line_parser(verb), before[2:], word, variables)


def _of_parser(
    verb: str, parser: argparse.ArgumentParser, before: list[str], word: str, variables: known.Variables
) -> list[str]:
    if word.startswith("-"):
        return commands.options(parser)
    argument = _argument(parser, before)
    values = known.VALUES.get((verb, argument))
    before_comma = word[: word.rfind(",") + 1]
    return [before_comma + value for value in values(variables)] if values is not None else []


def _argument(parser: argparse.ArgumentParser, before: list[str]) -> str:
    """The name of the argument that the next word is for; empty where there is none."""
    actions = parser._actions  # noqa: SLF001  (argparse has no public list)
    takes_value = {text: a for a in actions for text in a.option_strings if a.nargs != 0}
    if before and before[-1] in takes_value:
        return takes_value[before[-1]].dest
    given = sum(
        not word.startswith("-") and (i == 0 or before[i - 1] not in takes_value)
        for i, word in enumerate(before)
    )
    positional = [action for action in actions if not action.option_strings]
    return positional[given].dest if given < len(positional) else ""
