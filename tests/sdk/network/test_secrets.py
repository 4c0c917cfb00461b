"""What looks like a secret is refused wherever a name or an address belongs, and never repeated."""

import contextlib
import json
import traceback

import pytest
from bittensor_core import Keypair
from hypothesis import given, settings
from hypothesis import strategies as st

from subnetlab.errors import SecretRefused, UnknownWallet
from subnetlab.network.destination import destination
from subnetlab.network.secrets import refuse_secret, secret_in
from subnetlab.network.wallets import DEV_NAMES, dev_keypair, open_wallet

MNEMONIC = Keypair.generate_mnemonic(12)
SEED = "c3" * 32

SECRETS = {
    "a mnemonic": MNEMONIC,
    "24 words": Keypair.generate_mnemonic(24),
    "in capitals": MNEMONIC.upper(),
    "over two lines": MNEMONIC.replace(" ", "\n", 1),
    "with commas": MNEMONIC.replace(" ", ", "),
    "numbered": " ".join(f"{n}. {word}" for n, word in enumerate(MNEMONIC.split(), 1)),
    "one a line": MNEMONIC.replace(" ", "\n"),
    "with semicolons": MNEMONIC.replace(" ", "; "),
    "with hard spaces": MNEMONIC.replace(" ", "\u00a0"),
    "as a list": str(MNEMONIC.split()),
    "with words around": f"my phrase is {MNEMONIC} ok",
    "with a path": f"{MNEMONIC}//hard//0",
    "with a password": f"{MNEMONIC}///hunter2",
    "a seed": f"0x{SEED}",
    "a seed without 0x": SEED,
    "a quoted seed": f'"0x{SEED}"',
    "a seed with a path": f"0x{SEED}//0",
    "an expanded key": f"0x{SEED}{SEED}",
    "a keyfile": json.dumps({"secretPhrase": MNEMONIC, "ss58Address": "5F"}),
    "a keystore": json.dumps({"encoded": "abcd", "address": "5F"}),
}


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize(
    "use",
    [
        lambda text: open_wallet(text, development=True),
        lambda text: open_wallet(text, development=False),
        lambda text: destination(text, development=True),
        dev_keypair,
    ],
    ids=["wallet on a devnet", "wallet elsewhere", "address", "development URI"],
)
def test_a_secret_is_refused_and_not_repeated(use, secret: str) -> None:
    with pytest.raises(SecretRefused) as caught:
        use(secret)
    told = "".join(traceback.format_exception(caught.value)).lower()
    shown = [word for word in (MNEMONIC.split()[3], SEED) if f" {word}" in str(caught.value).lower()]
    assert not shown
    assert secret.lower() not in told
    assert "never paste" in str(caught.value).lower()


@pytest.mark.parametrize(
    "name", ["alice", "my wallet", "cold/hot", "a b c d e f g h i j k l", "5" + "G" * 47, "0x" + "ab" * 20]
)
def test_names_and_addresses_are_no_secrets(name: str) -> None:
    assert secret_in(name) is None
    refuse_secret(name, "a name")


@settings(deadline=None, max_examples=50)
@given(st.sampled_from([12, 15, 18, 21, 24]).map(Keypair.generate_mnemonic))
def test_every_generated_mnemonic_is_recognised(mnemonic: str) -> None:
    assert secret_in(mnemonic) == "mnemonic"


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=80))
def test_any_text_is_either_a_wallet_or_an_error_of_ours(text: str) -> None:
    with contextlib.suppress(UnknownWallet, SecretRefused):
        assert text.partition("/")[0].lower() in DEV_NAMES or open_wallet(text, development=True) is None
