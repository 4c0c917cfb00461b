"""`subnetlab lab`: JupyterLab on a tutorial of the course, on this machine only."""

import argparse
import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence

from subnetlab.commands.tutorials import working_copy
from subnetlab.errors import RunError


def main(arguments: Sequence[str]) -> int:
    """Run JupyterLab until it is closed; its exit status.

    Raises:
        RunError: JupyterLab or the tutorial is missing.
    """
    return subprocess.call(command(parse(arguments)))  # noqa: S603 - our own command


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(prog="subnetlab lab", description=__doc__)
    parser.add_argument(
        "tutorial", nargs="?", type=int, default=0, help="the number of the tutorial to open, 0 unless given"
    )
    parser.add_argument("--no-browser", action="store_true", help="print the address instead of opening it")
    parser.add_argument("--port", type=int, default=8888, help="the first port to try")
    return parser.parse_args(list(arguments))


def command(options: argparse.Namespace) -> list[str]:
    """How JupyterLab is called: loopback only, its own token, the tutorial opened.

    Raises:
        RunError: JupyterLab or the tutorial is missing.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise RunError("JupyterLab is not installed.", hint="pip install 'subnetlab[lab]'")
    notebook = working_copy(f"{options.tutorial:02d}")
    words = [
        sys.executable,
        "-m",
        "jupyter",
        "lab",
        str(notebook),
        "--ip=127.0.0.1",
        f"--port={options.port}",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        words.append("--allow-root")  # a container's only user; loopback and a token guard it
    return [*words, "--no-browser"] if options.no_browser else words
