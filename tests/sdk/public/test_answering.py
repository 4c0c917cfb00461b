"""Strangers answer by command: the owner publishes from a cell, miners bring functions of their own."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import pytest

import subnetlab as sl
from subnetlab.answers.manifest import AnswersManifest
from subnetlab.errors import ArgumentInvalid, ManifestInvalid
from subnetlab.network.wallets import dev_wallet
from subnetlab.public.found_run import check_trust
from subnetlab.public.joining import check_answers

from .stage import LIMIT_S, Command, OpenSubnet, open_subnet

ROUNDS = 3
HONEST = "def add(task):\n    return task['a'] + task['b']\n"
LIAR = "import helper\ndef guess(task):\n    return helper.number()\n"


@dataclass
class Story:
    """A run that came to its end, and who was there."""

    subnet: OpenSubnet
    peers: dict[str, Command]
    refused: dict[str, Command]
    run: sl.Run

    def uid(self, name: str) -> int:
        return int(self.peers[name].event("peer_ready")["uid"])


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Two miners and a validator by command; the owner's notebook published the run and watches it."""

    def add(task: dict[str, int]) -> int:
        return task["a"] + task["b"]

    def judge(task: dict[str, int], answer: Any) -> float:
        return float(answer == task["a"] + task["b"])

    with ExitStack() as held:
        subnet = held.enter_context(open_subnet(tmp_path_factory.mktemp("answers")))
        for wallet in ("bob/m1", "bob/m2"):
            subnet.register(wallet)
        subnet.register("bob/v1", stake_tao=300)
        for home, text in (("bob-m1", HONEST), ("bob-m2", LIAR)):
            (subnet.folder / home).mkdir()
            (subnet.folder / home / "mine.py").write_text(text)
        (subnet.folder / "bob-m2" / "helper.py").write_text("def number():\n    return 7\n")
        with subnet.clock as clock:
            clock.reach(clock.height + 12)
            net = held.enter_context(sl.connect(subnet.node.endpoint))
            fleet = sl.OpenFleet(store=str(subnet.folder / "store"), notice_s=90)
            tasks = [{"a": number, "b": 100} for number in range(50)]
            run = net.subnet(subnet.netuid).run(
                add, judge, tasks=tasks, rounds=ROUNDS, time_limit_s=1.0, fleet=fleet
            )
            started = run.view.started
            assert started is not None
            manifest = AnswersManifest.from_json(started.manifest)
            clock.manifest = cast("Any", manifest)
            clock.until = clock.jump_to = manifest.first_block - 1
            trust = ("--trust", dev_wallet("alice").hotkey.ss58_address)
            refused = {
                "no function": subnet.peer("miner", "bob/m1"),
                "no trust": subnet.peer("validator", "bob/v1"),
                "no such file": subnet.peer("miner", "bob/m1", "--answers", "nowhere:add"),
            }
            assert {name: command.ended() for name, command in refused.items()} == dict.fromkeys(refused, 1)
            peers = {
                "m1": subnet.peer("miner", "bob/m1", "--answers", "mine:add"),
                "m2": subnet.peer("miner", "bob/m2", "--answers", "mine:guess"),
                "v1": subnet.peer("validator", "bob/v1", *trust),
            }
            for peer in peers.values():
                peer.event("peer_ready")
            clock.until = manifest.heights(ROUNDS - 1).next_open + 9
            for peer in peers.values():
                assert peer.ended() == 0, peer.log.read_text()[-3000:]
            clock.until = clock.height + 40
            run.wait(LIMIT_S, progress=False)
        yield Story(subnet, peers, refused, run)


def test_pay_follows_the_answers_of_strangers(story: Story) -> None:
    honest, liar = story.uid("m1"), story.uid("m2")
    graph = story.subnet.client.metagraph(story.subnet.netuid)
    assert graph.weights[story.uid("v1")][honest] > 0
    assert story.run.view.pay.total(honest) > 0
    assert story.run.view.pay.total(liar) == 0


def test_who_watches_has_the_whole_record(story: Story) -> None:
    run = story.run
    assert run.status == "finished"
    assert sorted(run.view.closed) == list(range(ROUNDS))
    assert set(run.view.mining) == {story.uid("m1"), story.uid("m2")}
    assert run.headline.startswith("One of two strangers earned scores; after 3 rounds their mean is 0.50.")
    assert run.view.reason(story.uid("m2")) == "The answers were judged, and were worth nothing."
    assert run.frame("miners").height == 2 * ROUNDS


def test_what_cannot_take_part_is_told_in_a_sentence(story: Story) -> None:
    said = {name: command.lines()[-1]["text"] for name, command in story.refused.items()}
    assert (
        "asks its miners for answers, and no function answers them. Name one: --answers"
        in said["no function"]
    )
    assert "holds code of its owner, which is not trusted here" in said["no trust"]
    assert "No module named 'nowhere'" in said["no such file"]


def test_peers_end_with_the_run_and_say_so(story: Story) -> None:
    for peer in story.peers.values():
        assert peer.event("note", rounds=ROUNDS)["text"].endswith(f"is over after round {ROUNDS}.")


def found(manifest: dict[str, Any], *, trusted: bool = False) -> Any:
    return SimpleNamespace(manifest=manifest, run_id="run", trusted=trusted, owner="5Owner")


def test_a_run_that_trains_takes_no_answers() -> None:
    training = found({"form": "subnetlab-manifest/3"})
    assert check_answers(training, "miner", "") == ""
    with pytest.raises(ArgumentInvalid, match="trains a model"):
        check_answers(training, "miner", "mine:add")


@pytest.mark.parametrize(
    ("role", "tasks", "needs"),
    [
        ("validator", [], True),
        ("miner", [], False),
        ("miner", {"code": {}}, True),
        ("", {"code": {}}, False),
    ],
)
def test_trust_is_asked_of_who_runs_the_owners_code(role: str, tasks: Any, needs: bool) -> None:
    answers = {"form": "subnetlab-answers/1", "tasks": tasks, "judge": {}}
    check_trust(found(answers, trusted=True), role)
    if needs:
        with pytest.raises(ManifestInvalid, match="--trust 5Owner"):
            check_trust(found(answers), role)
    else:
        check_trust(found(answers), role)
