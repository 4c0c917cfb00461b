"""A run that plays itself: whole at its end, honest before it, small, and still for whoever asks for that."""

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from tests.project import ROOT
from tests.sdk.lab import story

from subnetlab.lab.replay import open as open_recorded
from subnetlab.record.view import RunView
from subnetlab.report.animation import FRAME_S, animation
from subnetlab.report.headline import headline

SVG = "{http://www.w3.org/2000/svg}"
RECORDED = ROOT / "tutorials" / "recorded.zip"


def told(rounds: int = story.ROUNDS, *, ended: bool = True) -> RunView:
    view = RunView()
    for event in story.story(rounds, ended=ended):
        view.add(event)
    return view


def spans(node: ET.Element, length: int) -> tuple[int, int] | None:
    """From which frame until which a group is there; None where it does not come and go."""
    classes = (node.get("class") or "").split()
    if "f" not in classes:
        return None
    delay = re.search(r"animation-delay:(-?[\d.]+)s", node.get("style") or "")
    assert delay is not None
    since = round(float(delay[1]) / FRAME_S) + length
    return since, since + next(int(name[1:]) for name in classes if re.fullmatch(r"d\d+", name))


def length_of(drawn: str) -> int:
    """How many frames a loop has, as the CSS says."""
    loop = re.search(r"\.slab \.f\{opacity:0;animation:([\d.]+)s step-end infinite\}", drawn)
    assert loop is not None
    return round(float(loop[1]) / FRAME_S)


def seen_at(drawn: str, frame: int) -> list[str]:
    """The texts of one frame, worked out from delays and durations as a browser would."""

    def walk(node: ET.Element) -> Iterator[str]:
        span = spans(node, length)
        if span and not span[0] <= frame < span[1]:
            return
        if node.tag == f"{SVG}text" and node.text:
            yield node.text
        for child in node:
            yield from walk(child)

    length = length_of(drawn)
    return list(walk(ET.fromstring(drawn)))


def test_a_long_sentence_is_broken_and_the_panels_make_room() -> None:
    view = open_recorded(RECORDED).view
    drawn = animation(view)
    texts = [node for node in ET.fromstring(drawn).iter(f"{SVG}text") if node.get("font-size") == "17"]
    assert max(len(node.text or "") for node in texts) <= 84
    assert seen_at(drawn, length_of(drawn) - 1)[:2] == str(headline(view)).replace("; ", ";\n").split("\n")
    assert {node.get("y") for node in texts} == {"30.0", "52.0"}
    assert '<g transform="translate(0 56)">' in drawn


def test_the_level_of_a_longer_baseline_comes_with_the_last_frame() -> None:
    drawn = animation(open_recorded(RECORDED).view)
    levels = [
        group for group in ET.fromstring(drawn).iter(f"{SVG}g")
        if any(path.get("stroke-dasharray") == "1 5" for path in group.findall(f"{SVG}svg/{SVG}path"))
    ]  # fmt: skip
    length = length_of(drawn)
    assert len(levels) == 1
    since, until = spans(levels[0], length) or (0, 0)
    assert (since, until) == (24, length)


def test_it_begins_with_the_first_round_and_stays_on_the_last() -> None:
    drawn = animation(told())
    length = length_of(drawn)
    assert "Four of five strangers are at 4.00 after 1 round; one alone is at 4.20." in seen_at(drawn, 0)
    for frame in range(story.ROUNDS - 1, length):
        assert "Four of five strangers reached 2.50; one alone would be at 3.20." in seen_at(drawn, frame)


def test_nothing_is_shown_before_its_round() -> None:
    view = told()
    drawn = animation(view)
    for frame in range(story.ROUNDS - 1):
        texts = seen_at(drawn, frame)
        assert f"{view.val_loss[frame]:.2f} the subnet" in texts
        assert "2.50 the subnet" not in texts
        assert sum(text.endswith("α") for text in texts) == 5, "one sum of pay per miner"


def test_the_pay_ends_at_what_was_paid() -> None:
    view = told()
    last = seen_at(animation(view), story.ROUNDS - 1)
    paid = [f"{view.pay.total(uid) / 1e9:.3f} α" for uid in (*story.MINERS, story.FREE_RIDER)]
    assert sorted(text for text in last if text.endswith("α")) == sorted(paid)


def test_it_moves_without_script_and_stands_still_on_request() -> None:
    drawn = animation(told())
    assert "<script" not in drawn
    assert "href" not in drawn
    assert "prefers-reduced-motion:reduce" in drawn
    length = length_of(drawn)
    for group in ET.fromstring(drawn).iter(f"{SVG}g"):
        span = spans(group, length)
        if span:
            stays = "z" in (group.get("class") or "").split()
            assert stays == (span[1] == length), "what stays without motion is what is there at the end"


def test_an_early_and_an_endless_run_can_be_drawn() -> None:
    for rounds in (0, 1, 2):
        ET.fromstring(animation(told(rounds, ended=False)))
    view = told()
    view.val_loss = {number: 5 / (number + 1) for number in range(500)}
    view.closed_at = {number: 10 + 4 * number for number in range(500)}
    assert len(animation(view)) < 60_000


def test_the_recorded_run_fits_a_page() -> None:
    drawn = open_recorded(RECORDED).animation()
    assert len(drawn) < 80_000
    assert "Seven of nine strangers reached" in drawn
    assert (ROOT / "docs" / "run.svg").read_text(encoding="utf-8") == drawn, "make picture"
