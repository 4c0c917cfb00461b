"""Starts a person's kernel: as their system user, in their folder, with their environment and limits.

An entry point of `jupyter_client.kernel_provisioners`, chosen by the host and not by the kernelspec, so that
a kernel on one's own machine is started as ever.
"""

import os
from typing import Any, Final

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from subnetlab.fleet.launch import MOST_RUNS
from subnetlab.record.files import PRIVATE_UMASK, open_log
from subnetlab_kernel.hosting.limits import KernelLimits, confined
from subnetlab_kernel.hosting.users import HostedUser

NAME: Final = "subnetlab-hosted"
VALUE: Final = "subnetlab_kernel.hosting.provisioner:HostedProvisioner"
HOSTED: Final = "subnetlab_hosted"
"""The argument of `start_kernel` with the `Place` of the kernel."""


class Place:
    """Where a kernel belongs, passed from `kernels` through jupyter_client."""

    def __init__(self, user: HostedUser, limits: KernelLimits, number: int) -> None:
        self.user, self.limits, self.number = user, limits, number


class HostedProvisioner(LocalProvisioner):
    """A local process with an owner and limits."""

    place: Place | None = None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Write the connection file where only its owner reads it, and say how the process starts.

        Raises:
            RuntimeError: the kernel has no owner.
        """
        self.place = kwargs.pop(HOSTED, None)
        if self.place is None:
            raise RuntimeError("A hosted kernel belongs to a user of `subnetlab host`.")
        user = self.place.user
        manager: Any = self.parent
        manager.connection_file = str(user.connections / f"kernel-{self.kernel_id}.json")
        kwargs["env"] = {
            **user.environment(),
            MOST_RUNS: str(self.place.limits.runs or ""),
        }
        found = await super().pre_launch(**kwargs)
        if user.uid is not None:
            os.chown(manager.connection_file, user.uid, user.uid, follow_symlinks=False)
            found |= {"user": user.uid, "group": user.uid, "extra_groups": []}
        return found | {"cwd": str(user.folder), "umask": PRIVATE_UMASK}

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the process within its limits; what it prints beside its messages goes to a log."""
        place = self.place
        assert place is not None
        command = confined(cmd, place.limits, own_user=place.user.uid is not None, place=place.number)
        log = open_log(place.user.log)
        try:
            return await super().launch_kernel(command, **kwargs, stdout=log, stderr=log)
        finally:
            os.close(log)
