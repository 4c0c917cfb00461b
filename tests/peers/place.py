"""Where the programs of others lie that `make peers` installs, and what to say where they do not."""

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
JS = ROOT / "tests" / "peers" / "js"
PROGRAMS = ROOT / "tests" / "peers" / "programs"
PYTHON = ROOT / "build" / "peers" / "bin" / "python"
MISSING = "clients of others are not installed: run `make peers` (a minute or two, npm and a network needed)"


def installed() -> bool:
    """Whether all of them can be started here."""
    return PYTHON.exists() and (JS / "node_modules").is_dir() and shutil.which("node") is not None
