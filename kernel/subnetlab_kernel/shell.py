"""The shell inside the kernel: IPython's own, with our extension loaded before the first cell."""

from typing import Any

from ipykernel.zmqshell import ZMQInteractiveShell
from IPython.core.interactiveshell import ExecutionResult

from subnetlab.network.secrets import find_secret
from subnetlab_kernel import extension, secret_guard


class SubnetLabShell(ZMQInteractiveShell):
    """ZMQInteractiveShell that refuses to run, and to remember, a cell with a secret in it."""

    def init_magics(self) -> None:
        """Register IPython's magics, then ours."""
        super().init_magics()
        extension.load(self)

    async def run_cell_async(
        self,
        raw_cell: str,
        store_history: bool = False,
        silent: bool = False,
        shell_futures: bool = True,
        **kwargs: Any,
    ) -> ExecutionResult:
        """Run a cell; one that holds a mnemonic or a private key fails at once and stays out of history."""
        if find_secret(raw_cell):
            raw_cell, store_history = secret_guard.REFUSAL, False
            kwargs.update(transformed_cell=raw_cell, preprocessing_exc_tuple=None)
        return await super().run_cell_async(raw_cell, store_history, silent, shell_futures, **kwargs)
