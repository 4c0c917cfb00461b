"""Several strategies beside each other, as runs of one subnet; a mistake in the last costs a sentence."""

import threading
from typing import Any
from xml.etree import ElementTree as ET

import pytest

import subnetlab as sl
from subnetlab.errors import ArgumentInvalid, ManifestInvalid
from subnetlab.lab.session import Net
from subnetlab.record.events import RunStatus
from subnetlab.report.gap import Gap
from subnetlab.settings import run_folders

FLEET = sl.LocalFleet(miners=2, validators=1)
TINY: dict[str, Any] = {
    "model": sl.models.TinyGPT("binder", n_embd=32, n_layer=1, n_head=2, seq_len=16),
    "data": sl.data.stdlib(200_000),
    "fleet": FLEET,
}
SPARSE, DENSE = sl.strategies.SparseLoCo(inner_steps=2), sl.strategies.DiLoCo(inner_steps=4, momentum=0.0)


def test_two_strategies_on_one_subnet_become_one_frame_and_one_picture(net: Net) -> None:
    subnet = net.create_subnet("compared", wallet="alice")
    found = sl.compare(
        {"sparse": SPARSE, "dense": {"strategy": DENSE, "rounds": 3}}, **TINY, rounds=6, subnet=subnet
    )
    rows = found.frame.to_dicts()
    assert [(row["strategy"], row["seed"], row["status"]) for row in rows] == [
        ("sparse", 0, "finished"), ("dense", 0, "finished"),
    ]  # fmt: skip
    assert [row["steps"] for row in rows] == [12, 12]
    assert rows[1]["bytes"] > rows[0]["bytes"] > 0, "three dense updates are more than six sparse ones"
    assert all(row["wall_s"] > 0 and row["cpu_s"] > 0 for row in rows)
    assert rows[0]["alone"] == rows[1]["alone"] is not None, "one optimizer, one seed: one pair of baselines"
    assert rows[0]["ddp"] != rows[0]["alone"], (
        "twice the data in each step; twelve steps do not settle which is lower"
    )
    assert found.target == max(row["loss"] for row in rows)
    assert all(0 < row["steps_to_target"] <= row["steps"] for row in rows)
    assert found.curves.height == 9
    assert "sparse" in repr(found)
    ET.fromstring(found.picture())
    assert "<table" in getattr(found, "_repr_html_")()  # noqa: B009  (the protocol's name is a private one)
    first, second = (sl.attach(row["run"]) for row in rows)
    assert set(first.view.baselines) == {"alone", "ddp"}
    assert not second.view.baselines, "measured once"
    gap = Gap.between(first.view.baselines["alone"], first.view.baselines["ddp"])
    assert [row["gap_closed"] for row in rows] == [gap.closed(row["loss"]) for row in rows]
    assert (rows[0]["gap_closed"] is None) == (rows[0]["alone"] - rows[0]["ddp"] <= gap.noise)
    assert first.view.peers == second.view.peers, "the second run took the first one's seats"


@pytest.mark.parametrize(
    ("strategies", "options", "says"),
    [
        ({}, {}, "nothing to compare"),
        ([SPARSE], {}, "nothing to compare"),
        ({"": SPARSE}, {}, "no name for a strategy"),
        ({"a": SPARSE, "b": {"strategies": DENSE}}, {}, "sl.compare has no option 'strategies'"),
        ({"a": {"strategy": SPARSE, "seed": 3}}, {}, "no option 'seed'"),
        ({"a": SPARSE}, {"detach": True}, "no option 'detach'"),
        ({"a": SPARSE, "b": "dense"}, {}, "strategy"),
        ({"a": SPARSE, "b": {"rounds": 1.5}}, {}, "no whole number"),
        ({"a": SPARSE}, {"seeds": ()}, "are no seeds"),
        ({"a": SPARSE}, {"seeds": "01"}, "are no seeds"),
        ({"a": SPARSE}, {"seeds": (0, -1)}, "out of range"),
    ],
)
def test_a_mistake_in_any_of_them_is_said_before_the_first_is_started(
    strategies: Any, options: dict[str, Any], says: str
) -> None:
    with pytest.raises((ArgumentInvalid, ManifestInvalid), match=says):
        sl.compare(strategies, **TINY, **options)
    assert not list(run_folders())


def test_an_unknown_baseline_is_refused_before_the_first_is_started(net: Net) -> None:
    subnet = net.create_subnet("compared", wallet="alice")
    with pytest.raises(ManifestInvalid, match="no baseline is called"):
        sl.compare({"a": SPARSE}, **TINY, baselines=("sgd",), subnet=subnet)
    assert not list(run_folders())


def test_an_interrupt_stops_the_run_at_hand_and_says_what_stays(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    subnet = net.create_subnet("interrupted", wallet="alice")
    waiting = sl.Run.wait

    def interrupted(run: sl.Run, timeout: float | None = None) -> sl.Run:
        pause = threading.Event()
        while not run.view.val_loss:
            pause.wait(0.02)
        raise KeyboardInterrupt

    monkeypatch.setattr(sl.Run, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt) as caught:
        sl.compare({"a": SPARSE}, **TINY, rounds=2000, baselines=(), subnet=subnet)
    monkeypatch.setattr(sl.Run, "wait", waiting)
    assert caught.value.__notes__ == ["0 of 1 runs are through, and stay among sl.runs()."]
    (run,) = sl.runs()
    assert run.wait(timeout=300).status is RunStatus.STOPPED
