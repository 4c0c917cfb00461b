"""The record survives being torn at any byte, and shows being changed at any byte."""

import hashlib
import json
import math
import multiprocessing
import os
import resource
import signal
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subnetlab.errors import RecordCorrupt, RecordError
from subnetlab.record.events import KINDS, Event, PeerGone, RunEnded, Stepped, to_json
from subnetlab.record.line import ROOT_HASH, decode, encode
from subnetlab.record.reader import Tail, follow, read, verify
from subnetlab.record.writer import RecordWriter

EVENTS: list[Event] = [
    PeerGone(uid=3, reason="killed"),
    Stepped(uid=1, round=0, first_step=0, losses=[2.5, 2.25, 0.1 + 0.2]),
    Stepped(uid=1, round=0, first_step=3, losses=[2.5]),
    PeerGone(uid=4, reason='a "quote", a \n newline, an "hash":" and a τ'),
    RunEnded(status="finished", reason="", block=12, wall_s=1.5),
]
MORE = PeerGone(uid=9, reason="appended afterwards")


def lines_of(events: list[Event]) -> bytes:
    previous, whole = ROOT_HASH, b""
    for seq, event in enumerate(events):
        line, entry = encode(event, seq=seq, time=100.0 + seq, previous=previous)
        previous, whole = entry.hash, whole + line
    return whole


WHOLE = lines_of(EVENTS)
ENDS = [0, *(index + 1 for index, byte in enumerate(WHOLE) if byte == ord("\n"))]


def events_in(path: Path) -> list[Event | None]:
    return [entry.event for entry in read(path)]


def test_what_was_appended_is_read_back_in_order(tmp_path: Path) -> None:
    ticks = iter([100.0, 101.0, 99.0, 103.0, 104.0])
    with RecordWriter(tmp_path / "run" / "record.jsonl", clock=lambda: next(ticks)) as writer:
        written = [writer.append(event) for event in EVENTS]
    assert list(read(writer.path)) == written
    assert [entry.event for entry in written] == EVENTS
    assert [entry.time for entry in written] == [100.0, 101.0, 101.0, 103.0, 104.0]
    assert verify(writer.path).entries == len(EVENTS)
    assert verify(writer.path).hash == written[-1].hash


def test_a_number_that_is_not_finite_is_strict_json_and_read_back_as_nan(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    with RecordWriter(path) as writer:
        writer.append(Stepped(uid=1, round=0, first_step=0, losses=[math.inf, math.nan, 1.5]))

    def refused(word: str) -> float:
        raise AssertionError(f"the record holds {word}, which is no JSON")

    json.loads(path.read_text(), parse_constant=refused)
    (entry,) = read(path)
    assert entry.data["losses"] == [None, None, 1.5]
    assert isinstance(entry.event, Stepped)
    assert math.isnan(entry.event.losses[0])
    assert entry.event.losses[2] == 1.5


def test_a_record_that_an_older_version_wrote_with_nan_still_opens(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    event = '{"kind":"stepped","uid":1,"round":0,"first_step":0,"losses":[NaN]}'
    path.write_bytes(resealed(f'{{"seq":0,"time":1.0,"event":{event}'.encode()))
    (found,) = events_in(path)
    assert isinstance(found, Stepped)
    assert math.isnan(found.losses[0])


def test_every_kind_of_event_has_its_own_name() -> None:
    assert {cls.__name__ for cls in KINDS.values()} == {cls.__name__ for cls in Event.__subclasses__()}
    assert all(cls.kind == kind for kind, cls in KINDS.items())


@settings(deadline=None, max_examples=60)
@given(cut=st.integers(0, len(WHOLE)), garbage=st.binary(max_size=40).filter(lambda b: b"\n" not in b))
def test_torn_at_any_byte_the_prefix_reads_and_the_record_goes_on(
    tmp_path_factory: pytest.TempPathFactory, cut: int, garbage: bytes
) -> None:
    path = tmp_path_factory.mktemp("torn") / "record.jsonl"
    whole = sum(end <= cut for end in ENDS) - 1
    path.write_bytes(WHOLE[:cut] + garbage)
    assert events_in(path) == EVENTS[:whole]
    assert verify(path).torn_bytes == cut - ENDS[whole] + len(garbage)
    with RecordWriter(path) as writer:
        assert writer.seq == whole
        writer.append(MORE)
    assert events_in(path) == [*EVENTS[:whole], MORE]
    assert verify(path).torn_bytes == 0


@settings(deadline=None, max_examples=100)
@given(place=st.integers(0, len(WHOLE) - 1), flip=st.integers(1, 255))
def test_changed_at_any_byte_the_line_is_named_and_nothing_is_appended(
    tmp_path_factory: pytest.TempPathFactory, place: int, flip: int
) -> None:
    path = tmp_path_factory.mktemp("changed") / "record.jsonl"
    changed = bytearray(WHOLE)
    changed[place] ^= flip
    path.write_bytes(changed)
    line = sum(end <= place for end in ENDS)
    if place == len(WHOLE) - 1:  # the last newline: an unfinished line, not a wrong one
        assert verify(path).entries == len(EVENTS) - 1
        return
    with pytest.raises(RecordCorrupt, match=f"Line {line} of the record"):
        verify(path)
    with pytest.raises(RecordCorrupt):
        RecordWriter(path)
    assert path.read_bytes() == changed


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda lines: [*lines[:1], *lines[2:]], id="a line removed"),
        pytest.param(lambda lines: [lines[1], lines[0], *lines[2:]], id="two lines swapped"),
        pytest.param(lambda lines: [*lines[:2], *lines[1:]], id="a line repeated"),
        pytest.param(lambda lines: lines[1:], id="the beginning cut off"),
        pytest.param(lambda lines: [*lines, b"{}\n"], id="something that is no line"),
        pytest.param(lambda lines: [*lines, b"\n"], id="an empty line"),
    ],
)
def test_lines_cannot_be_rearranged(tmp_path: Path, damage) -> None:
    path = tmp_path / "record.jsonl"
    path.write_bytes(b"".join(damage(WHOLE.splitlines(keepends=True))))
    with pytest.raises(RecordCorrupt):
        verify(path)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (1, "It is the first line, so none is intact; restore the file from a copy to get the rest."),
        (2, "Line 1 is intact; restore"),
        (3, "Lines 1 to 2 are intact; restore"),
    ],
)
def test_what_is_sound_before_a_changed_line_is_said(tmp_path: Path, line: int, said: str) -> None:
    lines = WHOLE.splitlines(keepends=True)
    lines[line - 1] = lines[line - 1].replace(b"{", b"[", 1)
    (tmp_path / "record.jsonl").write_bytes(b"".join(lines))
    with pytest.raises(RecordCorrupt) as caught:
        verify(tmp_path / "record.jsonl")
    assert said in str(caught.value)


def test_a_line_whose_chain_is_right_but_whose_number_is_not_is_refused(tmp_path: Path) -> None:
    first, entry = encode(EVENTS[0], seq=0, time=1.0, previous=ROOT_HASH)
    second, _ = encode(EVENTS[1], seq=2, time=2.0, previous=entry.hash)
    (tmp_path / "record.jsonl").write_bytes(first + second)
    with pytest.raises(RecordCorrupt, match="it says 2 where 1 comes next"):
        verify(tmp_path / "record.jsonl")


@pytest.mark.parametrize(
    "body", ['{"seq":0,"time":0.0,"event":' + "[" * 200_000, '{"seq":1e999,"time":0.0,"event":{}']
)
def test_a_line_that_no_parser_can_hold_is_a_corrupt_one(body: str) -> None:
    chained = bytes.fromhex(ROOT_HASH) + body.encode()
    digest = hashlib.blake2b(chained, digest_size=32, person=b"subnetlab-record").hexdigest()
    line = f'{body},"hash":"{digest}"}}'.encode()
    with pytest.raises(RecordCorrupt, match="cannot be read"):
        decode(line, seq=0, previous=ROOT_HASH, number=1)


def test_a_kind_from_a_newer_version_is_kept_as_data(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    line, _ = encode(EVENTS[0], seq=0, time=1.0, previous=ROOT_HASH)
    data = to_json(EVENTS[0])
    path.write_bytes(line)
    assert [entry.data for entry in read(path)] == [data]
    body = b'{"seq":0,"time":1.0,"event":{"kind":"dreamt","uid":1}'
    path.write_bytes(resealed(body))
    assert [(entry.event, entry.data["kind"]) for entry in read(path)] == [(None, "dreamt")]


def resealed(body: bytes) -> bytes:
    from hashlib import blake2b

    digest = blake2b(bytes(32) + body, digest_size=32, person=b"subnetlab-record").hexdigest()
    return body + b',"hash":"' + digest.encode() + b'"}\n'


def test_a_tail_reads_nothing_twice_and_waits_for_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    tail = Tail(path)
    assert list(tail.entries()) == []
    path.write_bytes(WHOLE[: ENDS[2] + 5])
    assert [entry.event for entry in tail.entries()] == EVENTS[:2]
    assert tail.offset == ENDS[2]
    assert list(tail.entries()) == []
    path.write_bytes(WHOLE)
    assert [entry.event for entry in tail.entries()] == EVENTS[2:]
    path.write_bytes(WHOLE[: ENDS[2]])
    with pytest.raises(RecordCorrupt, match="lost lines"):
        list(tail.entries())


def test_follow_delivers_a_growing_record_to_its_end(tmp_path: Path) -> None:
    path, stop = tmp_path / "record.jsonl", threading.Event()
    seen, three = [], threading.Event()

    def watch() -> None:
        for entry in follow(path, stop=stop, poll_s=0.005):
            seen.append(entry.event)
            if len(seen) == 3:
                three.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    with RecordWriter(path) as writer:
        for event in EVENTS[:3]:
            writer.append(event)
        assert three.wait(300)
        for event in EVENTS[3:]:
            writer.append(event)
        stop.set()
    watcher.join(300)
    assert seen == EVENTS


def test_there_is_one_writer_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    with RecordWriter(path) as writer:
        with pytest.raises(RecordError, match="Another process writes"):
            RecordWriter(path)
        writer.append(MORE)
    with RecordWriter(path) as writer:
        assert writer.seq == 1
    with pytest.raises(RecordError, match="is closed"):
        writer.append(MORE)


def _append_until_killed(path: Path) -> None:
    with RecordWriter(path, sync_every_s=math.inf) as writer:
        while True:
            writer.append(MORE)


def test_a_killed_writer_leaves_a_record_that_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    process = multiprocessing.get_context("spawn").Process(target=_append_until_killed, args=(path,))
    process.start()
    tail = Tail(path)
    while tail.seq < 50 and process.is_alive():
        for _ in tail.entries():
            pass
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join(300)
    with RecordWriter(path) as writer:
        before = writer.seq
        writer.append(EVENTS[-1])
    assert before >= 50
    assert events_in(path) == [*[MORE] * before, EVENTS[-1]]


def test_a_full_disk_costs_the_line_and_not_the_record(tmp_path: Path) -> None:
    path, limits = tmp_path / "record.jsonl", resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with RecordWriter(path) as writer:
            writer.append(EVENTS[0])
            resource.setrlimit(resource.RLIMIT_FSIZE, (ENDS[1] + 60, limits[1]))
            with pytest.raises(RecordError, match="cannot be written"):
                writer.append(EVENTS[1])
            assert verify(path).torn_bytes == 0
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            writer.append(EVENTS[2])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, old)
    assert events_in(path) == [EVENTS[0], EVENTS[2]]


def test_no_record_is_an_error_and_not_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no record"):
        read(tmp_path / "record.jsonl")
    with pytest.raises(RecordError, match="no record"):
        verify(tmp_path / "record.jsonl")
