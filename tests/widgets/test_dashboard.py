"""The head of a run's dashboard says whose money it is, by what the chain says of itself."""

from dataclasses import replace

import pytest

from subnetlab.record.events import from_json, to_json
from subnetlab_widgets.dashboard.widget import foreseen, header_of

from .recorded import started


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
