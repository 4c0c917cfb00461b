import pytest

from subnetlab.fleet.messages import Farewell, decode, encode
from subnetlab.record.events import PeerReady, Stepped


def test_events_and_farewells_come_through() -> None:
    events = [PeerReady(uid=3, pid=7, seconds=1.5), Stepped(uid=3, round=0, first_step=0, losses=[5.5, 5.25])]
    assert decode(encode(list(events))) == events
    farewell = Farewell(outcome="failed", reason="The disk is full.")
    assert decode(encode(farewell)) == farewell


def test_an_unknown_event_is_dropped_and_the_rest_kept() -> None:
    assert decode(b'[{"kind": "sang"}, {"kind": "peer_ready", "uid": 1, "pid": 2, "seconds": 3}]') == [
        PeerReady(uid=1, pid=2, seconds=3)
    ]


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"3", b'"x"', b"[3]", b'[{"kind": "peer_ready"}]', b'{"farewell": "bored"}', b"{}"]
)
def test_bad_bytes_are_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(data)
