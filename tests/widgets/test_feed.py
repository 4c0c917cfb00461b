"""The stream to a page: nothing lost, nothing flooded."""

from typing import Any

import numpy as np

from subnetlab.record import events as e
from subnetlab_widgets.dashboard.feed import MAX_UNANSWERED, ROWS_PER_MESSAGE, Feed
from subnetlab_widgets.dashboard.story import Story
from tests.widgets.recorded import one_round, run


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


def feed_of(miners: int = 4, rounds: int = 3, upto: int | None = None) -> tuple[Feed, Page]:
    first, *rest = run(miners, rounds, upto)
    assert isinstance(first, e.RunStarted)
    page = Page()
    feed = Feed(Story(first), page)
    feed.apply(rest)
    if feed.story.rounds:
        page.width = len(feed.story.row(1))
    return feed, page


def test_a_new_view_gets_the_whole_history() -> None:
    feed, page = feed_of(rounds=5)
    feed.flush()
    page.messages.clear()
    feed.hello()
    feed.flush()
    assert page.rows() == [1, 2, 3, 4, 5]
    assert page.messages[0][0]["status"]["state"] == "finished"


def test_a_page_that_does_not_answer_gets_two_messages_and_then_the_newest() -> None:
    feed, page = feed_of(rounds=40, upto=1)
    uids = feed.story.miners
    for round_ in range(1, 20):
        feed.flush()
        feed.apply(one_round(round_, uids, 40))
    sent = [content for content, _ in page.messages if content["k"] == "rows"]
    assert len(sent) == MAX_UNANSWERED
    feed.acknowledge(sent[-1]["seq"])
    feed.flush()
    assert sorted(set(page.rows())) == list(range(1, 21))


def test_a_long_history_travels_in_bounded_messages() -> None:
    feed, page = feed_of(miners=1, rounds=ROWS_PER_MESSAGE + 10)
    feed.flush()
    first = next(buffers for content, buffers in page.messages if content["k"] == "rows")
    assert len(first[0]) == ROWS_PER_MESSAGE * page.width * 4
    feed.flush()
    assert len(set(page.rows())) == ROWS_PER_MESSAGE + 10


def test_the_pump_sends_from_its_own_thread_and_ends() -> None:
    feed, page = feed_of(rounds=2)
    feed.start()
    feed.stop()
    assert sorted(set(page.rows())) == [1, 2]
