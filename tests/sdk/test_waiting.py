"""What a call waits for is told after a second, to a person alone, and taken away when it is over."""

import io
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import subnetlab as sl
from subnetlab import waiting as module
from subnetlab.waiting import waiting

LIMIT_S = 20


class Told:
    """A line that remembers what it was told, and says when."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self.cleared = 0
        self._heard = threading.Condition()

    def show(self, what: str, detail: str) -> None:
        with self._heard:
            self.lines.append((what, detail))
            self._heard.notify_all()

    def clear(self) -> None:
        self.cleared += 1

    def until(self, what: str, detail: str = "") -> None:
        """Wait until that was told."""
        wanted = (what, detail)
        with self._heard:
            assert self._heard.wait_for(lambda: self._was_told(wanted), LIMIT_S), self.lines

    def _was_told(self, wanted: tuple[str, str]) -> bool:
        what, detail = wanted
        return any(line == wanted or (not detail and line[0] == what) for line in self.lines)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    found = Told()
    monkeypatch.setattr(module, "PATIENCE_S", 0.001)
    module.show_with(lambda: found)
    yield found
    module.show_with(None)


def test_what_is_waited_for_is_told_and_taken_away(told: Told) -> None:
    with waiting("a block") as say:
        told.until("a block")
        say("transfer 1 τ")
        told.until("a block", "transfer 1 τ")
        assert told.cleared == 0
    assert told.cleared == 1


def test_a_block_inside_names_it_more_exactly_and_gives_the_word_back(told: Told) -> None:
    with waiting("the run"):
        told.until("the run")
        with waiting("round 3"):
            told.until("round 3")
        told.lines.clear()
        told.until("the run")
    assert told.cleared == 1


def test_what_breaks_a_wait_off_takes_it_away_too(told: Told) -> None:
    def broken_off() -> None:
        with waiting("a block"):
            told.until("a block")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()
    assert told.cleared == 1
    with waiting("another"):
        told.until("another")


def test_what_is_over_at_once_is_not_told(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", LIMIT_S)
    with waiting("a block"):
        pass
    assert (told.lines, told.cleared) == ([], 0)


class Screen(io.StringIO):
    """A stream that is a terminal, or none."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal, self.wrote = terminal, threading.Event()

    def isatty(self) -> bool:
        return self._terminal

    def write(self, text: str) -> int:
        length = super().write(text)
        self.wrote.set()
        return length


def told_on(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(module, "PATIENCE_S", 0.001)
    with waiting("a block"):
        assert screen.wrote.wait(LIMIT_S)
    return screen.getvalue()


def test_a_terminal_is_left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    written = told_on(Screen(terminal=True), monkeypatch)
    assert written.startswith("\rWaiting for a block …")
    assert "\n" not in written
    last, end = written.split("\r")[-2:]
    assert (last.strip(), end) == ("", "")


def test_a_notebook_of_another_kernel_keeps_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "ps1", "In : ", raising=False)
    assert told_on(Screen(terminal=False), monkeypatch) == "Waiting for a block …\n"


def test_a_pipe_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(sys, "ps1", raising=False)
    screen = Screen(terminal=False)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(module, "PATIENCE_S", 0.001)
    before = threading.active_count()
    with waiting("a block"):
        assert threading.active_count() == before
    assert screen.getvalue() == ""


@pytest.mark.timeout(400)
def test_every_verb_that_may_take_a_second_names_what_it_waits_for(
    told: Told, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What is named is read where it is named, so that nothing here depends on how long it takes."""
    named: list[str] = []
    push = module._Notice.push

    def noted(notice: "module._Notice", key: object, what: str) -> None:
        named.append(what)
        push(notice, key, what)

    monkeypatch.setattr(module._Notice, "push", noted)
    assert told.cleared == 0

    def says(part: str) -> None:
        assert any(part in what for what in named), (part, named)
        named.clear()

    with sl.connect(sealing="instant") as net:
        says("the chain to start")
        subnet = net.create_subnet("waits")
        says("a block with: ")
        net.pay(amount_tao=1, to="bob", wallet="alice")
        says("a block with: ")
        net.stake(amount_tao=1, hotkey_ss58=subnet.hotkey(0), netuid=subnet.netuid, wallet="alice")
        says("a block with: ")
        net.seal(2)
        says("2 blocks")
        with sl.connect(net.endpoint):
            says("an answer of ")
        small = sl.models.TinyGPT("demo", n_embd=16, n_layer=1, n_head=1, seq_len=16)
        fleet = sl.LocalFleet(miners=2, validators=1, baseline=False)
        run = subnet.train(small, sl.data.stdlib(60_000), rounds=1, fleet=fleet)
        assert "the run's processes to start" in named
        says("model and data to be prepared")
        run.wait()
        says("the run")
        kept = run.save(tmp_path / "run.zip")
        named.clear()
        run.verify(replay=0)
        says("the run to be checked")
        sl.open(kept)
        says("the recording to be read and checked")
    says("the runs of this network to end")
