"""What a peer process says to its supervisor over a pipe: batches of events, then one farewell.

JSON and not pickle, so that a supervisor never runs what a peer sends; a peer that dies without a farewell is
recognised by the end of its pipe.
"""

import json
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from subnetlab.record.events import Event, from_json, to_json

Outcome = Literal["finished", "stopped", "failed", "cut_off"]
"""`cut_off`: what it works with is away, the chain, the store or the disk; it may work again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Farewell:
    """A peer's last words: how it ended, and why in one sentence."""

    outcome: Outcome
    reason: str


Message = list[Event] | Farewell


def encode(message: Message) -> bytes:
    """One message as bytes."""
    if isinstance(message, Farewell):
        return json.dumps({"farewell": message.outcome, "reason": message.reason}).encode()
    return json.dumps([to_json(event) for event in message], allow_nan=False).encode()


def decode(data: bytes) -> Message:
    """Read one message, dropping events of unknown kind.

    Raises:
        ValueError: not a message.
    """
    content: Any = json.loads(data)
    if isinstance(content, dict):
        outcome = content.get("farewell")
        if outcome not in get_args(Outcome):
            raise ValueError(f"no farewell is called {outcome!r}")
        return Farewell(outcome=cast("Outcome", outcome), reason=str(content.get("reason", "")))
    if not isinstance(content, list):
        raise ValueError("a message is a list of events or a farewell")  # noqa: TRY004 - one error for bad bytes
    try:
        events = [from_json(item) for item in content]
    except (TypeError, AttributeError) as error:
        raise ValueError(f"not an event: {error}") from error
    return [event for event in events if event is not None]
