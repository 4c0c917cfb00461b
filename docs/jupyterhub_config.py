"""JupyterHub with SubnetLab on it: a server for each student, and one class as a service of the hub.

Read by `jupyterhub -f docs/jupyterhub_config.py`. What depends on a site is in variables of the
environment; authenticator and spawner are the hub's own business and go into a file of the site's beside it.
"""

import os
import sys
from pathlib import Path

c = get_config()  # noqa: F821  # pyright: ignore[reportUndefinedVariable]

HUB = os.environ.get("HUB_URL", "https://hub.example.edu")
"""The address at which students reach the hub, without a path."""
PORT = int(os.environ.get("CLASS_PORT", "8866"))

c.Spawner.default_url = "/lab"
c.Spawner.environment = {"OMP_NUM_THREADS": "1"}
c.Spawner.mem_limit, c.Spawner.cpu_limit = "4G", 2  # kept by spawners that use containers or systemd

# The hub starts the class and carries /services/class/ to it: joining, chain, store and board, so a student's
# kernel, and a laptop outside, need the hub's port alone. The class asks for its own codes and tokens.
c.JupyterHub.services = [
    {
        "name": "class",
        "url": f"http://127.0.0.1:{PORT}",
        "command": [
            sys.executable, "-m", "subnetlab", "class", "--port", str(PORT),
            "--url", f"{HUB}/services/class", *os.environ.get("CLASS_OPTIONS", "").split(),
        ],
        "environment": {"HOME": str(Path.home())},
    }
]  # fmt: skip
