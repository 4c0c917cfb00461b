"""The run of a class: published by its owner, judged by one validator of the class, kept by an observer.

Each is a command or process of its own, as any owner and stranger would start it; here are their lives. The
run is what `plan.py` in the class's folder describes, in the words of `subnetlab run publish`.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, Final

from subnetlab.classroom.chain import OWNER_WALLET, ClassChain
from subnetlab.errors import ClassError, FleetError
from subnetlab.fleet.forkserver import ONE_THREAD
from subnetlab.fleet.launch import OBSERVER, is_running, request_stop, start_supervisor
from subnetlab.fleet.run_folder import MANIFEST_FILE
from subnetlab.fleet.spec import FleetSpec, write_spec
from subnetlab.membership import FILE, Membership, folder_of
from subnetlab.public.found_run import find_run
from subnetlab.public.subnet_reads import SubnetReads
from subnetlab.record.files import PRIVATE_UMASK, make_private, open_log, write_private

PLAN: Final = """\
# What the class trains, in the words of `subnet.train`; see `subnetlab run publish --help`.
import subnetlab as sl

model = sl.models.TinyGPT("binder", n_embd=64, n_layer=2, n_head=2, seq_len=64)
strategy = sl.strategies.SparseLoCo(inner_steps=4)
"""
_STOP_S: Final = 5.0
_LOOK_S: Final = 0.05
_AGAIN_S: Final = 5.0
"""Before a validator that ended is started again."""


@dataclass(slots=True, kw_only=True)
class ClassRun:
    """The processes of a class's run."""

    folder: Path
    """The class's own home."""
    chain: ClassChain
    address: str
    own_token: str = field(repr=False)
    plan: Path
    rounds: int
    miners: int
    """For how many a round has room."""
    notice_s: float
    run_folder: Path | None = None
    _validator: "asyncio.subprocess.Process | None" = None
    _keeping: "asyncio.Task[None] | None" = None

    async def publish(self) -> int:
        """Publish the run and start its validator and observer; how many blocks a round takes.

        Raises:
            ClassError: it was refused; the message ends with what was said.
        """
        self._remember()
        log = self.folder / "publish.log"
        words = ["run", "publish", str(self.plan), *self._at("default")]
        words += ["--store", f"{self.address}/objects/run", "--rounds", str(self.rounds)]
        words += ["--notice", str(self.notice_s), "--miners", str(self.miners)]
        publishing = await self._command(words, log)
        if await publishing.wait():
            said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            last = (said or ["it said nothing."])[-1]
            raise ClassError(f"The class's run was not published: {last}", hint="")
        manifest = await asyncio.to_thread(self._observed)
        self._keeping = asyncio.create_task(self._keep_judging())
        return int(manifest["blocks_per_round"])

    async def close(self) -> None:
        """End the validator and the observer."""
        if self._keeping is not None:
            self._keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeping
        if self._validator is not None and self._validator.returncode is None:
            self._validator.kill()
            await self._validator.wait()
        if self.run_folder is not None:
            await asyncio.to_thread(self._end_observer, self.run_folder)

    def _remember(self) -> None:
        """Leave the class's own processes their token."""
        own = Membership(
            address=self.address, asked=self.address, student="class", name="class", token=self.own_token,
            netuid=self.chain.netuid, seed=0, wallet=OWNER_WALLET,
        )  # fmt: skip
        write_private(make_private(folder_of(self.address)) / FILE, json.dumps(asdict(own)))
        if not self.plan.exists():
            self.plan.write_text(PLAN, encoding="utf-8")

    def _observed(self) -> dict[str, Any]:
        """Start the observer of the run that was published; the run's manifest."""
        with contextlib.closing(SubnetReads(self.chain.node.endpoint, self.chain.netuid)) as reads:
            trust = (reads.metagraph().owner_hotkey,)
            found = find_run(reads, trust=trust)
        folder = make_private(self.folder / "runs" / found.run_id)
        spec = FleetSpec(
            endpoint=self.chain.node.endpoint, network="class", is_devnet=True, netuid=self.chain.netuid,
            store="", seats=(), public=True, trust=trust,
        )  # fmt: skip
        write_spec(folder, spec)
        write_private(folder / MANIFEST_FILE, json.dumps(found.manifest, indent=2) + "\n")
        start_supervisor(folder, program=OBSERVER)
        self.run_folder = folder
        return found.manifest

    def _end_observer(self, run_folder: Path) -> None:
        with contextlib.suppress(FleetError):
            request_stop(run_folder)
        deadline, pause = monotonic() + _STOP_S, threading.Event()
        while is_running(run_folder) and monotonic() < deadline:
            pause.wait(_LOOK_S)

    async def _keep_judging(self) -> None:
        """Keep the class's validator up: a class without students that judge has one judge all the same."""
        owner = (await asyncio.to_thread(self.chain.metagraph)).owner_hotkey
        words = ["validator", *self._at("validator"), "--store", f"{self.address}/objects/class", "--json"]
        words += ["--trust", owner]  # the plan's own model is the educator's code
        while True:
            self._validator = await self._command(words, self.folder / "validator.log")
            if await self._validator.wait() == 0:
                return  # the run is over
            await asyncio.sleep(_AGAIN_S)

    def _at(self, hotkey: str) -> list[str]:
        wallet = f"{OWNER_WALLET}/{hotkey}"
        return [
            "--endpoint", self.chain.node.endpoint, "--netuid", str(self.chain.netuid), "--wallet", wallet,
        ]  # fmt: skip

    async def _command(self, words: Sequence[str], log: Path) -> "asyncio.subprocess.Process":
        """Start a command of ours in the class's own home; what it says goes to a log."""
        home = str(self.folder)
        with os.fdopen(open_log(log), "ab") as output:
            return await asyncio.create_subprocess_exec(
                sys.executable, "-m", "subnetlab", *words, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, cwd=self.folder, umask=PRIVATE_UMASK, start_new_session=True,
                env={**os.environ, **ONE_THREAD, "HOME": home, "SUBNETLAB_HOME": home},
            )  # fmt: skip
