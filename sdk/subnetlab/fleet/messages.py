"""What a peer process says to its supervisor over a pipe: events, how much it worked, and one farewell.

JSON and not pickle, so that a supervisor never runs what a peer sends; a peer that dies without a farewell is
recognised by the end of its pipe.
"""

import errno
import json
from dataclasses import dataclass
from typing import Any, Final

from subnetlab.errors import ModelDiverged, NodeUnreachable, StoreUnreachable, SubnetLabError
from subnetlab.record.events import Event, RunStatus, from_json, to_json

_OUTCOMES: Final = (
    RunStatus.FINISHED, RunStatus.STOPPED, RunStatus.FAILED, RunStatus.DIVERGED, RunStatus.INTERRUPTED,
)  # fmt: skip


class PeerStopped(BaseException):
    """The peer was asked to end; not an `Exception`, so that nothing on the way up takes it for a failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Farewell:
    """A peer's last words: how it ended, and why in one sentence.

    `interrupted`: what the peer works with is away (the chain, the store, disk or memory); it may work again.
    """

    outcome: RunStatus
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Working:
    """How much processor time a process has used so far, in seconds."""

    cpu_s: float


Message = list[Event] | Farewell | Working


def encode(message: Message) -> bytes:
    """One message as bytes."""
    if isinstance(message, Farewell):
        return json.dumps({"farewell": message.outcome, "reason": message.reason}).encode()
    if isinstance(message, Working):
        return json.dumps({"working": message.cpu_s}).encode()
    return json.dumps([to_json(event) for event in message], allow_nan=False).encode()


def decode(data: bytes) -> Message:
    """Read one message, dropping events of unknown kind.

    Raises:
        ValueError: not a message.
    """
    content: Any = json.loads(data)
    if isinstance(content, dict):
        return _from_dict(content)
    if not isinstance(content, list):
        raise ValueError("a message is a list of events or a farewell")  # noqa: TRY004 - one error for bad bytes
    try:
        events = [from_json(item) for item in content]
    except (TypeError, AttributeError) as error:
        raise ValueError(f"not an event: {error}") from error
    return [event for event in events if event is not None]


def _from_dict(content: dict[str, Any]) -> Farewell | Working:
    if isinstance(content.get("working"), float | int):
        return Working(cpu_s=float(content["working"]))
    outcome = content.get("farewell")
    if outcome not in _OUTCOMES:
        raise ValueError(f"no farewell is called {outcome!r}")
    return Farewell(outcome=RunStatus(outcome), reason=str(content.get("reason", "")))


def farewell_after(error: BaseException | None) -> Farewell:
    """The last words of a peer that ended with this exception, or without one."""
    if error is None:
        return Farewell(outcome=RunStatus.FINISHED, reason="")
    if isinstance(error, PeerStopped):
        return Farewell(outcome=RunStatus.STOPPED, reason="It was told to stop.")
    if not _is_away(error):
        outcome = RunStatus.DIVERGED if isinstance(error, ModelDiverged) else RunStatus.FAILED
        return Farewell(outcome=outcome, reason=sentence(error))
    # What to do next is the supervisor's to say where something else is away.
    reason = str(error.args[0]) if isinstance(error, SubnetLabError) else sentence(error)
    return Farewell(outcome=RunStatus.INTERRUPTED, reason=reason)


def _is_away(error: BaseException) -> bool:
    """Whether the peer did nothing wrong, and could go on once something else is back."""
    full = isinstance(error, OSError) and error.errno == errno.ENOSPC
    return full or isinstance(error, NodeUnreachable | StoreUnreachable | MemoryError)


def sentence(error: BaseException) -> str:
    """An exception as one sentence that a person can act on."""
    if isinstance(error, SubnetLabError):
        return str(error)
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "The disk is full."
    if isinstance(error, MemoryError):
        return "The machine is out of memory."
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else f"{type(error).__name__}."
