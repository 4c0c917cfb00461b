"""The chain's own keys at the EVM pallet: contracts created, refused, and who may not."""

from typing import Any

import pytest
from tests.sdk.devnet.evm.conftest import GWEI, Wallet
from tests.sdk.devnet.evm.contracts import box
from tests.sdk.devnet.signing import Signer

from subnetlab.devnet.chain.registry import ROOT, DispatchError, Origin
from subnetlab.devnet.evm.addresses import created, created_by_salt, mirror, truncated
from subnetlab.devnet.node.node import Node
from subnetlab.devnet.pallets import evm


def creation(own: bytes, **parts: Any) -> dict[str, Any]:
    return {
        "source": "0x" + own.hex(), "init": box().code, "value": 0, "gas_limit": 3_000_000,
        "max_fee_per_gas": 40 * GWEI, "max_priority_fee_per_gas": None, "nonce": None, "access_list": [],
        "authorization_list": [], **parts,
    }  # fmt: skip


@pytest.fixture
def own(node: Node, wallet: Wallet, signer: Signer) -> bytes:
    """Alice's address, funded."""
    address = truncated(signer.address)
    nonce = node.ledger.get("System", "Account", signer.address)["nonce"]
    node.submit(signer.transfer(mirror(address), 10**10, nonce=nonce))
    node.seal()
    return address


def test_a_chain_key_creates_contracts_by_nonce_and_by_salt(node: Node, signer: Signer, own: bytes) -> None:
    origin = Origin(account=signer.address)
    for salt, address in (
        (None, created(own, 0)),
        ("0x" + "07" * 32, created_by_salt(own, b"\x07" * 32, box().code)),
    ):
        parts = {} if salt is None else {"salt": salt}
        evm.create_contract(node.ledger, origin, **creation(own, **parts))
        assert node.ledger.events[-1]["event"] == {"EVM": {"Created": {"address": "0x" + address.hex()}}}
        assert node.ledger.has("EVM", "AccountCodes", "0x" + address.hex())


def test_who_may_create_is_listed_where_root_says_so(node: Node, signer: Signer, own: bytes) -> None:
    origin = Origin(account=signer.address)
    evm.disable_whitelist(node.ledger, ROOT, disabled=False)
    with pytest.raises(DispatchError, match="NotAllowed"):
        evm.create_contract(node.ledger, origin, **creation(own))
    evm.set_whitelist(node.ledger, ROOT, new=["0x" + own.hex()])
    evm.create_contract(node.ledger, origin, **creation(own))


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        ({"nonce": 7}, "InvalidNonce"), ({"gas_limit": 50_000}, "GasLimitTooLow"),
        ({"gas_limit": 80_000_000}, "GasLimitTooHigh"), ({"max_fee_per_gas": 1}, "GasPriceTooLow"),
        ({"max_priority_fee_per_gas": 41 * GWEI}, "GasPriceTooLow"), ({"value": 10**24}, "BalanceLow"),
        ({"source": "0x" + "11" * 20}, "BadOrigin"),
    ],
)  # fmt: skip
def test_what_may_not_begin_changes_nothing(
    node: Node, signer: Signer, own: bytes, parts: dict[str, Any], error: str
) -> None:
    before = node.state.latest()
    with node.state.layer(), pytest.raises(DispatchError, match=error):
        evm.create_contract(node.ledger, Origin(account=signer.address), **creation(own, **parts))
    assert node.state.latest() == before
