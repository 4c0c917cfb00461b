"""The check of a card, in one command and under five minutes: `python -m tests.gpu [--device cpu --small]`.

Four miners and a validator train a model of 113 million parameters in bf16 on one card; beside them, on the
same card, plain PyTorch at the batch of one miner and of all four together. Then one round is trained on the
card and on the CPU, in float32, and the two updates are compared as an audit compares them. Prints what was
measured and writes it to `build/gpu.json`. Exit status 1 where a promise does not hold: a run that does not
learn, a peer that is not on the card, updates that an audit would refuse.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

import subnetlab as sl
from subnetlab.train import data, models, tasks
from subnetlab.train.devices import find_devices
from subnetlab.train.execution import Execution
from subnetlab.train.manifest import ScoringConfig
from subnetlab.train.optimizer import AdamWConfig
from subnetlab.train.strategies.base import Progress, inner_loop
from subnetlab.train.theta import FlatModel
from tests.project import ROOT

MINERS: Final = 4
LARGE: Final[dict[str, Any]] = {"model": {"n_layer": 16, "seq_len": 512}, "batch_size": 16, "inner_steps": 15}
SMALL: Final[dict[str, Any]] = {
    "model": {"n_embd": 64, "n_layer": 2, "n_head": 2, "seq_len": 32}, "batch_size": 2, "inner_steps": 3
}  # fmt: skip
ROUNDS: Final = 3
_LIMIT_S: Final = 240.0


def main(words: list[str]) -> int:
    """Measure, print and write; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.gpu", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--small", action="store_true", help="a model that a CPU trains as well")
    parser.add_argument("--dtype", default="bfloat16", choices=("bfloat16", "float32"))
    parser.add_argument("--compile", action="store_true", help="with compiled steps in the miners")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "gpu.json")
    options = parser.parse_args(words)
    size, began = SMALL if options.small else LARGE, time.perf_counter()
    asked = {**size, "device": options.device, "dtype": options.dtype}
    found: dict[str, Any] = {
        "device": options.device, "found": str(find_devices()), "torch": torch.__version__,
        "dtype": options.dtype, "compile": options.compile,
    }  # fmt: skip
    found["subnet"] = subnet(asked, compiled=options.compile)
    for name, batch_size in (("plain", size["batch_size"]), ("plain_of_four", MINERS * size["batch_size"])):
        found[name] = plain({**asked, "batch_size": batch_size, "steps": size["inner_steps"]})
    found["share_of_plain"] = found["subnet"]["tokens_per_s"] / found["plain_of_four"]["tokens_per_s"]
    found["beside_cpu"] = beside_cpu(options.device)
    found["seconds"] = time.perf_counter() - began
    found["broken"] = broken(found, asked)
    print(json.dumps(found, indent=2))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 1 if found["broken"] else 0


def broken(found: dict[str, Any], asked: dict[str, Any]) -> list[str]:
    """The promises that do not hold, as sentences."""
    run, said = found["subnet"], list[str]()
    if run["status"] != "finished" or run["rounds"] != ROUNDS:
        said.append(f"The run is {run['status']} after {run['rounds']} rounds.")
    if set(run["devices"]) != {asked["device"]}:
        said.append(f"Peers compute on {run['devices']}.")
    if not run["losses"] or not run["losses"][-1] < run["losses"][0]:
        said.append(f"The model learned nothing: {run['losses']}.")
    if not found["beside_cpu"]["apart"] < ScoringConfig().tolerance:
        said.append("An audit on the CPU refuses what the device made.")
    return said


def subnet(asked: dict[str, Any], *, compiled: bool) -> dict[str, Any]:
    """A real run of four miners on the device."""
    fleet = sl.LocalFleet(
        miners=MINERS, validators=1, baseline=False, device=asked["device"], compile=compiled,
        phase_limit_s=_LIMIT_S, start_limit_s=_LIMIT_S,
    )  # fmt: skip
    with sl.connect() as net:
        began = time.perf_counter()
        run = net.create_subnet("card", wallet="alice").train(
            sl.models.TinyGPT("gpu", **asked["model"]), rounds=ROUNDS, batch_size=asked["batch_size"],
            strategy=sl.strategies.SparseLoCo(inner_steps=asked["inner_steps"]), lr=3e-4,
            fleet=fleet, dtype=asked["dtype"],
        )  # fmt: skip
        run.wait(timeout=2 * _LIMIT_S)
        peers, miners = run.frame("peers"), run.frame("miners")
        slowest_s = [
            float(max(miners.filter(miners["round"] == number)["compute_s"].to_list(), default=float("nan")))
            for number in range(1, ROUNDS + 1)
        ]
        tokens = MINERS * asked["inner_steps"] * asked["batch_size"] * asked["model"]["seq_len"]
        return {
            "status": run.status,
            "rounds": run.frame("rounds").height,
            "parameters": sum(part.numel() for part in run.result(timeout=60).parameters()),
            "devices": sorted(set(peers.filter(peers["pid"].is_not_null())["device"].to_list())),
            "ready_s": max(one for one in peers["ready_s"].to_list() if one is not None),
            "losses": run.frame("rounds")["val_loss"].to_list(),
            "inner_steps_s": slowest_s,
            "tokens_per_s": tokens / min(slowest_s[1:]),
            "compress_s": miners["compress_s"].mean(),
            "wall_s": time.perf_counter() - began,
        }


def plain(asked: dict[str, Any]) -> dict[str, float]:
    """Plain PyTorch with the device to itself."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.gpu.plain", json.dumps(asked)], cwd=ROOT, capture_output=True,
        text=True, check=True, timeout=_LIMIT_S,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def beside_cpu(device: str) -> dict[str, float]:
    """One round of a small model on the device and on the CPU, in float32, and how far apart they end."""
    corpus = data.stdlib().read()
    spec = models.TinyGPT("small")
    task = tasks.of_model(spec)
    numbers = [np.arange(4) + 1000 * step for step in range(15)]

    def learned(on: Execution) -> torch.Tensor:
        model = FlatModel(models.build(spec, 0), task, AdamWConfig(), on)
        theta_P = model.theta_P.to("cpu", copy=True)
        batches = (task.batch(corpus, "train", numbers_B) for numbers_B in numbers)
        return inner_loop(model, theta_P, batches, Progress(0, 2, 15), lambda _step, _loss: None).delta_P

    here, there = learned(Execution()), learned(Execution(device=device))
    return {"apart": float((here - there).norm() / here.norm())}


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.exit(main(sys.argv[1:]))
