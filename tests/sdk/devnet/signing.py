"""Extrinsics signed the way a client signs them, with every part open to be wrong."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from bittensor_core import Keypair

from subnetlab.devnet.node.node import Node


@dataclass
class Signer:
    """A development key at one node."""

    node: Node
    keys: Keypair

    @property
    def address(self) -> str:
        return self.keys.ss58_address

    def call(self, pallet: str, function: str, **arguments: Any) -> bytes:
        return bytes(self.node.codec.runtime.compose_call(pallet, function, arguments))

    def transfer(self, to: str, amount: int, **parts: Any) -> bytes:
        return self.sign(self.call("Balances", "transfer_keep_alive", dest=to, value=amount), **parts)

    def sign(
        self,
        call: bytes,
        *,
        nonce: int = 0,
        tip: int = 0,
        period: int | None = None,
        genesis_hash: bytes | None = None,
        signature: bytes | None = None,
    ) -> bytes:
        """A signed extrinsic, mortal for `period` blocks from the head where one is given."""
        runtime, blocks = self.node.codec.runtime, self.node.blocks
        era: Any = "00" if period is None else {"period": period, "current": blocks.head.number}
        birth = blocks.genesis if period is None else blocks.head
        included, implied = runtime.signature_payload_parts(
            era=era, nonce=nonce, tip=tip, tip_asset_id=None,
            genesis_hash=genesis_hash or blocks.genesis.hash,
            era_block_hash=(genesis_hash or birth.hash) if period is None else birth.hash,
        )  # fmt: skip
        payload = call + bytes(included) + bytes(implied)
        if len(payload) > 256:
            payload = blake2b(payload, digest_size=32).digest()
        data, _ = runtime.encode_signed_extrinsic(
            call, public_key=bytes(self.keys.public_key), signature=signature or self.keys.sign(payload),
            signature_version=1, era=era, nonce=nonce, tip=tip, tip_asset_id=None,
        )  # fmt: skip
        return bytes(data)
