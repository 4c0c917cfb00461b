"""Text of strangers as plain text that can be shown: on a terminal, in a `repr`, in the question of a spend.

Names, reasons and messages come from other people's chains, records and processes. What would move a cursor,
reorder letters, hide itself or fill the screen is replaced or cut here. HTML escapes for itself. What a value
is called in a sentence is here too. Standard library only.
"""

import re
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
_SPOKEN_AS_VOWEL: Final = re.compile(
    r"[AEFHILMNORSX](?=[A-Z])|nd(?=array|Array)|[aeiouAEIOU]|ho(?:nor|nes|ur)", re.ASCII
)
"""A letter that begins with a vowel when it is spelled, as in `LSTM` and `ndarray`, or a vowel itself."""
_SPOKEN_AS_CONSONANT: Final = re.compile(
    r"U(?=[A-Z])|[Uu](?:ni(?![nm])|int|s[eu]|t[ei])|[Oo]ne|[Ee]u", re.ASCII
)
"""Vowels that are spoken like the y of "yes" or the w of "one"."""


_ENDS: Final = (".", "!", "?", ":", "…", "`", ")", "'", '"')
"""What a sentence ends with; after any other letter the next sentence would read as a part of it."""


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


def with_article(noun: str) -> str:
    """A noun or the name of a class with its article: `an int`, `a tuple`, `an LSTM`, `a uint8`."""
    vowel = _SPOKEN_AS_VOWEL.match(noun) and not _SPOKEN_AS_CONSONANT.match(noun)
    return f"an {noun}" if vowel else f"a {noun}"


def kind_of(value: object) -> str:
    """What a value is, in a sentence: `an int`, `the class Linear`, `None`."""
    if value is None:
        return "None"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    return with_article(type(value).__name__)


def capitalised(sentence: str) -> str:
    """A sentence whose first letter is a capital; the rest stays as it is."""
    return sentence[:1].upper() + sentence[1:]


def ended(sentence: str) -> str:
    """A sentence with a full stop where it ends in words of another program, so that the next can follow."""
    return sentence if sentence.rstrip().endswith(_ENDS) else f"{sentence.rstrip()}."


def _encodable(text: str) -> str:
    """What a console that is not UTF-8 cannot write becomes a question mark, and no error."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    if encoding.lower().replace("-", "") == "utf8":
        return text
    return text.encode(encoding, "replace").decode(encoding)
