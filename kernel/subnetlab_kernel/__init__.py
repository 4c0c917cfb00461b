"""A Jupyter kernel for SubnetLab: Python, verbs for subnets, interrupts that work, runs that are owned.

`%load_ext subnetlab_kernel` gives the same magics and the same short errors in any IPython kernel; what only
the kernel itself can give (interrupting an idle `await`, closing what it started) is in `kernel.py`.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["load_ipython_extension", "unload_ipython_extension"]


def load_ipython_extension(shell: "InteractiveShell") -> None:
    """Give a running IPython shell our magics, errors and pictures; called by `%load_ext`."""
    from subnetlab_kernel.extension import load  # noqa: PLC0415  (importing the package must stay free)

    load(shell)


def unload_ipython_extension(shell: "InteractiveShell") -> None:
    """Stop what the magics started behind the cells; called by `%unload_ext`."""
    from subnetlab_kernel.extension import unload  # noqa: PLC0415

    unload(shell)
