"""Addresses of the EVM: whole and with their checksum, or refused in words before anything is sent."""

import pytest
from bittensor.evm import h160_to_ss58

from subnetlab.errors import SecretRefused, SubnetLabError, WalletError
from subnetlab.network.destination import destination, ss58_account
from subnetlab.network.evm.addresses import evm_address, mirror

GOOD = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"


@pytest.mark.parametrize(
    "text", [GOOD, GOOD.lower(), "0x" + GOOD[2:].upper(), "0X" + GOOD[2:], f"  {GOOD}\n"]
)
def test_an_address_gets_its_checksum(text: str) -> None:
    assert evm_address(text) == GOOD
    assert mirror(text) == destination(text, development=True) == h160_to_ss58(GOOD)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD[:-1], "has 39 digits"),
        (GOOD + "0", "has 41 digits"),
        ("0x", "is not an address of the EVM"),
        ("0xzz", "is not an address of the EVM"),
        (GOOD[:-1] + "7", "wrong checksum"),
        (GOOD.replace("F", "f", 1), "wrong checksum"),
        ("0x" + "0" * 40, "what is paid to it is lost"),
        ("0x" + "0" * 37 + "800", "is a precompile"),
        ("0x" + "0" * 39 + "1", "is a precompile"),
        ("0x" + "0" * 37 + "403", "is a precompile"),
    ],
)
@pytest.mark.parametrize("asked", [evm_address, lambda text: destination(text, development=True)])
def test_what_is_not_one_is_refused_with_the_next_step(asked, text: str, said: str) -> None:
    with pytest.raises(WalletError, match=said) as caught:
        asked(text)
    assert caught.value.hint


@pytest.mark.parametrize("digits", [63, 64, 65, 128])
def test_a_mangled_key_is_not_repeated(digits: int) -> None:
    with pytest.raises(SubnetLabError) as caught:
        destination("0x" + "5a" * (digits // 2) + "5" * (digits % 2), development=True)
    assert "5a5a" not in str(caught.value)
    assert isinstance(caught.value, SecretRefused) == (digits in (64, 128))


@pytest.mark.parametrize("text", [GOOD, "0x12"])
def test_a_hotkey_is_never_of_the_evm(text: str) -> None:
    with pytest.raises(WalletError, match="is an address of the EVM, where an ss58 address is asked for"):
        ss58_account(text)
