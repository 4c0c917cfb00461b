"""A real kernel, started through the installed kernelspec and spoken to over its sockets."""

import os
from dataclasses import dataclass, field
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from subnetlab_kernel.extension import WAITING


@dataclass
class Reply:
    """What one cell answered."""

    status: str
    ename: str
    evalue: str
    traceback: list[str]
    stdout: str = ""
    stderr: str = ""
    data: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """Mime bundles, in the order they were shown."""
    waits: list[str] = field(default_factory=list[str])
    """What the cell said it waits for, which depends on how long that took."""

    @property
    def text(self) -> str:
        """Everything that was shown as plain text."""
        return self.stdout + "\n".join(str(bundle.get("text/plain", "")) for bundle in self.data)


class RunningKernel:
    """A kernel process and a client of it."""

    def __init__(self, manager: KernelManager) -> None:
        self.manager = manager
        self.client: BlockingKernelClient = manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=300)

    @property
    def pid(self) -> int:
        return self.manager.provisioner.pid

    def run(self, code: str, timeout: float = 30) -> Reply:
        streams = {"stdout": "", "stderr": ""}
        bundles: list[dict[str, Any]] = []
        waits: list[dict[str, Any]] = []

        def hear(message: dict[str, Any]) -> None:
            content = message["content"]
            if message["msg_type"] == "stream":
                streams[content["name"]] += content["text"]
            elif message["msg_type"] in ("display_data", "update_display_data", "execute_result"):
                shown_as = str(content.get("transient", {}).get("display_id", ""))
                (waits if shown_as.startswith(WAITING) else bundles).append(content["data"])

        reply = self.client.execute_interactive(
            code, timeout=timeout, output_hook=hear, allow_stdin=False, stop_on_error=False
        )
        content = reply["content"]
        return Reply(
            content["status"],
            content.get("ename", ""),
            content.get("evalue", ""),
            content.get("traceback", []),
            streams["stdout"],
            streams["stderr"],
            bundles,
            [str(bundle["text/plain"]) for bundle in waits],
        )

    def ask(self, code: str) -> str:
        """Send a cell. When it fails, the kernel must not drop the next one, which a test sends at once."""
        return self.client.execute(code, stop_on_error=False)

    def send(self, code: str) -> str:
        """Start a cell and come back when the kernel has begun to run it."""
        message = self.ask(code)
        while True:
            heard = self.client.get_iopub_msg(timeout=300)
            if heard["parent_header"].get("msg_id") == message and heard["msg_type"] == "stream":
                return message

    def answer(self, message: str, timeout: float = 20) -> dict[str, Any]:
        while True:
            reply = self.client.get_shell_msg(timeout=timeout)
            if reply["parent_header"].get("msg_id") == message:
                return reply["content"]

    def restart(self) -> None:
        """Restart as the front end's button does: the kernel is asked to end first."""
        self.client.stop_channels()
        self.manager.restart_kernel()
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=300)

    def stop(self) -> None:
        self.client.stop_channels()
        if self.manager.has_kernel:
            self.manager.shutdown_kernel()


def start_kernel(name: str = "subnetlab", **env: str) -> RunningKernel:
    """Start the kernel an installed kernelspec names, with extra environment variables."""
    manager = KernelManager(kernel_name=name, transport_encryption="auto")
    manager.start_kernel(env={**os.environ, **env})
    return RunningKernel(manager)
