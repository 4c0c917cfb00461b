"""Ways to tamper with a run that is over: with objects, record, manifest, data or chain."""

import json
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import subnetlab as sl
from subnetlab.lab.run import Run
from subnetlab.network.commit_history import ChainHistory, Committed, read_history
from subnetlab.network.wire_client import WireClient
from subnetlab.record.events import from_json
from subnetlab.record.line import FILE_NAME, ROOT_HASH, encode
from subnetlab.record.reader import read
from subnetlab.train.anchors import Anchor

WORDS = "the subnet pays every miner whose payload removes loss on data that a beacon drew after its commit"
ROUNDS = 4
Event = dict[str, Any]
Match = Callable[[Event], bool]


@contextmanager
def honest(home: Path) -> Generator[Run]:
    """An honest run below a home of its own, whose node still answers."""
    drawn = np.random.default_rng(7)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SUBNETLAB_HOME", str(home))
        with sl.connect(sealing="manual") as net:
            run = net.create_subnet("proof", wallet="alice").train(
                model=sl.models.TinyGPT("demo", n_embd=16, n_layer=1, n_head=2, seq_len=16),
                data=sl.data.text(" ".join(drawn.choice(WORDS.split(), 30_000)), name="words"),
                strategy=sl.strategies.SparseLoCo(inner_steps=4),
                rounds=ROUNDS, batch_size=2, seed=7,
                fleet=sl.LocalFleet(miners=3, validators=2, baseline=False),
            )  # fmt: skip
            run.wait(timeout=300)
            yield run


def seen(run: Run) -> "World":
    """A run that is over, with what its chain holds."""
    view = run.view
    client = WireClient(run.endpoint)
    started = view.started
    assert started is not None
    history = read_history(client, run.netuid, started.block, view.block)
    client.close()
    return World(run.folder, history, tuple(view.uids("miner")), tuple(view.uids("validator")))


@dataclass(frozen=True)
class World:
    """A copy of an honest run that may be spoilt, and what its chain holds."""

    folder: Path
    history: ChainHistory
    miners: tuple[int, ...]
    validators: tuple[int, ...]
    """In the order in which they lead."""

    def copy(self, folder: Path) -> "World":
        shutil.copytree(self.folder, folder)
        return replace(self, folder=folder)

    def uid(self, place: str) -> int:
        """The uid of a place in the fleet: m0 is the first miner, v0 the lead."""
        return (self.miners if place[0] == "m" else self.validators)[int(place[1:])]

    # -- objects -----------------------------------------------------------------------------------

    def objects(self, pattern: str) -> list[Path]:
        """What the owner put, then what each peer put into its own place, the lead's first."""
        store = self.folder / "store"
        found = (*sorted(store.glob(pattern)), *sorted(store.glob(f"*/{pattern}")))
        return [path for path in found if path.is_file()]

    def sealed(self, round_: int, uid: int) -> Path:
        return self.objects(f"rounds/{round_ - 1:06}/sealed/{uid}/*")[0]

    def reveal(self, round_: int, uid: int) -> Path:
        return self.objects(f"rounds/{round_ - 1:06}/reveal/{uid}/*/*")[0]

    def aggregate(self, round_: int) -> Path:
        return self.objects(f"rounds/{round_ - 1:06}/aggregate/*")[0]

    def record(self, round_: int) -> Path:
        every = [(json.loads(path.read_bytes())["round"], path) for path in self.objects("records/*")]
        return next(path for number, path in every if number == round_ - 1)

    # -- the record --------------------------------------------------------------------------------

    def events(self) -> list[Event]:
        return [entry.data for entry in read(self.folder / FILE_NAME)]

    def rewrite(self, events: list[Event]) -> None:
        """Write the record anew with hashes that follow: nothing but its content tells."""
        path, previous = self.folder / FILE_NAME, ROOT_HASH
        times = [entry.time for entry in read(path)]
        lines: list[bytes] = []
        for seq, data in enumerate(events):
            event = from_json(data)
            assert event is not None
            line, entry = encode(event, seq=seq, time=times[min(seq, len(times) - 1)], previous=previous)
            lines.append(line)
            previous = entry.hash
        path.write_bytes(b"".join(lines))

    def change(self, match: Match, **fields: Any) -> None:
        """Change the first event that matches, and hash everything after it again."""
        events = self.events()
        event = next(event for event in events if match(event))
        for name, value in fields.items():
            event[name] = value(event[name]) if callable(value) else value
        self.rewrite(events)

    def drop(self, match: Match) -> None:
        events = self.events()
        events.remove(next(event for event in events if match(event)))
        self.rewrite(events)

    def repeat(self, match: Match) -> None:
        events = self.events()
        place = next(index for index, event in enumerate(events) if match(event))
        events.insert(place + 1, events[place])
        self.rewrite(events)

    def lines(self) -> list[bytes]:
        return (self.folder / FILE_NAME).read_bytes().splitlines(keepends=True)

    def line_of(self, match: Match) -> int:
        return next(index for index, event in enumerate(self.events()) if match(event))

    # -- manifest and chain ------------------------------------------------------------------------

    def change_manifest(self, change: Callable[[Event], None]) -> None:
        path = self.folder / "manifest.json"
        manifest = json.loads(path.read_text())
        change(manifest)
        path.write_text(json.dumps(manifest))

    def hotkey(self, uid: int) -> str:
        return next(seat["hotkey"] for seat in self.events()[0]["seats"] if seat["uid"] == uid)

    def on_chain(self, round_: int, uid: int, change: Callable[[Committed], Committed]) -> "World":
        """The same run on a chain where one commitment is another."""
        hotkey = self.hotkey(uid)

        def is_meant(each: Committed) -> bool:
            anchor = Anchor.from_bytes(each.data)
            return each.hotkey == hotkey and anchor is not None and anchor.round == round_ - 1

        changed = [change(each) if is_meant(each) else each for each in self.history.commitments]
        changed.sort(key=lambda each: (each.block, each.index))
        return replace(self, history=replace(self.history, commitments=tuple(changed)))


def of(kind: str, round_: int | None = None, **fields: int) -> Match:
    """Whether an event is of a kind, a round counted from 1, and has these fields."""
    wanted = {**fields, **({} if round_ is None else {"round": round_ - 1})}
    return lambda event: event["kind"] == kind and all(event.get(name) == v for name, v in wanted.items())


def flip(path: Path, place: int = -1) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(bytes(data))


def swap(one: Path, other: Path) -> None:
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)
