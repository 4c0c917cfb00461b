"""Bit-exact replay: the same rounds give the same θ in this process and in another."""

import subprocess
import sys

import torch

PROGRAM = """
import torch
torch.set_num_threads(1)
from subnetlab.train import data, models, tasks
from subnetlab.train.data import sequences
from subnetlab.train.manifest import Manifest
from subnetlab.train.optimizer import AdamWConfig
from subnetlab.train.payload.update import Update
from subnetlab.train.strategies import SparseLoCo
from subnetlab.train.theta import FlatModel, theta_hash
import numpy as np

def replayed():
    corpus = data.text(bytes(range(256)) * 40).read()
    strategy = SparseLoCo(inner_steps=6)
    model = models.TinyGPT("binder", n_embd=32, n_layer=1, n_head=2, seq_len=16)
    task = tasks.of_model(model)
    manifest = Manifest(run_id="r", netuid=1, model=model, task=task, data=corpus.manifest, strategy=strategy,
                        rounds=2,
                        first_block=0)
    model = FlatModel(models.build(model, 0), task, AdamWConfig())
    theta, memory = model.theta_P.clone(), {}
    codec = strategy.codec(model.layout)
    for round_ in range(2):
        batches = [sequences(corpus.train, np.arange(4) * 50 + 7 * i + round_, 16) for i in range(6)]
        learned = strategy.learn(model, theta, batches, manifest.progress(round_), lambda i, loss: None,
                                 memory=memory)
        update = strategy.combine([codec.decode(codec.encode(learned.delta_P, memory))], model.layout)
        strategy.apply(theta, update, {}, manifest.progress(round_))
    return theta_hash(theta)
"""


def test_two_processes_and_two_calls_agree_on_every_bit() -> None:
    space: dict[str, object] = {}
    exec(PROGRAM, space)
    replayed = space["replayed"]
    assert callable(replayed)
    assert torch.get_num_threads() == 1
    here = [replayed(), replayed()]
    there = subprocess.run(
        [sys.executable, "-c", PROGRAM + "\nprint(replayed())"],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    assert [there.stdout.strip(), here[1]] == [here[0], here[0]]
