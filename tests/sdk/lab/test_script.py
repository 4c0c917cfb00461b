"""A script that is started from another folder, with its model in a module beside it."""

import subprocess
import sys
from pathlib import Path

MODEL = """\
from torch import nn


class Line(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(1, 1)

    def forward(self, inputs):
        return self.layer(inputs)
"""
SCRIPT = """\
import polars as pl
from beside import Line

import subnetlab as sl

if __name__ == "__main__":
    frame = pl.DataFrame({"x": [float(n % 7) for n in range(200)]}).with_columns(y=2 * pl.col("x"))
    fleet = sl.LocalFleet(miners=1, validators=1, baseline=False)
    with sl.connect() as net:
        run = net.create_subnet("script").train(Line, frame, target="y", rounds=1, fleet=fleet)
        print(run.wait(progress=False).status)
"""


def test_a_script_s_model_reaches_its_peers_from_the_module_beside_it(tmp_path: Path) -> None:
    home, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    home.mkdir()
    elsewhere.mkdir()
    (home / "beside.py").write_text(MODEL)
    (home / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, str(home / "script.py")],
        cwd=elsewhere, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.stdout.split()[-1:] == ["finished"], done.stderr
