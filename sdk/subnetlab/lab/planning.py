"""Where a run is planned: in this process, or in one of its own while this one has not loaded torch.

A kernel that trains what comes along (`TinyGPT`, the standard library, strategies and optimizers by their
options) holds no torch then, which is 200 MB less beside its fleet. What a person made with torch, from a
module to a loss, is planned in the person's own process, where it lives.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from subnetlab import errors
from subnetlab.errors import FleetStartFailed, SubnetLabError
from subnetlab.fleet.forkserver import ONE_THREAD
from subnetlab.lab import arguments
from subnetlab.record.files import PRIVATE_UMASK
from subnetlab.train import optimizer, strategies
from subnetlab.train.data.library import Stdlib
from subnetlab.train.models.tiny_gpt import TinyGPT
from subnetlab.waiting import waiting

if TYPE_CHECKING:
    from subnetlab.lab.answering import Planned
    from subnetlab.lab.plan import Plan

PROGRAM: Final = "subnetlab.lab.plan_process"
_WAITED_FOR: Final = "model and data to be prepared"
_STRATEGIES: Final = (
    strategies.DDP, strategies.DeMo, strategies.DiLoCo, strategies.MuLoCo, strategies.SparseLoCo,
    strategies.StreamingDiLoCo,
)  # fmt: skip
_PLAIN: Final = (bool, int, float, str)
_OBJECTS: Final = ("model", "data", "strategy")
"""Arguments that a bare word or number never describes."""
_OWN: Final = object()
"""Marks an argument that cannot leave this process."""

DESCRIBED: Final = (
    "model", "data", "strategy", "rounds", "batch_size", "seed", "prompt", "init", "optimizer", "lr",
    "schedule", "task", "loss", "score", "audits", "eval_data", "metrics", "features", "target", "dtype",
)  # fmt: skip
"""What `lab.plan.plan` takes."""


def described(options: Mapping[str, Any]) -> dict[str, Any]:
    """What `lab.plan.plan` takes of the options of `train`, its plain numbers checked.

    Raises:
        ArgumentInvalid: one of them is no number, or `prompt` or `metrics` are none.
    """
    return arguments.plain({name: options[name] for name in DESCRIBED})


@contextlib.contextmanager
def tried_out(described: Mapping[str, Any]) -> Generator[None]:
    """Plan before anything is paid for; inside the block `planned` takes this plan for the same arguments."""
    words = None if "torch" in sys.modules else described_plainly(described)
    if words is None:
        plan_here(described)
        yield
        return
    with _PlanProcess() as process:
        token = _TRIED_OUT.set(_apart(process, words))
        try:
            yield
        finally:
            _TRIED_OUT.reset(token)


@contextlib.contextmanager
def planned(described: Mapping[str, Any], *, deterministic: bool) -> Generator["Planned"]:
    """The plan of a run, until the end of the block; raises as `lab.plan.plan` does.

    Args:
        described: the arguments of `lab.plan.plan`.
        deterministic: whether the run must go as its seed says.

    Raises:
        FleetStartFailed: the process that plans ended without a word.
    """
    words = None if "torch" in sys.modules else described_plainly(described)
    if words is None:
        yield replace(plan_here(described), deterministic=deterministic)
        return
    made = _TRIED_OUT.get()
    with contextlib.ExitStack() as until_started:
        if made is None or made.words != words:
            made = _apart(until_started.enter_context(_PlanProcess()), words)
        made.deterministic = deterministic
        yield made


def _apart(process: "_PlanProcess", words: Mapping[str, Any]) -> "PlannedApart":
    with waiting(_WAITED_FOR):
        return PlannedApart(process, words)


def plan_here(described: Mapping[str, Any]) -> "Plan":
    """The plan of a run, made in this process, which loads torch; raises as `lab.plan.plan` does."""
    with waiting(_WAITED_FOR):
        from subnetlab.lab.plan import plan  # noqa: PLC0415

        return plan(**described)


class PlannedApart:
    """A plan that another process holds: an `answering.Planned`."""

    deterministic = False

    def __init__(self, process: "_PlanProcess", words: Mapping[str, Any]) -> None:
        self._process, self.words = process, words
        self.rounds: int = words["rounds"]
        made = process.ask({"plan": words})
        self.note: str = made["note"]
        self.parameters: int = made["parameters"]

    def write(self, folder: Path, netuid: int, first_block: int, *, miners: int) -> None:
        """Write the run into its folder; the process that planned has ended before the peers start."""
        where = {"folder": str(folder), "netuid": netuid, "first_block": first_block, "miners": miners}
        self._process.ask({"write": where, "deterministic": self.deterministic})
        self._process.end()


def described_plainly(described: Mapping[str, Any]) -> dict[str, Any] | None:
    """The arguments of `plan` in JSON types, as `plan_process` reads them; None if one has no such form."""
    plain = {name: _plainly(name, value) for name, value in described.items()}
    return None if any(value is _OWN for value in plain.values()) else plain


def _plainly(name: str, value: Any) -> object:
    """One argument of `plan` in JSON types, or `_OWN`."""
    if value is None or (type(value) in _PLAIN and name not in _OBJECTS):
        return value
    match name, value:
        case "model", TinyGPT() if type(value) is TinyGPT:
            plain = value.to_json()
        case "data", Stdlib() if type(value) is Stdlib:
            plain = {"kind": "Stdlib", "limit_bytes": value.limit_bytes}
        case "strategy", _ if type(value) in _STRATEGIES:
            plain = strategies.to_json(value)
        case "optimizer", _ if isinstance(value, optimizer.OptimizerConfig):
            plain = value.to_json()
        case "prompt", list():
            plain = cast("list[int]", value)
        case "metrics", {} if not value:
            plain = None
        case _:
            plain = _OWN
    return plain


_TRIED_OUT: Final[ContextVar[PlannedApart | None]] = ContextVar("tried out", default=None)


class _PlanProcess(contextlib.AbstractContextManager["_PlanProcess"]):
    """The process that plans: a line of JSON asks, and a line answers."""

    def __init__(self) -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the process)
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-P", "-m", PROGRAM],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said,
            env={**os.environ, **ONE_THREAD}, start_new_session=True, umask=PRIVATE_UMASK,
        )  # fmt: skip

    def ask(self, asked: Mapping[str, Any]) -> Any:
        """What the process answers.

        Raises:
            SubnetLabError: as it was raised there.
            FleetStartFailed: the process ended without a word.
        """
        line = b""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(asked).encode() + b"\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        if not line:
            self.end()
            raise FleetStartFailed(
                f"The process that plans the run ended: {self._last_word()}",
                hint="Close other programs and run the cell again; `subnetlab doctor` says what is short.",
            )
        answer = json.loads(line)
        if "error" in answer:
            raise _error(answer)
        return answer["answer"]

    def end(self) -> None:
        """Wait until the process is gone, whose input ends."""
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate()

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is not None:
            self._process.kill()
        self.end()
        self._said.close()

    def _last_word(self) -> str:
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"status {self._process.returncode}."


def _error(answer: Mapping[str, str]) -> SubnetLabError:
    """An error that was raised in the other process."""
    kind = getattr(errors, answer["error"], None)
    if not (isinstance(kind, type) and issubclass(kind, SubnetLabError)):
        kind = SubnetLabError
    return kind(answer["message"], hint=answer["hint"])
