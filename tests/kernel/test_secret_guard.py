"""What counts as a secret in a cell, and what does not."""

import pytest

from subnetlab.network.secrets import find_secret

MNEMONIC = "abandon ability able about above absent absorb abstract absurd abuse access accident"


@pytest.mark.parametrize(
    "text",
    [
        MNEMONIC,
        f'w = make("{MNEMONIC}")',
        MNEMONIC.upper(),
        MNEMONIC.replace(" ", ", "),
        f"my words are {MNEMONIC} and so on",
        f"seed = '0x{'1f' * 32}'",
        f"PRIVATE_KEY={'1f' * 32}",
        f"private key: {'1F' * 32}",
        MNEMONIC.replace(" ", "\n"),
        MNEMONIC.replace(" ", ";"),
        MNEMONIC.replace(" ", "\u00a0"),
        repr(MNEMONIC.split()),
        "\n".join(f"{number}. {word}" for number, word in enumerate(MNEMONIC.split(), 1)),
        "\n".join(f"words.append('{word}')" for word in MNEMONIC.split()).replace("words.append", "_0"),
        f'sk="0x{"1f" * 32}"',
        f'alice_sk = "{"1f" * 64}"',
        f'privateKey="0x{"1f" * 64}"',
        f'SECRET_KEY = (\n    "{"1f" * 32}"\n)',
        f"seed = bytes.fromhex('{'1f' * 32}')",
    ],
)
def test_secrets(text: str) -> None:
    assert find_secret(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "seed = 1234",
        " ".join(MNEMONIC.split()[:11]),
        "the chain takes the highest weight that validators with more than half of the stake support here",
        f"tx = '0x{'1f' * 32}'",
        "for key in keys: print(key, hash_of[key])",
        "run.explain(uid=3)",
        f"public_key = '0x{'1f' * 32}'",
        f"task = '0x{'1f' * 32}'",
        f"key = '0x{'1f' * 40}'",
        f"keys = hashes\nblock = '0x{'1f' * 32}'",
    ],
)
def test_everything_else(text: str) -> None:
    assert not find_secret(text)
