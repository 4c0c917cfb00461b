"""torch's compiler, which the forkserver loads once for all peers of a run with compiled steps.

The import takes some three seconds and 120 MB, which each peer would otherwise spend for itself, and starts
no thread.
"""

from importlib import import_module
from typing import Final

from subnetlab.train.execution import prepare_compiler

LOADED: Final = ("torch._dynamo", "torch._inductor.compile_fx")
prepare_compiler()
for name in LOADED:
    import_module(name)
