"""Side-by-side measurements, run by `make bench`, never part of the test suite.

A family measures one subject, ours and the peer's in the same run, and yields figures. The runner prints one
line per figure and merges them into `build/bench.json` with the machine's facts at that moment.
"""

import os

# One thread per library, here and in every process that a family starts; before anything imports torch.
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS"):
    os.environ.setdefault(_name, "1")
