"""Recognise a secret where none belongs, without ever repeating it.

People paste a mnemonic where a wallet's name is asked for. What looks like one is refused before anything is
looked up, logged or sent, and the message does not contain it. It cannot know every secret: a short password
looks like a name.
"""

import re

from subnetlab.errors import SecretRefused

_WORDS_OF_A_MNEMONIC = (12, 15, 18, 21, 24)
_HEX_KEY = re.compile(r"(0x)?[0-9a-fA-F]{64}")
"""32 bytes: a public key, a private key and a seed all look like this."""
_HEX_SECRET = re.compile(r"(0x)?([0-9a-fA-F]{128}|[0-9a-fA-F]{192})")
_KEYFILE_FIELD = re.compile(r"\"(secretPhrase|secretSeed|privateKey|encoded)\"", re.IGNORECASE)


def secret_in(text: str) -> str | None:
    """What kind of secret a text looks like: `mnemonic`, `private key`, `key in hex`, `keyfile`, or None.

    A mnemonic is recognised with a derivation path or a password behind it, in any case, numbered or
    separated by commas.
    """
    phrase = re.split(r"/{2,3}", text.strip(), maxsplit=1)[0]
    words = [word for word in re.split(r"[\s,;.\d]+", phrase) if word]
    looks_like_words = all(word.isalpha() and 3 <= len(word) <= 8 for word in words)
    if len(words) in _WORDS_OF_A_MNEMONIC and looks_like_words:
        return "mnemonic"
    if _HEX_SECRET.fullmatch(phrase.strip().strip("\"'")):
        return "private key"
    if _HEX_KEY.fullmatch(phrase.strip().strip("\"'")):
        return "key in hex"
    if _KEYFILE_FIELD.search(text):
        return "keyfile"
    return None


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
        raise SecretRefused(f"That looks like a {kind}, where {asked_for} was asked for; it was not used.")
