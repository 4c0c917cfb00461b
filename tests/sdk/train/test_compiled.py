"""Steps that torch compiles: the same losses within rounding; a second process finds what is compiled."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAM = """
import json, sys, time
import torch
from subnetlab.train import models, tasks
from subnetlab.train.execution import Execution
from subnetlab.train.optimizer import AdamWConfig
from subnetlab.train.theta import FlatModel

torch.set_num_threads(1)
spec = models.TinyGPT("binder", n_embd=32, n_layer=1, n_head=2, seq_len=16)
generator = torch.Generator().manual_seed(0)
batches = [torch.randint(0, 256, (2, 4, 16), generator=generator) for _ in range(6)]

def losses(execution):
    model = FlatModel(models.build(spec, 0), tasks.of_model(spec), AdamWConfig(lr=5e-3), execution)
    found = []
    for x_BT, y_BT in batches:
        found.append(model.differentiate((x_BT, y_BT)))
        model.optimizer.step(model.theta_P, model.gradient_P, 5e-3)
    return found, [float(one) for one in model.losses(tuple(batches[0]))]

plain, judged = losses(Execution())
loaded = "torch._dynamo" in sys.modules
began = time.process_time()
compiled, judged_compiled = losses(Execution(compiled=True))
from torch._dynamo.utils import counters
print(json.dumps({
    "plain": plain, "compiled": compiled, "judged": judged, "judged_compiled": judged_compiled,
    "loaded": loaded, "cpu_s": time.process_time() - began,
    "hits": counters["inductor"]["fxgraph_cache_hit"], "misses": counters["inductor"]["fxgraph_cache_miss"],
}))
"""


def compiled_in_a_process(home: Path) -> dict[str, Any]:
    environment = {**os.environ, "SUBNETLAB_HOME": str(home)}
    for name in ("TORCHINDUCTOR_CACHE_DIR", "TORCHINDUCTOR_COMPILE_THREADS"):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.long
@pytest.mark.timeout(1000)
def test_compiled_steps_learn_what_plain_ones_learn_and_are_compiled_once_a_machine(tmp_path: Path) -> None:
    first, second = compiled_in_a_process(tmp_path), compiled_in_a_process(tmp_path)
    for found in (first, second):
        assert not found["loaded"], "a compiler is loaded by who compiles alone"
        assert found["compiled"] == pytest.approx(found["plain"], rel=1e-3)
        assert found["judged_compiled"] == pytest.approx(found["judged"], rel=1e-3)
    assert first["misses"] > 0
    assert (second["misses"], second["hits"]) == (0, first["misses"])
    kept = tmp_path / "compiled"
    assert kept.stat().st_mode & 0o77 == 0
    assert any(kept.iterdir())
