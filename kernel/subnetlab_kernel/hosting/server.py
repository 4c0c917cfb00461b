"""The server of a host: Jupyter Server with kernels alone, on loopback, configured here and nowhere else."""

import logging
import os
import re
from collections.abc import Callable, Sequence
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, Final

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_server.serverapp import ServerApp
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from traitlets.config import Config

from subnetlab.errors import HostError
from subnetlab_kernel.hosting import provisioner
from subnetlab_kernel.hosting.identity import KernelsOnly, TokenIdentity
from subnetlab_kernel.hosting.kernels import HostedKernels
from subnetlab_kernel.hosting.limits import KernelLimits
from subnetlab_kernel.hosting.users import HostedUser

_CULL_EVERY_S: Final = 60
_KERNEL: Final = "subnetlab"


class WithoutTokens(logging.Filter):
    """Takes tokens out of what is logged: tornado logs addresses as they come, also with a token in them."""

    def __init__(self, tokens: Sequence[str]) -> None:
        super().__init__()
        self._secret = re.compile("|".join([r"(?<=token=)[^&\s'\"]+", *map(re.escape, tokens)]))

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, without tokens."""
        record.msg, record.args = self._secret.sub("[secret]", record.getMessage()), ()
        return True


class PromptConnection(ZMQChannelsWebsocketConnection):
    """A kernel's websocket that sends small messages at once: they waited 40 ms for an acknowledgement."""

    def connect(self) -> Any:
        """Connect to the kernel."""
        self.websocket_handler.set_nodelay(True)
        return super().connect()


class HostServer(ServerApp):
    """Jupyter Server without extensions, terminals, pages, and files about itself."""

    name = "subnetlab-host"
    announce: Callable[[int], None] | None = None

    def find_server_extensions(self) -> None:
        """None: each would be another way in."""

    def write_server_info_file(self) -> None:
        """None: the tokens' files are the only place that tells."""

    def write_browser_open_files(self) -> None:
        """None either."""

    def start_app(self) -> None:
        """Start to serve, and say so once the port is open, which the loop's first callback opens."""
        super().start_app()
        if self.announce is not None:
            self.io_loop.add_callback(self.announce, self.port)


def serve(
    folder: Path,
    users: Sequence[HostedUser],
    limits: KernelLimits,
    *,
    port: int,
    cull_after_s: int,
    announce: Callable[[int], None],
) -> None:
    """Serve kernels until the process is told to end, and end all of them then.

    Raises:
        HostError: the port is taken, or our kernel is not installed.
    """
    os.environ["JUPYTER_NO_CONFIG"] = "1"
    if _KERNEL not in KernelSpecManager().find_kernel_specs():
        raise HostError("The SubnetLab kernel is not installed here.", hint="pip install 'subnetlab[lab]'")
    factory: Any = KernelProvisionerFactory.instance()
    factory.provisioners[provisioner.NAME] = EntryPoint(
        provisioner.NAME, provisioner.VALUE, factory.GROUP_NAME
    )
    factory.default_provisioner_name = provisioner.NAME
    empty = folder / "empty"
    empty.mkdir(exist_ok=True)
    HostServer.clear_instance()
    server = HostServer.instance(config=_configuration(folder, users, limits, port, cull_after_s))
    server.announce = announce
    try:
        server.initialize(argv=[])
    except SystemExit as error:  # Jupyter Server's answer to a port that is taken
        raise HostError(
            f"Port {port} cannot be opened.", hint="Name another with --port; 0 takes a free one."
        ) from error
    for handler in {*server.log.handlers, *logging.root.handlers}:
        handler.addFilter(WithoutTokens([user.token for user in users]))
    server.start()


def _configuration(
    folder: Path, users: Sequence[HostedUser], limits: KernelLimits, port: int, cull_after_s: int
) -> Config:
    config = Config()
    config.ServerApp.update(
        ip="127.0.0.1", port=port, port_retries=0, open_browser=False, allow_root=True,
        root_dir=str(folder / "empty"), terminals_enabled=False, allow_unauthenticated_access=False,
        identity_provider_class=TokenIdentity, authorizer_class=KernelsOnly,
        kernel_manager_class=HostedKernels, kernel_websocket_connection_class=PromptConnection,
        log_level=logging.WARNING, quit_button=False,
    )  # fmt: skip
    config.ServerApp.update(websocket_ping_interval=30_000, websocket_ping_timeout=30_000)
    config.TokenIdentity.update(tokens={user.name: user.token for user in users}, token="")
    config.KernelSpecManager.update(allowed_kernelspecs={_KERNEL}, ensure_native_kernel=False)
    config.HostedKernels.update(
        users=list(users), limits=limits, default_kernel_name=_KERNEL, transport_encryption="required",
        cull_idle_timeout=cull_after_s, cull_interval=min(_CULL_EVERY_S, max(1, cull_after_s // 2)),
        cull_connected=True,
    )  # fmt: skip
    return config
