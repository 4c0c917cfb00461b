"""Signatures of hotkeys as Subtensor checks them: sr25519 over the bytes, by the chain's core library."""

from bittensor_core import Keypair


def verify(hotkey: str, message: bytes, signature: bytes) -> bool:
    """Whether the owner of an ss58 address signed a message; False for anything malformed."""
    try:
        return bool(Keypair(ss58_address=hotkey).verify(message, signature))
    except (ValueError, TypeError):
        return False
