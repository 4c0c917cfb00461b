"""What the peers of a public run say of their rounds: events, signed by the hotkey, in the store.

No peer needs them to take part, and no rule goes by them: a record that an observer keeps has them beside
what it proved itself. What a stranger wrote is bounded and checked before it becomes an event.
"""

import contextlib
import json
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from subnetlab.archive.validate import validate_event
from subnetlab.errors import ObjectExists, ObjectMissing, ObjectTooLarge
from subnetlab.record.events import Event, Mined, Scored, WeightsSet, from_json, to_json
from subnetlab.store.base import Reader, Store
from subnetlab.train import object_paths
from subnetlab.train.hashing import digest
from subnetlab.train.payload.seal import verify

KINDS: Final = (Mined, Scored, WeightsSet)
"""What a report may hold."""
_LIMIT: Final = 1 << 20
_UNREADABLE: Final = (
    AttributeError, LookupError, RecursionError, TypeError, ValueError,
)  # fmt: skip
"""What reading something else than a report raises."""
_MOST_REPORTS: Final = 16
"""Of one peer and round: one that is started again writes another."""
_MOST_EVENTS: Final = 4096


def put_report(
    store: Store, run: str, uid: int, events: Sequence[Mined | Scored | WeightsSet],
    sign: Callable[[bytes], bytes],
) -> None:  # fmt: skip
    """Sign what a peer reported in a round, at least one event, and put it into the store.

    Raises:
        StoreUnreachable: nothing was written.
    """
    round_ = events[0].round
    body = json.dumps([to_json(event) for event in events], allow_nan=False)
    signature = sign(_text(run, round_, uid, body)).hex()
    data = json.dumps({"events": body, "signature": signature}).encode()
    for number in range(_MOST_REPORTS):
        with contextlib.suppress(ObjectExists):  # of this peer before it was started again
            store.put(f"{object_paths.reports(round_, uid)}/{number}", data)
            return


def read_reports(place: Reader, run: str, round_: int, uid: int, hotkey: str) -> list[Event]:
    """What a peer reported of a round, from its place; what it did not sign or speaks of others is left out.

    Raises:
        StoreUnreachable: the store did not answer.
    """
    found: list[Event] = []
    for number in range(_MOST_REPORTS):
        try:
            data = place.get(f"{object_paths.reports(round_, uid)}/{number}", _LIMIT)
        except (ObjectMissing, ObjectTooLarge):
            break
        with contextlib.suppress(*_UNREADABLE):
            said = json.loads(data)
            body, signature = str(said["events"]), bytes.fromhex(said["signature"])
            if verify(hotkey, _text(run, round_, uid, body), signature):
                found += _events(body, round_, uid)
    return found


def _text(run: str, round_: int, uid: int, body: str) -> bytes:
    return digest("report", run, round_, uid, body)


def _events(body: str, round_: int, uid: int) -> list[Event]:
    """The events of a report.

    Raises:
        ValueError, or another of `_UNREADABLE`: one of them is none, or speaks for another peer or round.
    """
    items = cast("list[Any]", json.loads(body))
    events = [from_json(item) for item in items[:_MOST_EVENTS]]
    found = [event for event in events if isinstance(event, KINDS)]
    for event in found:
        validate_event(event)
        speaks = event.uid if isinstance(event, Mined) else event.validator
        if speaks != uid or event.round != round_:
            raise ValueError("a report speaks for another peer or round")
    return list(found)
