"""`subnetlab host`: kernels on this machine for others, each behind a token.

Becomes the host's own program, which knows Jupyter, so that signals reach it and nothing else stays.
"""

import importlib.util
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from subnetlab.errors import HostError

_NEEDED = ("jupyter_server", "subnetlab_kernel")


def main(arguments: Sequence[str]) -> NoReturn:
    """Become the host; never returns.

    Raises:
        HostError: Jupyter Server is missing.
    """
    if any(importlib.util.find_spec(name) is None for name in _NEEDED):
        raise HostError("Jupyter Server is not installed.", hint="pip install 'subnetlab[lab]'")
    os.execv(sys.executable, command(arguments))  # noqa: S606 - our own program


def command(arguments: Sequence[str]) -> list[str]:
    """How the host's program is called."""
    return [sys.executable, "-m", "subnetlab_kernel.hosting", *arguments]
