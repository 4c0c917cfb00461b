"""Text of strangers as plain text that can be shown: on a terminal, in a `repr`, in the question of a spend.

Names, reasons and messages come from other people's chains, records and processes. What would move a cursor,
reorder letters, hide itself or fill the screen is replaced or cut here. HTML escapes for itself. Standard
library only.
"""

import sys
import unicodedata
from typing import Final

NAME: Final = 80
"""Letters of a name that are shown."""
REASON: Final = 400
"""Letters of a reason inside a sentence that are shown."""
LINE: Final = 2_000
"""Letters of a line that are shown."""
LINES: Final = 500
"""Lines of a text that are shown."""
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Control, format (bidi among it), half pairs, private, unassigned, and separators other than spaces."""
_SPACES: Final = str.maketrans("\t\n\v\f\r", "     ")
_REPLACEMENT: Final = "\ufffd"


def plain(text: str, limit: int = LINE) -> str:
    """A text as one line of at most `limit` visible letters; what has no picture of its own is replaced."""
    shown = text[: limit + 1].translate(_SPACES)
    if not (shown.isascii() and shown.isprintable()):
        shown = "".join(
            _REPLACEMENT if unicodedata.category(letter) in _HIDDEN else letter for letter in shown
        )
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def plain_lines(text: str, limit: int = LINE) -> str:
    """A text whose line feeds are its own, each line as `plain` shows it, in letters the console has."""
    lines = _encodable(text).split("\n", LINES)
    shown = [plain(line, limit) for line in lines[:LINES]]
    return "\n".join([*shown, "…"] if len(lines) > LINES else shown)


def _encodable(text: str) -> str:
    """What a console that is not UTF-8 cannot write becomes a question mark, and no error."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    if encoding.lower().replace("-", "") == "utf8":
        return text
    return text.encode(encoding, "replace").decode(encoding)
