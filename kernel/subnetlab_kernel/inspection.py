"""How a verb is written, wherever a person asks: `%sl pay?`, `?%sl pay`, Shift-Tab on a line of ours.

The text is the parser's own, as `%sl pay --help` prints it. Everything else is IPython's to inspect. A cell
`%%train` without a body is made valid here too, because IPython refuses it before the magic is called.
"""

import re
from typing import Any

from subnetlab_kernel import commands

_VERB = re.compile(r"%sl +(?P<verb>\w+)")
_ASKED = re.compile(r"\s*(?P<before>\?{0,2}) *%sl +(?P<verb>\w+) *(?P<after>\?{0,2})\s*")


def inspect_line(code: str, cursor: int) -> dict[str, Any] | None:
    """A reply for the front end, or None where the cursor is on no line of ours."""
    start, end = code.rfind("\n", 0, cursor) + 1, code.find("\n", cursor)
    text = _help_for(code[start : end if end >= 0 else len(code)].lstrip())
    if text is None:
        return None
    return {"status": "ok", "found": True, "data": {"text/plain": text}, "metadata": {}}


def _help_for(line: str) -> str | None:
    if line.startswith("%%train"):
        return commands.train_parser().format_help()
    if line.startswith("%%fleet"):
        return commands.fleet_parser().format_help()
    found = _VERB.match(line)
    if found is None or found["verb"] not in commands.LINE:
        return None
    return commands.line_parser(found["verb"]).format_help()


def spell_out_help(lines: list[str]) -> list[str]:
    """Turn `%sl pay?` into `%sl pay --help` before IPython looks for an object called `pay`."""
    return [_spelt_out(line) for line in lines]


def _spelt_out(line: str) -> str:
    found = _ASKED.fullmatch(line)
    if found is None or not (found["before"] or found["after"]) or found["verb"] not in commands.LINE:
        return line
    return f"%sl {found['verb']} --help\n"


def allow_empty_body(lines: list[str]) -> list[str]:
    """Give a `%%train` line that is alone in its cell an empty body, so that it starts the default run."""
    written = [line for line in lines if line.strip()]
    if len(written) == 1 and written[0].lstrip().startswith("%%train"):
        return [written[0].strip() + "\n", "\n"]
    return lines
