"""Recognise a secret pasted into a cell, so that it is neither run nor stored.

Two shapes are certain enough to refuse: a BIP-39 mnemonic (12 to 24 words of the standard list in a row) and
a 32-byte hex key beside a word that says what it is. A bare `0x…` of 64 digits is left alone: block hashes
and transaction hashes look the same. Source: BIP-39; the word list is the one eth-account carries.
"""

import re
from functools import cache
from importlib.resources import files

_RUN_OF_WORDS = re.compile(r"\b(?:[a-z]{3,8}[ \t,]+){11,}[a-z]{3,8}\b")
_NAMED_KEY = re.compile(
    r"(?:mnemonic|seed|private[ _-]?key|secret|\bkey\b)[^\n]{0,40}?\b(?:0x)?[0-9a-f]{64}\b", re.IGNORECASE
)
_MNEMONIC_LENGTH = 12

REFUSAL = (
    "raise __import__('subnetlab.errors', fromlist=['SecretRefused']).SecretRefused("
    "'This cell holds something that looks like a mnemonic or a private key; it was not run and not kept in"
    " history. Delete the cell too: the notebook file still has it.')"
)


@cache
def _word_list() -> frozenset[str]:
    text = files("eth_account.hdaccount").joinpath("wordlist", "english.txt").read_text("utf-8")
    return frozenset(text.split())


def find_secret(text: str) -> bool:
    """Whether the text holds a mnemonic or a named private key."""
    if _NAMED_KEY.search(text):
        return True
    return any(_is_mnemonic(match.group()) for match in _RUN_OF_WORDS.finditer(text.lower()))


def _is_mnemonic(words: str) -> bool:
    """Whether twelve words in a row all stand in the BIP-39 list; prose never manages that."""
    in_a_row = 0
    for word in re.split(r"[\s,]+", words):
        in_a_row = in_a_row + 1 if word in _word_list() else 0
        if in_a_row >= _MNEMONIC_LENGTH:
            return True
    return False
