"""Values of a fixed width, read and written without walking the runtime's types.

Every transfer reads an account and the base fee a dozen times. A layout serves where the runtime's own codec
reads and writes the same bytes; where a newer runtime has another type, its codec serves alone.
"""

from collections.abc import Callable, Mapping
from struct import Struct, error
from typing import Any, Final, NamedTuple

Decode = Callable[[bytes], Any]
Encode = Callable[[Any], bytes]
_ACCOUNT: Final = Struct("<4I3Q16s")
_U256_BYTES: Final = 32


class Layout(NamedTuple):
    """How the values of one storage item are laid out."""

    size: int
    decode: Decode
    encode: Encode | None = None
    """None leaves writing to the runtime's codec."""

    def joined(self, decode: Decode, encode: Encode) -> tuple[Decode, Encode]:
        """What reads and writes the item: the layout where the runtime's codec agrees, else that codec."""
        samples = [bytes(self.size), bytes(range(1, self.size + 1)), b"\xff" * self.size]
        try:
            if any(self.decode(one) != decode(one) for one in samples):
                return decode, encode
            own = self.encode
            if own is None:
                return self.decode, encode
            if any(own(decode(one)) != one for one in samples):
                return decode, encode
        except ValueError:
            return decode, encode

        def encode_value(value: Any) -> bytes:
            try:
                return own(value)
            except (error, LookupError, TypeError, AttributeError, OverflowError):
                return encode(value)  # it says what is wrong

        return self.decode, encode_value


def _decode_account(data: bytes) -> dict[str, Any]:
    if len(data) != _ACCOUNT.size:
        raise ValueError(f"an account has {_ACCOUNT.size} bytes")
    nonce, consumers, providers, sufficients, free, reserved, frozen, flags = _ACCOUNT.unpack(data)
    held = {"free": free, "reserved": reserved, "frozen": frozen, "flags": int.from_bytes(flags, "little")}
    counted = {"nonce": nonce, "consumers": consumers, "providers": providers, "sufficients": sufficients}
    return {**counted, "data": held}


def _encode_account(account: dict[str, Any]) -> bytes:
    held = account["data"]
    return _ACCOUNT.pack(
        account["nonce"], account["consumers"], account["providers"], account["sufficients"],
        held["free"], held["reserved"], held["frozen"], held["flags"].to_bytes(16, "little"),
    )  # fmt: skip


def _decode_u256(data: bytes) -> int:
    if len(data) != _U256_BYTES:
        raise ValueError(f"a number has {_U256_BYTES} bytes")
    return int.from_bytes(data, "little")


LAYOUTS: Mapping[tuple[str, str], Layout] = {
    ("System", "Account"): Layout(_ACCOUNT.size, _decode_account, _encode_account),
    ("BaseFee", "BaseFeePerGas"): Layout(_U256_BYTES, _decode_u256),
}
"""By pallet and storage item."""
