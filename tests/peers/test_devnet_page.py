"""The snippet of `docs/devnet.md` that polkadot.js runs, against the node that the page starts."""

import subprocess
from pathlib import Path

from tests import devnet_page
from tests.devnet_process import running_devnet
from tests.peers.place import JS


def test_polkadot_js_pays_and_reads(tmp_path: Path) -> None:
    with running_devnet(tmp_path) as node:
        program = devnet_page.files(node.port)["blocks.mjs"]
        # From standard input, where node looks for packages in the folder that it was started in.
        done = subprocess.run(
            ["node", "--input-type=module", "-"],
            input=program, cwd=JS, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split()[-1] == "1000001500000000"
