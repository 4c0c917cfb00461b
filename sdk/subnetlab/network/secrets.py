"""Recognise a secret where none belongs, without ever repeating it.

People paste a mnemonic where a wallet's name is asked for, or into a cell. What looks like one is refused
before anything is looked up, run, logged or sent, and the message does not contain it. It cannot know every
secret: a short password looks like a name, and bare hex digits in a cell look like a block's hash.
Source: BIP-39; the word list is the one that eth-account carries.
"""

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from subnetlab.errors import SecretRefused
from subnetlab.text import with_article

_WORDS_OF_A_MNEMONIC = (12, 15, 18, 21, 24)
_FEWEST_WORDS = min(_WORDS_OF_A_MNEMONIC)
_HEX = r"(?:0x)?(?:[0-9a-f]{192}|[0-9a-f]{128}|[0-9a-f]{64})"
_HEX_KEY = re.compile(r"(?:0x)?[0-9a-f]{64}", re.IGNORECASE)
"""32 bytes: a public key, a private key and a seed all look like this."""
_HEX_SECRET = re.compile(_HEX, re.IGNORECASE)
_NAMED_KEY = re.compile(
    r"(?:mnemonic|seed|private|secret|phrase|(?<![a-z])key(?![a-z])|(?<![a-z0-9])sk(?![a-z]))"
    rf"[^\n]{{0,40}}?(?:[=:(\[{{\\]\s*[\"']*)?(?<![0-9a-z]){_HEX}(?![0-9a-z])",
    re.IGNORECASE,
)
_PUBLIC_KEY = re.compile(r"pub(?:lic)?[ _-]?key", re.IGNORECASE)
_KEYFILE_FIELD = re.compile(r"[\"'](secretPhrase|secretSeed|privateKey|encoded)[\"']", re.IGNORECASE)
_LETTERS = re.compile(r"[^\W\d_]+")


def secret_in(text: str) -> str | None:
    """What kind of secret a text looks like that should be a name or an address, or None.

    `mnemonic`, `private key`, `key in hex` or `keyfile`. A mnemonic is recognised with a derivation path or
    a password behind it, in any case, with anything but letters between its words.
    """
    phrase = re.split(r"/{2,3}", text.strip(), maxsplit=1)[0]
    words = _LETTERS.findall(phrase)
    looks_like_words = all(word.isascii() and 3 <= len(word) <= 8 for word in words)
    if (len(words) in _WORDS_OF_A_MNEMONIC and looks_like_words) or _has_mnemonic(text):
        return "mnemonic"
    if _HEX_KEY.fullmatch(phrase.strip().strip("\"'")):
        return "key in hex"
    if _HEX_SECRET.fullmatch(phrase.strip().strip("\"'")):
        return "private key"
    if _KEYFILE_FIELD.search(text):
        return "keyfile"
    return None


def find_secret(text: str) -> bool:
    """Whether a cell or a line holds a mnemonic, or a private key beside a word that says what it is.

    A bare `0x…` of 64 digits is left alone: hashes of blocks and transactions look the same.
    """
    return bool(_NAMED_KEY.search(_PUBLIC_KEY.sub("", text))) or _has_mnemonic(text)


def refuse_secret(text: str, asked_for: str) -> None:
    """Raise if a text looks like a secret.

    Args:
        text: what was typed.
        asked_for: what belongs there, such as "a wallet's name".

    Raises:
        SecretRefused: it does; neither the message nor the traceback's arguments repeat it.
    """
    kind = secret_in(text)
    if kind == "key in hex":
        raise SecretRefused(
            f"That is a key of 32 bytes in hex, public or private, where {asked_for} was asked for; "
            "it was not used.",
            hint=f"Of a public key give the ss58 address (5…) instead. {SecretRefused.hint}",
        )
    if kind is not None:
        raise SecretRefused(
            f"That looks like {with_article(kind)}, where {asked_for} was asked for; it was not used."
        )


def _has_mnemonic(text: str) -> bool:
    """Whether twelve words in a row are on the BIP-39 list; neither prose nor code manages that."""
    in_a_row = 0
    for found in _LETTERS.finditer(text.lower()):
        in_a_row = in_a_row + 1 if found.group() in _word_list() else 0
        if in_a_row >= _FEWEST_WORDS:
            return True
    return False


@cache
def _word_list() -> frozenset[str]:
    # Only the file is read: importing eth-account would take longer than the cell it guards.
    package = find_spec("eth_account")
    assert package is not None
    assert package.origin is not None
    words = Path(package.origin).parent / "hdaccount" / "wordlist" / "english.txt"
    return frozenset(words.read_text("utf-8").split())
