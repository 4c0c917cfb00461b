"""What the forkserver loads once for all peers; imported there and nowhere else.

Freezing the garbage collector afterwards keeps what is shared shared: a collection in a peer would otherwise
write to the pages of every object and so copy them.
"""

import gc
from importlib import import_module
from typing import Final

import torch

LOADED: Final = (
    "safetensors.torch",
    "subnetlab.fleet.facts",
    "subnetlab.fleet.result",
    "subnetlab.fleet.role",
    "subnetlab.train.phases",
)
for name in LOADED:
    import_module(name)
torch.set_num_threads(1)
gc.collect()
gc.freeze()
