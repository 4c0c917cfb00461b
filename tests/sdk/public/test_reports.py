"""What peers say of themselves: signed, bounded, of their own round, or not there."""

import json

from bittensor_core import Keypair

from subnetlab.public.reports import put_report, read_reports
from subnetlab.record.events import Mined, RunEnded, Scored, to_json
from subnetlab.store.objects import open_store
from subnetlab.train import object_paths
from subnetlab.train.hashing import digest

RUN = "ab" * 32
KEY = Keypair.create_from_uri("//Reports")


def mined(uid: int = 3, round_: int = 1) -> Mined:
    return Mined(
        uid=uid, round=round_, loss=2.5, wire_bytes=1500, dense_bytes=9000, commitment="ab", compute_s=1.0,
        compress_s=0.1, store_s=0.1, wait_s=2.0, chain_s=0.1,
    )  # fmt: skip


def scored(validator: int = 3) -> Scored:
    return Scored(
        validator=validator, uid=1, round=1, verdict="accepted", score=1.0, loss_removed_assigned=0.1,
        loss_removed_held_out=0.1, rating=1.0, weight=1.0, norm=1.0,
    )  # fmt: skip


def test_what_a_peer_signed_is_read_back() -> None:
    store = open_store("memory")
    put_report(store, RUN, 3, [mined()], KEY.sign)
    put_report(store, RUN, 3, [scored()], KEY.sign)
    found = read_reports(store, RUN, 1, 3, KEY.ss58_address)
    assert sorted(event.kind for event in found) == ["mined", "scored"]
    assert mined() in found


def test_no_peer_speaks_for_another_run_round_or_uid() -> None:
    store = open_store("memory")
    put_report(store, RUN, 3, [mined(uid=4)], KEY.sign)
    put_report(store, RUN, 3, [scored(validator=5)], KEY.sign)
    put_report(store, "cd" * 32, 3, [mined()], KEY.sign)
    put_report(store, RUN, 3, [mined()], Keypair.create_from_uri("//Mallory").sign)
    assert read_reports(store, RUN, 1, 3, KEY.ss58_address) == []
    assert read_reports(store, RUN, 2, 3, KEY.ss58_address) == []


def test_what_is_no_report_is_passed_over() -> None:
    store = open_store("memory")
    ended = RunEnded(status="finished", reason="", block=1, wall_s=0.0)
    bodies = [
        "[]", "{", "3", "[3]", json.dumps([to_json(ended)]), '[{"kind": "mined"}]',
        json.dumps([{**to_json(mined()), "loss": "low"}]), json.dumps([{**to_json(mined()), "uid": 1 << 70}]),
        "[" * 5000,
    ]  # fmt: skip
    for number, body in enumerate(bodies):
        signature = KEY.sign(digest("report", RUN, 1, 3, body)).hex()
        data = json.dumps({"events": body, "signature": signature}).encode()
        store.put(f"{object_paths.reports(1, 3)}/{number:02}", data)
    for name, data in (
        ("x1", b"\xff"),
        ("x2", b"{}"),
        ("x3", b"[]"),
        ("x4", b'{"events": 1, "signature": 2}'),
    ):
        store.put(f"{object_paths.reports(1, 3)}/{name}", data)
    assert read_reports(store, RUN, 1, 3, KEY.ss58_address) == []
