"""The kernels of a host: whose each is, how many a person may have, and which may be ended for being idle.

A kernel of another person is not there: it is not listed, and every request that names it answers 404. A
person whose run goes on keeps all kernels, however long they are idle.
"""

import asyncio
import uuid
from time import monotonic
from typing import Any, Final

from jupyter_server import CallContext
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado import web
from traitlets import Instance, List

from subnetlab_kernel.hosting.limits import KernelLimits
from subnetlab_kernel.hosting.provisioner import HOSTED, Place
from subnetlab_kernel.hosting.users import HostedUser

_START_LIMIT_S: Final = 60.0
_LOOK_AGAIN_S: Final = 0.1


class HostedKernels(AsyncMappingKernelManager):
    """Jupyter Server's kernels, each with an owner."""

    users: "List[HostedUser]" = List(Instance(HostedUser)).tag(config=True)
    limits = Instance(KernelLimits, ()).tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._owners: dict[str, str] = {}
        """The name of each kernel's owner, by kernel id, from before it is started."""

    @staticmethod
    def _asking() -> str | None:
        """The name of the user whose request is being answered; None where the host itself works."""
        handler = CallContext.get(CallContext.JUPYTER_HANDLER)
        user = getattr(handler, "current_user", None)
        return None if user is None else user.username

    async def start_kernel(self, **kwargs: Any) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Start a kernel of the user who asks; ids and folders that a request names are not taken.

        Raises:
            HTTPError: 403 without a user, 404 for a kind of kernel that is not here, 429 where the user has
                as many as there may be.
        """
        name = self._asking()
        place = next((i for i, user in enumerate(self.users) if user.name == name), None)
        if place is None or name is None:
            raise web.HTTPError(403, "A kernel is started for a user.")
        kind = kwargs.get("kernel_name")
        specs: Any = self.kernel_spec_manager
        kinds: list[str] = sorted(specs.find_kernel_specs())
        if kind is not None and kind not in kinds:
            known = ", ".join(kinds)
            raise web.HTTPError(404, f"There is no such kind of kernel here: ask for {known}.")
        held = list(self._owners.values()).count(name)
        if self.limits.kernels and held >= self.limits.kernels:
            raise web.HTTPError(
                429, f"You have {held} kernels, which are the most here: shut one down first."
            )
        kernel_id = str(uuid.uuid4())
        taken: dict[str, Any] = {
            "kernel_id": kernel_id,
            "kernel_name": kind,
            HOSTED: Place(self.users[place], self.limits, place),
        }
        self._owners[kernel_id] = name
        try:
            return await super().start_kernel(**taken)
        except BaseException:
            self._owners.pop(kernel_id, None)
            raise

    def _check_kernel_id(self, kernel_id: str) -> None:
        super()._check_kernel_id(kernel_id)
        asking = self._asking()
        if asking is not None and not self.belongs(kernel_id, asking):
            raise web.HTTPError(404, f"Kernel does not exist: {kernel_id}")

    def belongs(self, kernel_id: str, name: str) -> bool:
        """Whether a kernel is this person's."""
        return self._owners.get(kernel_id) == name

    def list_kernels(self) -> list[dict[str, Any]]:
        """The kernels of the user who asks."""
        asking = self._asking()
        mine = [
            kernel_id for kernel_id in list(self.list_kernel_ids())
            if asking is None or self._owners.get(kernel_id) == asking
        ]  # fmt: skip
        return [self.kernel_model(kernel_id) for kernel_id in mine]

    async def shutdown_kernel(self, kernel_id: str, *args: Any, **kwargs: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """End a kernel; one that is just being started again after it died is waited for."""
        deadline = monotonic() + _START_LIMIT_S
        while True:
            try:
                return await super().shutdown_kernel(kernel_id, *args, **kwargs)
            except asyncio.InvalidStateError:  # jupyter_client's answer while it starts one again
                if monotonic() >= deadline:
                    raise
            await asyncio.sleep(_LOOK_AGAIN_S)

    def remove_kernel(self, kernel_id: str) -> Any:
        """Forget a kernel and whose it was."""
        self._owners.pop(kernel_id, None)
        return super().remove_kernel(kernel_id)

    async def cull_kernel_if_idle(self, kernel_id: str) -> None:
        """End an idle kernel, unless a run of its owner goes on."""
        # The timer was started by the first request, whose user would be taken for the one who asks.
        CallContext.set(CallContext.JUPYTER_HANDLER, None)
        owner = self._owners.get(kernel_id)
        if any(user.name == owner and user.trains() for user in self.users):
            return
        await super().cull_kernel_if_idle(kernel_id)
