"""Events in SCALE: the pallet's own part by the runtime's codec, the frame around it by hand.

The codec looks a pallet up among all pallets for every event, which takes most of its time. How each kind of
event is framed is compared with the codec's whole answer once; a kind that differs stays with the codec. The
types are read when a node has had some transactions: a node without any does not hold them in memory.
"""

import json
from collections.abc import Callable
from typing import Any, Final, NamedTuple

Encode = Callable[[str, Any], bytes]
EVENTS_BEFORE: Final = 32
"""Events of transactions that the codec encodes alone, before the types are read."""
_NO_TOPICS: Final = b"\0"


class Frame(NamedTuple):
    """How the events of a pallet are framed."""

    pallet: bytes
    """The pallet's number."""
    type_name: str
    """Of the pallet's own event."""


class Events:
    """Encodes the events of one runtime."""

    def __init__(self, encode: Encode, list_type: str, registry: Callable[[], str]) -> None:
        """Encode by the runtime's codec; `list_type` is a block's events, `registry` JSON of types."""
        self._encode, self._list_type, self._registry = encode, list_type, registry
        self._left = EVENTS_BEFORE
        self._frames: dict[str, Frame] = {}
        self._phase_type = ""
        self._phase: tuple[Any, bytes] = (None, b"")
        self._kinds: dict[tuple[str, str], bool] = {}
        """By pallet and event, whether the frame was found to be right."""

    def encode(self, record: dict[str, Any], pallet: str, event: str) -> bytes:
        """An event's record, which has no topics.

        Raises:
            ValueError, TypeError: the runtime has no such event, or the fields do not fit it.
        """
        if self._left:
            self._count(record["phase"])
            return self._whole(record)
        known = self._kinds.get((pallet, event))
        if known:
            return self._framed(record, pallet)
        whole = self._whole(record)
        if known is None:
            self._kinds[pallet, event] = pallet in self._frames and self._framed(record, pallet) == whole
        return whole

    def _whole(self, record: dict[str, Any]) -> bytes:
        return self._encode(self._list_type, [record])[1:]  # without the list's length

    def _framed(self, record: dict[str, Any], pallet: str) -> bytes:
        phase, frame = record["phase"], self._frames[pallet]
        if phase is not self._phase[0]:
            self._phase = phase, self._encode(self._phase_type, phase)
        said = self._encode(frame.type_name, record["event"][pallet])
        return self._phase[1] + frame.pallet + said + _NO_TOPICS

    def _count(self, phase: Any) -> None:
        """Read the types once transactions have left enough events; a block's inherents do not count."""
        if not isinstance(phase, dict) or not phase["ApplyExtrinsic"]:  # pyright: ignore[reportUnknownVariableType]
            return
        self._left -= 1
        if self._left == 0:
            types = {one["id"]: one["type"]["def"] for one in json.loads(self._registry())["types"]}
            listed = types[int(self._list_type.split("::")[1])]["sequence"]["type"]
            fields = {one["name"]: one["type"] for one in types[listed]["composite"]["fields"]}
            self._phase_type = _named(fields["phase"])
            for one in types[fields["event"]]["variant"]["variants"]:
                self._frames[one["name"]] = Frame(bytes([one["index"]]), _named(one["fields"][0]["type"]))


def _named(number: int) -> str:
    return f"scale_info::{number}"
