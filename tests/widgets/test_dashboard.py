"""The head of a run's dashboard says whose money it is, by what the chain says of itself."""

from dataclasses import replace
from pathlib import Path

import pytest

from subnetlab.record.events import PeersJoined, from_json, to_json
from subnetlab.record.line import FILE_NAME
from subnetlab.record.writer import RecordWriter
from subnetlab_widgets.dashboard.widget import Dashboard, foreseen, header_of

from .recorded import run, started


@pytest.mark.parametrize(
    "network", ["devnet", "ws://localhost:40173", "ws://127.0.0.1:9944", "finney", "test"]
)
@pytest.mark.parametrize("play_money", [True, False])
def test_money_is_real_or_play_by_what_the_chain_says_and_not_by_its_name(
    network: str, play_money: bool
) -> None:
    begun = replace(started(), network=network, play_money=play_money)
    assert header_of(begun)["real_money"] is not play_money
    frame = foreseen(name="t", network=network, netuid=1, block=1, rounds=1, miners=1, play_money=play_money)
    assert header_of(frame)["real_money"] is not play_money


def test_a_record_from_before_it_was_written_down_was_made_with_play_money() -> None:
    old = to_json(started())
    del old["play_money"]
    read = from_json(old)
    assert read == started()
    assert header_of(started())["real_money"] is False


def test_the_head_says_the_unit_of_the_losses() -> None:
    begun = started()
    squared = replace(begun, manifest={**begun.manifest, "task": {"unit": "squared error"}})
    assert (header_of(begun)["unit"], header_of(squared)["unit"]) == ("nats per byte", "squared error")


def test_a_page_makes_room_for_a_miner_that_joins_and_is_sent_rows_of_that_width(tmp_path: Path) -> None:
    with RecordWriter(tmp_path / FILE_NAME) as record:
        for event in run(miners=3, rounds=4, upto=2):
            record.append(event)
        record.append(PeersJoined(seats=[{"uid": 30, "hotkey": "5New", "role": "miner"}], block=60))
    sent: list[tuple[dict, list[bytes]]] = []
    board = Dashboard(started(miners=3, rounds=4))
    board._transmit = lambda content, buffers: sent.append((content, buffers))  # type: ignore[method-assign]
    board.feed._send = board._transmit
    try:
        board.begin(tmp_path / FILE_NAME)
        board.feed.flush()
        assert [miner["uid"] for miner in board.header["miners"]] == [3, 4, 5, 30]
        rows = [content for content, _ in sent if content["k"] == "rows"]
        assert rows[-1]["miners"] == 4
    finally:
        board.close()
