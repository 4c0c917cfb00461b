"""What `LocalFleet(device=)` takes: one word, a list by miner, or a mapping by miner and role.

Looks for no device; `train.devices` does.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeAlias, cast

from subnetlab.errors import ArgumentInvalid
from subnetlab.text import kind_of
from subnetlab.train.devices import AUTO, CPU, is_device

Devices: TypeAlias = str | Sequence[str] | Mapping[int | str, str]
"""A word for all peers, words for the miners in order, or words by miner, counted from 0, and by role."""

_ROLES: Final = ("miner", "validator", "baseline")
_KNOWN: Final = 'Give "auto", "cpu", "cuda", "cuda:1" or "mps", or one of them for each miner.'
_BY_PLACE: Final = 'Give {0: "cuda:0", "miner": "cuda", "validator": "cpu", "baseline": "cpu"}, any of them.'


def check_words(given: object, *, miners: int) -> None:
    """Refuse words that name no device, and keys that name no peer of the fleet; looks for no device.

    Raises:
        ArgumentInvalid: one is found.
    """
    if isinstance(given, Mapping):
        by = cast("Mapping[object, object]", given)
        for place in by:
            if place not in _ROLES and not (type(place) is int and 0 <= place < miners):
                raise ArgumentInvalid(
                    f"device has the key {place!r}, which is no role and none of {miners} miners, from 0.",
                    hint=_BY_PLACE,
                )
        said = list(by.values())
    elif isinstance(given, list | tuple):
        said = list(cast("Sequence[object]", given))
        if len(said) != miners:
            raise ArgumentInvalid(f"device lists {len(said)} devices for {miners} miners.", hint=_BY_PLACE)
    else:
        said = [given]
    for word in said:
        if word != AUTO and not is_device(word):
            shown = repr(word)[:60] if isinstance(word, str) else kind_of(word)
            raise ArgumentInvalid(f"device={shown} names no device.", hint=_KNOWN)


def words(given: Devices, roles: Sequence[str], baselines: int) -> list[tuple[str, str]]:
    """The name of each peer and its device's word, in the order of a fleet's places, the baselines last.

    A peer that `given` does not mention has "auto".
    """
    if isinstance(given, str):
        by: Mapping[int | str, str] = dict.fromkeys(_ROLES, given)
    else:
        by = given if isinstance(given, Mapping) else dict(enumerate(given))
    found: list[tuple[str, str]] = []
    for number, role in enumerate(roles):
        if role == "validator":
            found.append(("a validator", by.get(role, AUTO)))
        else:
            found.append((f"miner {number}", by.get(number, by.get("miner", AUTO))))
    return found + [("a baseline", by.get("baseline", AUTO))] * baselines


def device_note(devices: Iterable[str]) -> str:
    """On what the peers of a run compute, as a sentence; empty where all compute on the CPU."""
    counted = Counter(devices)
    if set(counted) <= {CPU}:
        return ""
    return (
        f"Peers compute on {', '.join(f'{device} ({number})' for device, number in sorted(counted.items()))}."
    )
