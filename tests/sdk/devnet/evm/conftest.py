"""A chain with a funded Ethereum key, and what it sends."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from eth_account import Account
from eth_utils import to_checksum_address
from tests.sdk.devnet.signing import Signer

from subnetlab.devnet.chain import ethereum_admission
from subnetlab.devnet.chain.scale import Reader
from subnetlab.devnet.evm.accounts import AccountDatabase
from subnetlab.devnet.evm.addresses import created, mirror
from subnetlab.devnet.evm.block import Receipt
from subnetlab.devnet.evm.block_scale import decode_receipt, read_vector
from subnetlab.devnet.evm.keccak import keccak
from subnetlab.devnet.evm.transaction import Transaction, decode
from subnetlab.devnet.node.node import Node
from subnetlab.devnet.pallets import balances

GWEI, TAO = 10**9, 10**18
FUNDS_RAO = 1000 * 10**9


@dataclass
class Wallet:
    """An Ethereum key at one node, with every part of a transaction open to be wrong."""

    node: Node
    key: Any = field(default_factory=lambda: Account.from_key("0x" + "11" * 32))

    @property
    def address(self) -> bytes:
        return bytes.fromhex(self.key.address[2:])

    @property
    def mirror(self) -> str:
        return mirror(self.address)

    @property
    def rao(self) -> int:
        return balances.free(self.node.ledger, self.mirror)

    def nonce(self) -> int:
        return int(self.node.ledger.get("System", "Account", self.mirror)["nonce"])

    def sign(self, **parts: Any) -> Transaction:
        fields = {
            "to": "0x" + "22" * 20, "value": 0, "gas": 21_000, "maxFeePerGas": 40 * GWEI,
            "maxPriorityFeePerGas": GWEI, "nonce": self.nonce(), "chainId": 42, "data": b"", **parts,
        }  # fmt: skip
        if "gasPrice" in parts:
            fields = {k: v for k, v in fields.items() if not k.startswith("max")}
        fields = {k: v for k, v in fields.items() if v is not None}
        return decode(bytes(self.key.sign_transaction(fields).raw_transaction))

    def submit(self, **parts: Any) -> Transaction:
        return self.submit_signed(self.sign(**parts))

    def submit_signed(self, transaction: Transaction) -> Transaction:
        self.node.submit(ethereum_admission.wrapped(self.node.ledger, transaction))
        return transaction

    def resigned(self, transaction: Transaction) -> Transaction:
        """The same transaction with a signature over what it is now."""
        message = keccak(transaction._enveloped(transaction._fields()))
        signature = self.key._key_obj.sign_msg_hash(message)
        return replace(transaction, parity=signature.v, r=signature.r, s=signature.s)

    def create(self, code: bytes, **parts: Any) -> bytes:
        """Create a contract; its address."""
        transaction = self.submit(to="", data=code, **{"gas": 3_000_000, **parts})
        self.node.seal()
        assert receipts(self.node)[-1].succeeded
        return created(self.address, transaction.nonce)

    def call(self, to: bytes, data: bytes = b"", **parts: Any) -> Receipt:
        return self.send(to=to_checksum_address(to), data=data, **{"gas": 500_000, **parts})

    def send(self, **parts: Any) -> Receipt:
        """Submit, seal, and read the receipt of the block's last transaction."""
        self.submit(**parts)
        self.node.seal()
        return receipts(self.node)[-1]


def receipts(node: Node) -> tuple[Receipt, ...]:
    raw = node.state.get(node.codec.key("Ethereum", "CurrentReceipts")) or b""
    return read_vector(Reader(raw), decode_receipt)


def code_of(node: Node, address: bytes) -> bytes:
    """The code of an address. What reads it loads the engine, which bounds recursion, before any test."""
    return AccountDatabase(node.ledger).get_code(address)


def funded(node: Node, signer: Signer) -> Wallet:
    """A wallet that a transfer of the chain's own gave money to."""
    node.seal()
    wallet = Wallet(node)
    node.submit(signer.transfer(wallet.mirror, FUNDS_RAO))
    node.seal()
    return wallet


@pytest.fixture
def wallet(node: Node, signer: Signer) -> Wallet:
    return funded(node, signer)
