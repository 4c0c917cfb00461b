"""A peer that begins again: what is away is waited for, what is wrong is not."""

import io
import resource
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from bittensor_core import Keypair

from subnetlab.errors import (
    HotkeyInUse,
    ManifestInvalid,
    NodeUnreachable,
    RecordCorrupt,
    RecordError,
    StoreUnreachable,
    TrainError,
)
from subnetlab.network.budget import Budget
from subnetlab.public import peer as peer_module
from subnetlab.public.fees import Fees
from subnetlab.public.log import PeerLog
from subnetlab.public.own_place import reading_place
from subnetlab.public.peer import PublicPeer
from subnetlab.public.sole_hotkey import SoleHotkey
from subnetlab.record.line import FILE_NAME
from subnetlab.record.writer import RecordWriter

from .test_terms import RULES, found

KEY = Keypair.create_from_uri("//Peer")


@dataclass(slots=True, kw_only=True)
class Failing(PublicPeer):
    """A peer whose part in the run fails as a list says, and then succeeds."""

    errors: list[Exception] = field(default_factory=list[Exception])
    tries: int = 0
    over: bool = False

    def _take_part(self, manifest: Any, corpus: Any, report: Any) -> None:
        self.tries += 1
        if self.errors:
            raise self.errors.pop(0)

    def _is_over(self) -> bool:
        return self.over

    def keep_on(self) -> None:
        """Take part without a manifest."""
        self._pause.set()  # a pause is over at once
        self._keep_on(None, None, None)  # type: ignore[arg-type]


@pytest.fixture
def failing(tmp_path: Path) -> Callable[..., Failing]:
    def make(*errors: Exception, away_limit_s: float = 3600.0) -> Failing:
        budget = Budget("test", unlimited=True, folder=tmp_path)
        fees = Fees(commit_rao=7, vote_rao=5, rounds=1, payer="5", free_rao=100, budget=budget)
        return Failing(
            found=found(), store=reading_place(found(), allow_local=True), role="miner", endpoint="ws://x",
            key=KEY, uid=0, rules=RULES, fees=fees, log=PeerLog(stream=io.StringIO()), errors=list(errors),
            away_limit_s=away_limit_s,
        )  # fmt: skip

    return make


def test_a_peer_begins_again_where_node_or_store_were_away(failing: Callable[..., Failing]) -> None:
    peer = failing(
        NodeUnreachable("away"), StoreUnreachable("away"), TrainError("Round 3 cannot be followed.")
    )
    peer.keep_on()
    assert peer.tries == 4
    said = peer.log.stream
    assert isinstance(said, io.StringIO)
    assert said.getvalue().count("This peer begins again in") == 3
    assert "in 2 s." in said.getvalue()
    assert "in 8 s." in said.getvalue()


def test_what_is_wrong_ends_a_peer_at_once(failing: Callable[..., Failing]) -> None:
    peer = failing(ManifestInvalid("other data"))
    with pytest.raises(ManifestInvalid):
        peer.keep_on()
    assert peer.tries == 1


def test_who_comes_no_further_gives_up_after_its_limit(failing: Callable[..., Failing]) -> None:
    peer = failing(*[TrainError("Round 3 cannot be followed.")] * 9, away_limit_s=0.0)
    with pytest.raises(TrainError, match="cannot be followed"):
        peer.keep_on()
    assert peer.tries == 1


def test_who_cannot_follow_the_last_round_of_a_run_that_is_over_ends(
    failing: Callable[..., Failing], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that goes on is waited for; one that is over does not become readable in an hour."""
    monkeypatch.setattr(peer_module, "_AFTER_THE_END_S", 0.0)
    over = failing(*[TrainError("Round 3 cannot be followed.")] * 2)
    over.over = True
    with pytest.raises(TrainError, match="cannot be followed"):
        over.keep_on()
    assert over.tries == 1
    goes_on = failing(*[TrainError("Round 3 cannot be followed.")] * 2)
    goes_on.keep_on()
    assert goes_on.tries == 3


def test_a_full_disk_is_waited_for_and_a_broken_record_is_not(failing: Callable[..., Failing]) -> None:
    peer = failing(RecordError("The record cannot be written: No space left on device."))
    peer.keep_on()
    assert peer.tries == 2
    said = peer.log.stream
    assert isinstance(said, io.StringIO)
    assert "No space left on device. This peer begins again in 2 s." in said.getvalue()
    with pytest.raises(RecordCorrupt):
        failing(RecordCorrupt("line 3")).keep_on()


def test_a_log_or_a_budget_that_cannot_be_written_costs_no_round(
    failing: Callable[..., Failing], tmp_path: Path
) -> None:
    peer = failing()
    with full_disk():
        peer._sent("vote")
    assert peer.fees.budget.spent_rao == 0
    said = peer.log.stream
    assert isinstance(said, io.StringIO)
    assert "The fee of a vote is not counted in the budget: File too large." in said.getvalue()
    with (tmp_path / "log").open("w") as stream:
        log = PeerLog(stream=stream)
        with full_disk():
            log.note("The disk is full.")
        log.note("There is room again.")
    text = (tmp_path / "log").read_text()
    assert "There is room again." in text
    assert "1 line of this log before here was not written: File too large." in text


def test_what_was_committed_is_known_after_a_full_disk_tore_its_line(tmp_path: Path) -> None:
    file = tmp_path / "committed"
    sole = SoleHotkey.of("5Peer", file, lambda: None)
    sole.commits(b"first")
    with full_disk(), pytest.raises(RecordError, match=r"cannot be written: .*Make room on the disk"):
        sole.commits(b"second")
    file.write_text(file.read_text() + "0123")
    sole.commits(b"third")
    again = SoleHotkey.of("5Peer", file, lambda: None)
    assert len(again._known) == 3  # the torn one beside the two that were sent
    assert sole._known <= again._known


@contextmanager
def full_disk() -> Generator[None]:
    """No file of this process grows."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_fees_are_counted_as_they_are_sent(failing: Callable[..., Failing]) -> None:
    peer = failing()
    peer._sent("commitment")
    peer._sent("commitment")
    peer._sent("vote")
    assert peer.fees.budget.spent_rao == 19


def test_a_hotkey_takes_part_once_on_a_machine(failing: Callable[..., Failing]) -> None:
    peer = failing()
    with (
        RecordWriter(peer.folder / FILE_NAME),
        pytest.raises(HotkeyInUse, match="takes part in run tiny already"),
    ):
        peer.run()
