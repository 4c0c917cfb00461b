"""Who sits where in a run: a uid, the hotkey that signs for it, and what its process was started as."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast, get_args

from subnetlab.errors import ManifestInvalid
from subnetlab.record.events import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """One place on the subnet; `hotkey` is an ss58 address."""

    uid: int
    hotkey: str
    role: Role

    def to_json(self) -> dict[str, Any]:
        """The seat as the record keeps it."""
        return {"uid": self.uid, "hotkey": self.hotkey, "role": self.role}

    @staticmethod
    def from_json(data: dict[str, Any]) -> "Seat":
        """Read a seat back.

        Raises:
            ManifestInvalid: a field is missing or the role is unknown.
        """
        role = data.get("role")
        if role not in get_args(Role) or not isinstance(data.get("uid"), int) or not data.get("hotkey"):
            raise ManifestInvalid(f"{data!r} is not a seat.", hint="Give uid, hotkey and a known role.")
        return Seat(uid=data["uid"], hotkey=str(data["hotkey"]), role=cast("Role", role))


def miners(seats: Sequence[Seat]) -> list[Seat]:
    """The seats whose payloads are judged, in uid order; a free rider looks like any other miner here."""
    judged = [seat for seat in seats if seat.role in ("miner", "free_rider")]
    return sorted((replace(seat, role="miner") for seat in judged), key=lambda seat: seat.uid)


def lead_order(seats: Sequence[Seat]) -> list[Seat]:
    """The validators in the order in which they lead, highest stake first: the order they were given in."""
    return [seat for seat in seats if seat.role == "validator"]
