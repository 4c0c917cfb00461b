"""The manifest: survives JSON, hashes everything, and refuses what contradicts itself."""

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.project import ROOT

from subnetlab.errors import ManifestInvalid
from subnetlab.train.manifest import EARLIER, Manifest, ScoringConfig
from subnetlab.train.models import Factory, TinyGPT
from subnetlab.train.optimizer import AdamWConfig
from subnetlab.train.phases import EXPECTED, due, phase
from subnetlab.train.strategies import DDP, DiLoCo, SparseLoCo
from subnetlab.train.tasks import NextToken


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"strategy": DDP(optimizer=AdamWConfig(lr=1.0))},
        {"strategy": DiLoCo(), "rounds": 9},
        {"model": Factory(path="a.b:c", seq_len=4, options={"n": 1})},
        {"blocks_per_round": 100, "offsets": (80, 85, 95)},
    ],
)
def test_a_manifest_survives_json(make_manifest, changes: dict[str, Any]) -> None:
    manifest = make_manifest(**changes)
    back = Manifest.from_json(json.loads(json.dumps(manifest.to_json())))
    assert back == manifest
    assert back.hash == manifest.hash


@pytest.mark.parametrize(
    "changes",
    [
        {"run_id": "other"}, {"netuid": 2}, {"rounds": 4}, {"first_block": 4}, {"seed": 1}, {"batch_size": 5},
        {"model": TinyGPT("binder")}, {"strategy": SparseLoCo(inner_steps=4, k=32)},
        {"optimizer": AdamWConfig(lr=1e-4)},
        {"task": NextToken(seq_len=16, prompt="class ")}, {"versions": {}},
    ],
)  # fmt: skip
def test_every_field_is_in_the_hash(make_manifest, changes: dict[str, Any]) -> None:
    assert make_manifest(**changes).hash != make_manifest().hash


def test_heights_follow_each_other(make_manifest) -> None:
    manifest = make_manifest(first_block=10)
    first, second = manifest.heights(0), manifest.heights(1)
    assert (first.open, first.commit, first.beacon, first.close, first.next_open) == (10, 11, 12, 13, 14)
    assert second.open == first.next_open


@pytest.mark.parametrize(
    "changes",
    [
        {"offsets": (1, 1, 3)}, {"offsets": (1, 2, 4)}, {"offsets": (0, 1, 2)}, {"rounds": 0},
        {"batch_size": 0}, {"run_id": ""}, {"first_block": -1},
    ],
)  # fmt: skip
def test_a_contradiction_is_refused(make_manifest, changes: dict[str, Any]) -> None:
    with pytest.raises(ManifestInvalid):
        make_manifest(**changes)


def test_manifests_of_earlier_forms_are_read() -> None:
    with zipfile.ZipFile(ROOT / "tests" / "golden" / "recorded_form_1.zip") as recorded:
        first = json.loads(recorded.read("manifest.json"))
    prompt = first.pop("prompt")
    task = {"kind": "next_token", "seq_len": 64, "vocab_size": 256, "prompt": prompt, "unit": "nats per byte"}
    second = {**first, "form": "subnetlab-manifest/2", "task": task}
    read = Manifest.from_json({**first, "prompt": prompt})
    assert read == Manifest.from_json(second) == Manifest.from_json(read.to_json())
    assert (read.model, read.batch_size) == (TinyGPT("small"), 4)
    assert read.scoring == replace(ScoringConfig(), **EARLIER)
    assert read.to_json()["form"] == "subnetlab-manifest/3"


def test_what_earlier_runs_were_judged_by_is_neither_written_nor_lost(make_manifest) -> None:
    scoring = make_manifest().scoring
    before = make_manifest(scoring=replace(scoring, **EARLIER))
    assert not set(EARLIER) & set(before.to_json()["scoring"])
    assert Manifest.from_json(before.to_json()).scoring == before.scoring
    now = make_manifest(scoring=ScoringConfig(slash=1.0))
    assert set(EARLIER) - set(now.to_json()["scoring"]) == {
        "slash", "tried", "audits", "tolerance", "exclusion", "sync", "score",
    }  # fmt: skip
    assert Manifest.from_json(now.to_json()) == now


def broken(data: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    copy = json.loads(json.dumps(data))
    *parents, last = path.split(".")
    target = copy
    for parent in parents:
        target = target[parent]
    if value is None:
        del target[last]
    else:
        target[last] = value
    return copy


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("form", "subnetlab-manifest/9"), ("form", None), ("rounds", None), ("surprise", 1),
        ("model.kind", "HugeGPT"), ("model.depth", 3), ("strategy.kind", "FedAvg"), ("strategy.k", 0),
        ("strategy.magic", 1), ("data.train_tokens", 0), ("data.dtype", "f8"), ("data.root", None),
        ("optimizer.lr_2", 1),
        ("task.kind", "oracle"), ("task.seq_len", 0), ("task.depth", 1), ("task", None),
        ("scoring", []), ("offsets", [1, 2]), ("offsets", 7),
    ],
)  # fmt: skip
def test_a_broken_manifest_is_refused(make_manifest, path: str, value: Any) -> None:
    with pytest.raises(ManifestInvalid):
        Manifest.from_json(broken(make_manifest().to_json(), path, value))


def test_code_of_others_is_not_run_unasked(make_manifest) -> None:
    manifest = make_manifest(model=Factory(path="os:system", seq_len=4, options={"command": "true"}))
    with pytest.raises(ManifestInvalid, match="code of its author"):
        Manifest.from_json(manifest.to_json(), trusted=False)


@pytest.mark.parametrize(("name", "number"), [("n_layer", 10**12), ("n_embd", 2**40), ("seq_len", 10**400)])
def test_a_model_of_others_that_no_machine_holds_is_not_built(make_manifest, name: str, number: int) -> None:
    manifest = broken(make_manifest(model=TinyGPT("small")).to_json(), f"model.{name}", number)
    with pytest.raises(ManifestInvalid, match="GB of this machine"):
        Manifest.from_json(manifest, trusted=False)


def test_phases_are_due_before_heights_of_their_own_round(make_manifest) -> None:
    heights = make_manifest(first_block=10).heights(2)
    assert due("miner", heights) == [(19, "committed"), (20, "revealed"), (22, "synced")]
    assert due("validator", heights) == [(19, "ready"), (21, "scored"), (22, "synced")]
    assert phase("validator", "scored", 5, heights).until == heights.close
    assert EXPECTED["alone"] == {}
    with pytest.raises(ValueError, match="no phase"):
        phase("miner", "scored", 5, heights)


def test_an_option_that_is_not_taken_leaves_the_hash_as_it_was(
    make_manifest: Callable[..., Manifest],
) -> None:
    plain, repeated = make_manifest(), make_manifest(deterministic=True)
    assert "deterministic" not in plain.to_json()
    assert Manifest.from_json(repeated.to_json()) == repeated
    assert plain.drawn_for == plain.hash
    elsewhere = replace(repeated, run_id="elsewhere", netuid=9, first_block=70)
    assert elsewhere.hash != repeated.hash
    assert elsewhere.drawn_for == repeated.drawn_for != replace(repeated, seed=5).drawn_for
