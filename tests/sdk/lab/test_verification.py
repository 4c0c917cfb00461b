"""An honest run verifies; whatever is tampered with is named with its round and uid."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

import subnetlab as sl
from subnetlab.cli import main
from subnetlab.lab.run import Run
from subnetlab.lab.verification import verify_folder
from subnetlab.network.commit_history import read_history
from subnetlab.network.wire_client import WireClient
from subnetlab.train import aggregate
from subnetlab.train.anchors import Anchor
from subnetlab.train.manifest import Manifest
from subnetlab.train.round_record import RoundRecord, aggregate_hash
from subnetlab.train.theta import Layout

from .tampering import Event, World, flip, of, swap

WORDS = "the subnet pays every miner whose payload removes loss on data that a beacon drew after its commit"
ROUNDS = 4
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def verified(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """An honest run whose node still answers."""
    drawn = np.random.default_rng(7)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SUBNETLAB_HOME", str(tmp_path_factory.mktemp("home")))
        with sl.connect(sealing="manual") as net:
            run = net.create_subnet("proof", wallet="alice").train(
                model=sl.models.TinyGPT("demo", n_embd=16, n_layer=1, n_head=2, seq_len=16),
                data=sl.data.text(" ".join(drawn.choice(WORDS.split(), 30_000)), name="words"),
                strategy=sl.strategies.SparseLoCo(inner_steps=4),
                rounds=ROUNDS, batch_size=2, seed=7, fleet=sl.LocalFleet(miners=3, validators=2, baseline=False),
            )  # fmt: skip
            run.wait(timeout=120)
            yield run


@pytest.fixture(scope="module")
def world(verified: Run) -> World:
    view = verified.view
    client = WireClient(verified.endpoint)
    started = view.started
    assert started is not None
    history = read_history(client, verified.netuid, started.block, view.block)
    client.close()
    return World(verified.folder, history, tuple(view.uids("miner")), tuple(view.uids("validator")))
