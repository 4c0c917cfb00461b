"""What the forkserver loads once for all peers; imported there and nowhere else.

The garbage collector rests while it loads, which is a tenth faster, and is frozen afterwards: a collection in
a peer would otherwise write to the pages of every object and so copy what is shared.
"""

import gc
from importlib import import_module
from typing import Final

LOADED: Final = (
    "safetensors.torch",
    "subnetlab.fleet.fork_launcher",
    "subnetlab.fleet.worker.manifest_file",
    "subnetlab.fleet.worker.reconcile",
    "subnetlab.fleet.worker.result",
    "subnetlab.fleet.worker.role",
    "subnetlab.train.models.demo_transformer",
    "subnetlab.train.models.gpt_transformer",
    "subnetlab.train.payload.cosine",
    "subnetlab.train.payload.dense",
    "subnetlab.train.payload.float4",
    "subnetlab.train.payload.onebit",
    "subnetlab.train.payload.sparse",
    "subnetlab.train.phases",
    "subnetlab.train.robust",
)
gc.disable()
for name in LOADED:
    import_module(name)
gc.freeze()
gc.enable()
