"""The kernel: ipykernel's, with our extension loaded in its shell, and four things an extension cannot give.

1. An interrupt ends an idle `await`. asyncio notices a signal only if a wakeup descriptor is installed, and
   plain ipykernel 7.4 installs none (ipython/ipykernel#881); any `add_signal_handler` does.
2. What was started behind the cells is closed on shutdown; a restart leaves runs and their node alone.
3. Completion and Shift-Tab know our verbs, their options, and the wallets, runs and miners there are.
4. A page that is opened or reloaded while a cell runs gets its widgets: the cell may wait for a click there.
"""

import asyncio
import atexit
import signal
import sys
from collections.abc import Sequence
from typing import Any

from ipykernel.ipkernel import IPythonKernel
from ipykernel.zmqshell import ZMQInteractiveShell
from IPython.core.interactiveshell import ExecutionResult
from traitlets import Type

from subnetlab import __version__
from subnetlab.network.secrets import find_secret
from subnetlab_kernel import extension, secret_guard
from subnetlab_kernel.completion import complete
from subnetlab_kernel.inspection import inspect_line
from subnetlab_kernel.services import SERVICES

_BESIDE = ("kernel_info_request", "comm_info_request")
"""What a page asks before it can show a widget, and JupyterLab asks of the shell, where a cell may run."""
_STATES = "jupyter.widget.control"
"""The comm over which a page asks for the state of every widget."""

_BANNER = (
    f"SubnetLab {__version__}: `%sl` lists the verbs, `import subnetlab as sl` is the SDK.\n"
    "No chain yet: unless you name another, the first verb starts one on this machine, with play money."
)


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


class SubnetLabKernel(IPythonKernel):
    """A Python kernel that owns what its cells start."""

    implementation = "subnetlab"
    implementation_version = __version__
    shell_class = Type(SubnetLabShell)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        shell: Any = self.shell
        shell.banner1 = f"{_BANNER}\n{shell.banner1}"
        self._keeps_runs = False
        self._beside: str | None = None
        self._states: dict[Any, Any] = {}
        atexit.register(lambda: close_everything(keep_runs=self._keeps_runs))

    def start(self) -> None:
        """Start, and let SIGINT wake the loop out of an idle `await` at once."""
        super().start()
        io_loop: Any = self.io_loop
        loop: asyncio.AbstractEventLoop = io_loop.asyncio_loop
        try:
            # SIGURG is ignored by default and unused here; what counts is the wakeup descriptor.
            loop.add_signal_handler(signal.SIGURG, lambda: None)
        except (NotImplementedError, RuntimeError, ValueError, AttributeError):
            self.log.debug("This loop takes no wakeup descriptor", exc_info=True)

    async def shell_channel_thread_main(self, msg: Any) -> None:
        """Pass a message on to the shell it is for; what a new page asks goes around a cell that runs."""
        busy = self._main_asyncio_lock.locked() and self._supports_kernel_subshells
        asked = self._asked_of_no_shell(msg) if busy else None
        if asked is None:
            await super().shell_channel_thread_main(msg)
            return
        channel: Any = self.shell_channel_thread
        async with channel.asyncio_lock:
            if self._beside is None or self._beside not in channel.manager.list_subshell():
                self._beside = channel.manager._create_subshell()  # noqa: SLF001 - pages make theirs by message
            idents, told = asked
            told["header"]["subshell_id"] = self._beside
            session: Any = self.session
            parts = session.serialize(told, idents)
            channel.manager.get_shell_channel_to_subshell_socket(self._beside).send_multipart(parts)

    def _asked_of_no_shell(self, msg: Any) -> tuple[list[bytes], dict[str, Any]] | None:
        """Who asks and what, if it is what there is, and no subshell is named."""
        session: Any = self.session
        try:
            idents, parts = session.feed_identities(msg, copy=False)
            # The content apart: a message that was taken whole counts as seen, and is refused the next time.
            told = session.deserialize(parts, content=False, copy=False)
            kind = told["header"]["msg_type"]
            if kind not in (*_BESIDE, "comm_open", "comm_msg"):
                return None
            content = told["content"] = session.unpack(told["content"])
            named = told["header"].get("subshell_id")
        except (ValueError, KeyError, TypeError):
            return None  # ipykernel says what is wrong with it
        target = content.get("target_name")
        if kind == "comm_msg":
            comm: Any = getattr(self, "comm_manager").get_comm(content.get("comm_id"))  # noqa: B009
            target = getattr(comm, "target_name", self._states.get(content.get("comm_id")))
        elif kind == "comm_open":
            self._states = {content.get("comm_id"): target}  # its first message comes before it is opened
        return (idents, told) if not named and (kind in _BESIDE or target == _STATES) else None

    def do_complete(self, code: str, cursor_pos: int) -> Any:
        """Complete `%sl` and `%%train`; everything else is IPython's."""
        shell: Any = self.shell
        ours = complete(code, cursor_pos, shell.user_ns)
        return ours if ours is not None else super().do_complete(code, cursor_pos)

    def do_inspect(
        self, code: str, cursor_pos: int, detail_level: int = 0, omit_sections: Sequence[str] = ()
    ) -> Any:
        """Say how a line of ours is written; everything else is IPython's."""
        ours = inspect_line(code, cursor_pos)
        return ours if ours is not None else super().do_inspect(code, cursor_pos, detail_level, omit_sections)

    # ipykernel awaits whatever do_shutdown returns; only its annotation still says it cannot wait.
    async def do_shutdown(self, restart: bool) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Close what the cells started; a restart keeps runs, so that the next kernel finds them."""
        self._keeps_runs = restart
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(None, lambda: close_everything(keep_runs=restart))
        except RuntimeError:  # the interpreter is ending already and takes no more work in the background
            close_everything(keep_runs=restart)
        result: Any = super().do_shutdown(restart)
        return await result if hasattr(result, "__await__") else result


def close_everything(*, keep_runs: bool) -> None:
    """Close this shell's services, then the networks its cells opened, with their runs unless kept."""
    SERVICES.close()
    opened = sys.modules.get("subnetlab.lab.opened")
    if opened is not None and not keep_runs:
        opened.close_all()
