import errno

import pytest

from subnetlab.errors import StoreUnreachable
from subnetlab.fleet.messages import Farewell, PeerStopped, Working, decode, encode, farewell_after
from subnetlab.record.events import PeerReady, RunStatus, Stepped


def test_events_and_farewells_come_through() -> None:
    events = [PeerReady(uid=3, pid=7, seconds=1.5), Stepped(uid=3, round=0, first_step=0, losses=[5.5, 5.25])]
    assert decode(encode(list(events))) == events
    farewell = Farewell(outcome=RunStatus.FAILED, reason="The disk is full.")
    assert decode(encode(farewell)) == farewell
    assert decode(encode(Working(cpu_s=1.5))) == Working(cpu_s=1.5)


@pytest.mark.parametrize(
    ("error", "outcome", "reason"),
    [
        (None, "finished", ""),
        (PeerStopped(), "stopped", "It was told to stop."),
        (ValueError("The model is no model."), "failed", "ValueError: The model is no model."),
        (MemoryError(), "interrupted", "The machine is out of memory."),
        (StoreUnreachable("The store is gone."), "interrupted", "The store is gone."),
        (OSError(errno.ENOSPC, "No space left on device"), "interrupted", "The disk is full."),
    ],
)
def test_how_a_peer_ended_is_its_farewell(error: BaseException | None, outcome: str, reason: str) -> None:
    farewell = farewell_after(error)
    assert (farewell.outcome, farewell.reason) == (outcome, reason)


def test_an_unknown_event_is_dropped_and_the_rest_kept() -> None:
    assert decode(b'[{"kind": "sang"}, {"kind": "peer_ready", "uid": 1, "pid": 2, "seconds": 3}]') == [
        PeerReady(uid=1, pid=2, seconds=3)
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"3",
        b'"x"',
        b"[3]",
        b'[{"kind": "peer_ready"}]',
        b'{"farewell": "bored"}',
        b'{"farewell": "running"}',
        b'{"working": "much"}',
        b"{}",
    ],
)
def test_bad_bytes_are_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(data)
