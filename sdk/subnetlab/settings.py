"""Where SubnetLab keeps what outlives a process, and what a machine may override.

One environment variable, `SUBNETLAB_HOME`, moves everything; nothing else is read from the environment here.
"""

import os
from pathlib import Path


def home() -> Path:
    """The folder of nodes, runs and budgets: `$SUBNETLAB_HOME`, else `~/.subnetlab`."""
    return Path(os.environ.get("SUBNETLAB_HOME") or Path.home() / ".subnetlab")


def runs_folder() -> Path:
    """One folder per run: manifest, record, store, result."""
    return home() / "runs"


def run_folders() -> list[Path]:
    """The folder of every run of this machine, in no order."""
    root = runs_folder()
    return [entry for entry in root.iterdir() if (entry / "manifest.json").is_file()] if root.is_dir() else []


def nodes_folder() -> Path:
    """One folder per embedded node: its chain, its log, and how it is started again."""
    return home() / "nodes"


def dev_token_file(port: int) -> Path:
    """What opens the `dev_` methods of the development node at a port of this machine, for its user alone."""
    return nodes_folder() / f"{port}.token"


def opened_folder() -> Path:
    """One folder per recorded run that was opened from a file, named by its contents."""
    return home() / "opened"
