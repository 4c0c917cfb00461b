"""What a public run says before it starts: the blocks of a round, waits, votes, what its owner announces."""

import io
import json
import logging
import os
import re
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from subnetlab.errors import ArgumentInvalid, ChainRejected, ManifestInvalid
from subnetlab.network.chain import Block, Commitment
from subnetlab.network.memory import MemoryNet
from subnetlab.network.metagraph import MetagraphSnapshot
from subnetlab.public.found_run import FoundRun
from subnetlab.public.joining import check_instructions, duration, use_instructions, waits
from subnetlab.public.limited_chain import LimitedChain
from subnetlab.public.log import PeerLog
from subnetlab.public.open_fleet import OpenFleet
from subnetlab.public.subnet_reads import Rules
from subnetlab.public.terms import Cost, terms
from subnetlab.record.events import Mined, Phase, RoundClosed, Sampled, from_json
from subnetlab.store.objects import open_store
from subnetlab.train.anchors import Anchor
from subnetlab.train.announcement import MOST_LOCATOR_BYTES, Announcement

RULES = Rules(
    tempo=360, weights_every=100, sealed_weights=False, commit_bytes=3100, registration_rao=5, block_s=12.0
)


def found(**changes: Any) -> FoundRun:
    manifest: dict[str, Any] = {
        "run_id": "tiny", "netuid": 2, "rounds": 10, "first_block": 1000, "blocks_per_round": 20,
        "offsets": [5, 7, 17], "versions": {"torch": "2", "cpu": "AVX2"},
    }  # fmt: skip
    seats = MetagraphSnapshot(
        netuid=2, block=900, name="tiny", tempo=360, last_step=800, owner_hotkey="5Owner",
        owner_coldkey="5Cold", neurons=(), weights={}, tao_in_rao=0, alpha_in_rao=0,
    )  # fmt: skip
    return FoundRun(
        announcement=Announcement(manifest=bytes(32), rounds=10, store="memory"), store=open_store("memory"),
        manifest=manifest | changes, where="memory",
        given=False, owner="5Owner", seats=seats, trusted=False,
    )  # fmt: skip


def test_a_round_has_room_for_slower_machines_and_for_what_the_chain_limits() -> None:
    quick = terms(Cost(train_s=0.1, judge_s=0.01), RULES, miners=8)
    assert quick.blocks_per_round == 36  # so few commitments fit into what a tempo allows
    assert quick.offsets == (9, 18, 27)  # four times what two, four and six blocks of eight would be
    slow = terms(Cost(train_s=100, judge_s=3), RULES, miners=8)
    commit, beacon, close = slow.offsets
    assert commit * RULES.block_s >= 3 * 100
    assert (close - beacon) * RULES.block_s >= 3 * 3 * 8
    assert slow.blocks_per_round == close + 2


def test_blocks_that_hold_no_round_are_refused_with_the_number_that_does() -> None:
    cost = Cost(train_s=100, judge_s=3)
    given, least = (terms(cost, RULES, miners=8, blocks_per_round=blocks) for blocks in (100, 0))
    assert given.blocks_per_round == 100
    both = zip(least.offsets, given.offsets, strict=True)
    assert all(2 * short <= long < 3 * short for short, long in both)
    with pytest.raises(ManifestInvalid, match=r"Give blocks_per_round=37 or more"):
        terms(cost, RULES, miners=8, blocks_per_round=20)


def test_an_announcement_is_read_back_and_nothing_else_is_one() -> None:
    said = Announcement(manifest=bytes(range(32)), rounds=7, store="s3://bucket/run")
    assert Announcement.from_bytes(said.to_bytes()) == said
    assert Announcement.from_bytes(said.ending_after(3).to_bytes()) == replace(said, rounds=3)
    longest = replace(said, store="s" * MOST_LOCATOR_BYTES)
    assert len(longest.to_bytes()) == 384
    assert Announcement.from_bytes(longest.to_bytes()) == longest
    with pytest.raises(ArgumentInvalid, match="Give a shorter address"):
        replace(said, store="s" * (MOST_LOCATOR_BYTES + 1)).to_bytes()
    anchor = Anchor("miner", 3, bytes(32), bytes(32)).to_bytes()
    hostile = [b"", b"SL1o", anchor, said.to_bytes() + b"\xff", said.to_bytes() + b"\n", bytes(385)]
    assert [Announcement.from_bytes(data) for data in hostile] == [None] * len(hostile)
    assert Anchor.from_bytes(replace(said, store="x" * 32).to_bytes()) is None


def test_waits_are_said_in_hours() -> None:
    lines = list(waits(found(), RULES, 900, "validator"))
    assert lines[0] == "Run tiny on subnet 2: 10 rounds of 20 blocks, 4.0 min each at 12 s a block."
    assert lines[1] == "Round 1 opens at block 1000, 20.0 min from now."
    assert lines[2] == "The last round closes at block 1197, 1.0 h from now."
    assert lines[3] == "Pay comes every 360 blocks (1.2 h)."
    assert lines[4].startswith("The chain takes a vote every 100 blocks (20.0 min)")
    late = list(waits(found(), replace(RULES, sealed_weights=True), 1043, "validator"))
    assert late[1] == "Round 3 is open and takes commitments up to block 1045."
    assert late[-1].startswith("Votes are sealed")
    assert len(list(waits(found(), RULES, 900, "miner"))) == 4
    assert duration(-3) == "0 s"


def test_a_processor_of_another_instruction_set_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ATEN_CPU_CAPABILITY", raising=False)
    use_instructions(found().manifest)
    assert os.environ["ATEN_CPU_CAPABILITY"] == "avx2"
    use_instructions(found(versions={"cpu": "$(reboot)"}).manifest)
    assert os.environ["ATEN_CPU_CAPABILITY"] == "avx2"
    check_instructions(found(), "AVX2")
    with pytest.raises(ManifestInvalid, match=r"instruction set AVX2; torch here uses NEON"):
        check_instructions(found(), "NEON")
    check_instructions(found(versions={}), "NEON")


@dataclass
class Refusing:
    """A chain that refuses with a code what it is told to."""

    code: str = ""
    head: int = 0
    voted: list[dict[int, float]] = field(default_factory=list[dict[int, float]])
    committed: list[bytes] = field(default_factory=list[bytes])

    def wait_for(self, number: int, timeout_s: float) -> Block:
        return Block(max(number, self.head), "0x")

    def block_hash(self, number: int) -> str:
        return f"0x{number}"

    def commit(self, data: bytes) -> None:
        if self.code:
            raise ChainRejected("refused", code=self.code)
        self.committed.append(data)

    def commitments(self) -> dict[str, Commitment]:
        return {}

    def weights(self) -> dict[str, dict[int, float]]:
        return {}

    def set_weights(self, weights: dict[int, float]) -> None:
        if self.code:
            raise ChainRejected("refused", code=self.code)
        self.voted.append(weights)


def test_votes_keep_the_chains_distance_and_one_that_comes_too_soon_is_no_failure() -> None:
    wire, told, sent = Refusing(), list[str](), list[str]()
    chain = LimitedChain(wire, 100, told.append, sent.append, 40)
    for head in (60, 139, 140, 200, 240):
        wire.head = head
        chain.set_weights({1: 1.0})
    assert len(wire.voted) == 2
    assert sent == ["vote", "vote"]
    assert told[0] == "The chain takes the next vote from block 140 on; it is at 60."
    wire.head, wire.code = 500, "SettingWeightsTooFast"
    chain.set_weights({1: 1.0})
    assert "did not take this vote" in told[-1]
    wire.code = "HotKeyNotRegisteredInSubNet"
    with pytest.raises(ChainRejected):
        chain.set_weights({1: 1.0})


def test_a_commitment_that_is_refused_costs_a_round_and_three_in_a_row_the_peer() -> None:
    wire, told, sent = Refusing(code="Priority"), list[str](), list[str]()
    chain = LimitedChain(wire, 0, told.append, sent.append)
    chain.commit(b"1")
    chain.commit(b"2")
    wire.code = ""
    chain.commit(b"3")
    wire.code = "Payment"
    chain.commit(b"4")
    chain.commit(b"5")
    with pytest.raises(ChainRejected):
        chain.commit(b"6")
    assert wire.committed == [b"3"]
    assert sent == ["commitment"]
    assert len(told) == 4
    assert MemoryNet().chain("5").block_hash(0) != chain.block_hash(0)


def test_a_log_is_lines_for_people_or_for_programs() -> None:
    mined = Mined(
        uid=3, round=1, loss=2.5, wire_bytes=1500, dense_bytes=9000, commitment="ab", compute_s=1.0,
        compress_s=0.1, store_s=0.1, wait_s=2.0, chain_s=0.1,
    )  # fmt: skip
    text = io.StringIO()
    log = PeerLog(stream=text, clock=lambda: 0.0)
    log.event(Phase(uid=3, round=1, name="committed", until=9))
    log.event(Sampled(round=1, prompt="a", text="b"))
    log.event(mined)
    log.note("hostile \x1b[31m name")
    said = text.getvalue().splitlines()
    assert len(said) == 2
    assert "Round 2: loss 2.5000, 1.5 kB committed" in said[0]
    assert "\x1b" not in said[1]
    lines = io.StringIO()
    log = PeerLog(as_json=True, stream=lines, clock=lambda: 1.5)
    log.event(mined)
    log.note("over", theta="ff")
    first, second = map(json.loads, lines.getvalue().splitlines())
    assert from_json(first) == mined
    assert second == {"kind": "note", "time": 1.5, "text": "over", "theta": "ff"}
    assert RoundClosed.kind not in lines.getvalue()


def test_a_peers_log_takes_in_what_the_sdk_warns_of() -> None:
    lines, text = io.StringIO(), io.StringIO()
    warned = logging.getLogger("subnetlab.train.peer")
    with PeerLog(as_json=True, stream=lines, clock=lambda: 1.5).warnings():
        warned.warning("Round %d is sat out.", 3)
    with PeerLog(stream=text, clock=lambda: 0.0).warnings():
        warned.warning("Round %d is sat out.", 4)
    warned.error("Afterwards.")
    assert json.loads(lines.getvalue()) == {"kind": "note", "time": 1.5, "text": "Round 3 is sat out."}
    assert re.fullmatch(r"\d\d:\d\d:\d\d Round 4 is sat out\.\n", text.getvalue())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"store": ""}, "store is"), ({"store": 3}, "store is"),
        ({"blocks_per_round": -1}, "blocks_per_round"),
        ({"miners": True}, "miners=True"), ({"notice_s": float("nan")}, "notice_s=nan"),
        ({"notice_s": "soon"}, "notice_s='soon'"), ({"stoer": "x"}, "stoer"),
    ],
)  # fmt: skip
def test_an_open_fleet_says_what_is_wrong_with_it(options: dict[str, Any], words: str) -> None:
    with pytest.raises((ArgumentInvalid, TypeError), match=words):
        OpenFleet(**{"store": "s3://bucket", **options})
