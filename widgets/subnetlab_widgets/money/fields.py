"""The fields of a form, as the page draws them and as a person may fill them in."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One entry of a list."""

    value: str
    label: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a form."""

    name: str
    label: str
    kind: Literal["amount", "number", "text", "choice"] = "text"
    value: str = ""
    """What it shows at first."""
    unit: str = ""
    placeholder: str = ""
    choices: tuple[Choice, ...] = ()
    names: tuple[str, ...] = ()
    """What a text may be completed to."""
    only: tuple[str, ...] = ()
    """The values of the field `action` for which it is there; always where empty."""

    def as_json(self) -> dict[str, Any]:
        """As the page takes it."""
        return asdict(self)


LONGEST = 2000
"""Characters of a field; a whole keyfile fits, so that one that was pasted is recognised and refused."""


def filled(fields: Mapping[str, str], told: Any) -> dict[str, str] | None:
    """Every field as a page tells it, or as it was at first; None where the page tells something else.

    Args:
        fields: the names of a form's fields, with what they show at first.
        told: what a page says.
    """
    if not isinstance(told, dict) or not set(told) <= set(fields):
        return None
    if not all(isinstance(value, str) and len(value) <= LONGEST for value in told.values()):
        return None
    return {**fields, **told}
