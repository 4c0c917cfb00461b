"""Plain PyTorch beside a miner: the same model, batch and arithmetic, `torch.optim.AdamW`, nothing of ours.

`python -m tests.gpu.plain JSON` prints one line of JSON; a process of its own, so that its memory is its own.
"""

import json
import sys
import time
from typing import Any

import torch
from torch.nn import functional

from subnetlab.train import models

_WARM_UP = 3


def wait_for(device: str) -> None:
    """Wait until the device has done what it was given."""
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


def trained(asked: dict[str, Any]) -> dict[str, float]:
    """Tokens a second of some steps, and the most memory they took on a card."""
    device, batch_size, steps = asked["device"], asked["batch_size"], asked["steps"]
    spec = models.TinyGPT("gpu", **asked["model"])
    module = models.build(spec, 0).to(device)
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-4, fused=device.startswith("cuda") or None)
    mixed = asked["dtype"] == "bfloat16"
    generator = torch.Generator().manual_seed(0)
    began = 0.0
    for step in range(_WARM_UP + steps):
        if step == _WARM_UP:
            wait_for(device)
            began = time.perf_counter()
        tokens = torch.randint(0, 256, (batch_size, spec.seq_len + 1), generator=generator).to(device)
        with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=mixed):
            logits = module(tokens[:, :-1])
            loss = functional.cross_entropy(logits.flatten(0, 1).float(), tokens[:, 1:].flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimizer.step()
    wait_for(device)
    seconds = time.perf_counter() - began
    card = torch.cuda.max_memory_allocated(device) if device.startswith("cuda") else 0
    return {"tokens_per_s": steps * batch_size * spec.seq_len / seconds, "card_bytes": card}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tests.gpu.plain JSON")
    torch.set_num_threads(1)
    print(json.dumps(trained(json.loads(sys.argv[1]))))
