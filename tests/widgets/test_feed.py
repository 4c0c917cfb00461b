"""The stream to a page: nothing lost, nothing flooded."""

from typing import Any

import numpy as np

from subnetlab.record import events as e
from subnetlab_widgets.dashboard.feed import (
    BEAT_S,
    BYTES_PER_MESSAGE,
    FIRST_ROWS,
    IN_FLIGHT_BYTES,
    LONGEST_PAUSE_S,
    SHORTEST_PAUSE_S,
    SILENT_S,
    Feed,
    pause,
    thinned,
)
from subnetlab_widgets.dashboard.round_table import RoundTable
from tests.widgets.recorded import mined, one_round, run


class Page:
    """What a browser would have received."""

    def __init__(self) -> None:
        self.messages: list[tuple[dict[str, Any], list[bytes]]] = []

    def __call__(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        self.messages.append((content, buffers))

    def rows(self) -> list[int]:
        """The rounds received, in order of arrival."""
        out: list[int] = []
        for content, buffers in self.messages:
            if content["k"] == "rows":
                out += [int(r) for r in np.frombuffer(buffers[0], "<f4").reshape(-1, self.width)[:, 0]]
        return out

    width = 0


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def closed(round_: int) -> e.RoundClosed:
    return next(event for event in one_round(round_, [3, 4], 40) if isinstance(event, e.RoundClosed))


def feed_of(
    miners: int = 4, rounds: int = 3, upto: int | None = None, clock: Clock | None = None
) -> tuple[Feed, Page]:
    first, *rest = run(miners, rounds, upto)
    assert isinstance(first, e.RunStarted)
    page = Page()
    feed = Feed(RoundTable(first), page, clock or Clock())
    feed.apply(rest)
    if feed.table.rounds:
        page.width = len(feed.table.row(1))
    return feed, page


def test_a_new_view_gets_the_whole_history() -> None:
    feed, page = feed_of(rounds=5)
    feed.flush()
    page.messages.clear()
    feed.hello()
    feed.flush()
    assert page.rows() == [1, 2, 3, 4, 5]
    assert page.messages[0][0]["status"]["state"] == "finished"


def test_a_page_that_does_not_answer_gets_two_megabytes_and_then_only_the_newest() -> None:
    feed, page = feed_of(miners=64, rounds=500, upto=1)
    uids = feed.table.miners
    for round_ in range(1, 500):
        feed.flush()
        feed.apply([mined(round_ % 7, uid) for uid in uids[:1]] + [closed(round_)])
    sent = sum(len(buffers[0]) for content, buffers in page.messages if content["k"] == "rows")
    assert IN_FLIGHT_BYTES / 2 < sent < IN_FLIGHT_BYTES
    before = len(page.messages)
    feed.acknowledge(page.messages[-1][0]["seq"])
    feed.flush()
    assert len(page.messages) == before + 1
    assert sorted(set(page.rows())) == list(range(1, 501))


def test_answers_are_owed_only_from_the_first_message_after_a_quiet_time() -> None:
    clock = Clock()
    feed, page = feed_of(upto=1, clock=clock)
    feed.flush()
    feed.acknowledge(page.messages[-1][0]["seq"])
    clock.now += 3600
    for round_ in (1, 2):
        feed.apply([closed(round_)])
        feed.flush()
        clock.now += 0.05
    assert page.rows() == [1, 2, 3]


def test_a_long_history_travels_in_bounded_messages() -> None:
    rounds = BYTES_PER_MESSAGE // (4 * 19) + 10
    feed, page = feed_of(miners=1, rounds=rounds)
    feed.flush()
    first = next(buffers for content, buffers in page.messages if content["k"] == "rows")
    assert page.width == 19
    assert BYTES_PER_MESSAGE - page.width * 4 < len(first[0]) <= BYTES_PER_MESSAGE
    feed.flush()
    assert sorted(page.rows()) == list(range(1, rounds + 1))


def test_a_new_view_first_gets_a_thinned_history_that_ends_with_the_last_round() -> None:
    feed, page = feed_of(miners=1, rounds=5000)
    feed.hello()
    feed.flush()
    first, more = page.rows(), page.messages[-1][0]["more"]
    assert len(first) <= FIRST_ROWS
    assert first[-1] == 5000
    assert more == 5000 - len(first)
    feed.flush()
    assert sorted(page.rows()) == list(range(1, 5001))
    assert page.messages[-1][0]["more"] == 0


def test_thinning_keeps_short_histories_whole_and_spreads_long_ones() -> None:
    assert thinned([]) == []
    assert thinned(list(range(FIRST_ROWS))) == list(range(FIRST_ROWS))
    steps = np.diff(thinned(list(range(10 * FIRST_ROWS + 7))))
    assert set(steps) == {11}


def test_a_silent_page_hears_more_and_more_seldom_and_an_answer_ends_that() -> None:
    clock = Clock()
    feed, page = feed_of(rounds=40, upto=1, clock=clock)
    uids, round_ = feed.table.miners, 0
    sent: list[int] = []
    clock.now += SILENT_S
    for minutes in (1, 10, 60):
        before = len(page.messages)
        for _ in range(400):
            clock.now += 60 * minutes / 400
            round_ += 1
            feed.apply(one_round(round_ % 40, uids[:1], 40))
            feed.flush()
        sent.append((len(page.messages) - before) // minutes)
    assert sent == sorted(sent, reverse=True)
    assert sent[0] > 100
    assert sent[-1] < 10
    feed.acknowledge(page.messages[-1][0]["seq"])
    before = len(page.messages)
    feed.flush()
    assert len(page.messages) == before + 1
    assert (pause(0), pause(1e9)) == (SHORTEST_PAUSE_S, LONGEST_PAUSE_S)


def test_a_quiet_run_beats_and_a_finished_one_is_still() -> None:
    clock = Clock()
    for upto, beats in ((2, 3), (None, 0)):
        feed, page = feed_of(upto=upto, clock=clock)
        feed.flush()
        for _ in range(3):
            feed.acknowledge(page.messages[-1][0]["seq"])
            clock.now += 1.5 * BEAT_S
            feed.flush()
        assert [content["k"] for content, _ in page.messages].count("beat") == beats


def test_another_table_is_streamed_from_its_first_row() -> None:
    feed, page = feed_of(rounds=3)
    feed.flush()
    first, *rest = run(4, 5)
    assert isinstance(first, e.RunStarted)
    page.messages.clear()
    feed.begin(RoundTable(first))
    feed.apply(rest)
    feed.flush()
    assert page.rows() == [1, 2, 3, 4, 5]


def test_the_pump_sends_from_its_own_thread_and_ends() -> None:
    feed, page = feed_of(rounds=2)
    feed.start()
    feed.stop()
    assert sorted(set(page.rows())) == [1, 2]
