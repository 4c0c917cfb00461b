"""A small world for training tests: real text, real keys, a model of some ten thousand parameters."""

import json as json_module
import textwrap as textwrap_module
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from bittensor_core import Keypair

from subnetlab.train import data, models, tasks
from subnetlab.train.data import Corpus
from subnetlab.train.free_rider import FreeRider
from subnetlab.train.manifest import Manifest, ScoringConfig
from subnetlab.train.peer import Peer
from subnetlab.train.rehearsal import Rehearsal
from subnetlab.train.roster import Seat
from subnetlab.train.strategies import SparseLoCo
from subnetlab.train.theta import Layout

torch.set_num_threads(1)

MakeManifest = Callable[..., Manifest]
MakeRehearsal = Callable[..., Rehearsal]


def keypair(uid: int) -> Keypair:
    return Keypair.create_from_uri(f"//Test//{uid}")


def seats_for(*roles: str) -> list[Seat]:
    return [Seat.of(uid, keypair(uid).ss58_address, role) for uid, role in enumerate(roles)]


def riders(*roles: str) -> dict[int, type[Peer]]:
    return {uid: FreeRider for uid, role in enumerate(roles) if role == "free_rider"}


@pytest.fixture(scope="session")
def corpus() -> Corpus:
    sources = [Path(str(module.__file__)) for module in (json_module, textwrap_module)]
    package = sorted(sources[0].parent.glob("*.py"))
    return data.text(*(path.read_bytes() for path in [*package, sources[1]]), name="library").read()


@pytest.fixture(scope="session")
def library() -> Corpus:
    return data.stdlib().read()


@pytest.fixture(scope="session")
def tiny() -> models.TinyGPT:
    return models.TinyGPT("binder", n_embd=32, n_layer=1, n_head=2, seq_len=16)


@pytest.fixture(scope="session")
def layout(tiny: models.TinyGPT) -> Layout:
    return Layout.of(models.build(tiny, 0))


@pytest.fixture
def make_manifest(corpus: Corpus, tiny: models.TinyGPT) -> MakeManifest:
    base = Manifest(
        run_id="test",
        netuid=1,
        model=tiny,
        task=tasks.of_model(tiny, "def "),
        data=corpus.manifest,
        strategy=SparseLoCo(inner_steps=4),
        rounds=3,
        first_block=3,
        batch_size=4,
        scoring=ScoringConfig(validation_batches=2, validation_sequences=16),
    )

    def make(**changes: Any) -> Manifest:
        return replace(base, **changes)

    return make


@pytest.fixture
def rehearse(corpus: Corpus, make_manifest: MakeManifest) -> MakeRehearsal:
    def make(*roles: str, **changes: Any) -> Rehearsal:
        options = {key: changes.pop(key) for key in ("roster", "store", "net") if key in changes}
        played = {**riders(*roles), **changes.pop("roles", {})}
        return Rehearsal(
            make_manifest(**changes),
            seats_for(*roles),
            corpus,
            lambda seat: lambda message: bytes(keypair(seat.uid).sign(message)),
            roles=played,
            **options,
        )

    return make
