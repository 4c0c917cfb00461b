"""`subnetlab lab`: JupyterLab on the first tutorial, on this machine only; its kernels may be on a host."""

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from subnetlab.commands.tutorials import working_copy
from subnetlab.errors import RunError
from subnetlab.lab.remote import host_address, token_for
from subnetlab.record.files import write_private

TOKEN_FILE = "SUBNETLAB_GATEWAY_TOKEN_FILE"  # noqa: S105 - the name of a variable
"""Names the file with the host's token: JupyterLab prints its whole environment, not what files hold."""
_READER = "subnetlab_kernel.gateway.TokenFromFile"
_CONNECTION = "subnetlab_kernel.gateway.BinaryGatewayConnection"
"""Jupyter Server's own breaks at the first widget with a buffer."""


def main(arguments: Sequence[str]) -> int:
    """Run JupyterLab until it is closed; its exit status.

    Raises:
        RunError: JupyterLab or the tutorial is missing.
        HostError: there is no token for the host, or its address cannot be used.
    """
    options = parse(arguments)
    words = command(options)
    if not options.gateway:
        return subprocess.call(words)  # noqa: S603 - our own command
    token = token_for(host_address(options.gateway))
    with tempfile.TemporaryDirectory() as folder:  # mode 0700
        file = Path(folder, "token")
        write_private(file, token)
        return subprocess.call(words, env={**os.environ, TOKEN_FILE: str(file)})  # noqa: S603


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(prog="subnetlab lab", description=__doc__)
    parser.add_argument("--no-browser", action="store_true", help="print the address instead of opening it")
    parser.add_argument("--port", type=int, default=8888, help="the first port to try")
    parser.add_argument("--gateway", metavar="URL", help="run the kernels on a host (`subnetlab host`)")
    return parser.parse_args(list(arguments))


def command(options: argparse.Namespace) -> list[str]:
    """How JupyterLab is called: loopback only, its own token, the tutorial opened.

    Raises:
        RunError: JupyterLab or the tutorial is missing.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise RunError("JupyterLab is not installed.", hint="pip install 'subnetlab[lab]'")
    notebook = working_copy("00")
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
    if options.gateway:
        words += gateway_options(options.gateway)
    return [*words, "--no-browser"] if options.no_browser else words


def gateway_options(url: str) -> list[str]:
    """What has JupyterLab run its kernels on a host.

    Raises:
        HostError: its address cannot be used.
        SecretRefused: the address holds a token, or would send one unencrypted.
    """
    address = host_address(url).geturl()
    return [
        f"--gateway-url={address}",
        f"--ServerApp.kernel_websocket_connection_class={_CONNECTION}",
        f"--GatewayClient.gateway_token_renewer_class={_READER}",
    ]
