"""A run of answers described and tried out before anything is started or spent.

Functions are turned into code that reaches every peer, defined in a process of their own, and called once:
one task is drawn, answered and judged. Whatever is wrong with them costs a sentence.
"""

import inspect
import json
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final, cast

from subnetlab.answers.calls import Calls, FunctionFailed
from subnetlab.answers.draw import TASKS, made
from subnetlab.answers.functions import check_miner, check_tasks, check_validator, takes_random
from subnetlab.answers.manifest import MOST_TASKS, TASKS_BYTES, AnswersManifest
from subnetlab.answers.miner import ANSWER
from subnetlab.answers.validator import JUDGE, MOST_SCORE
from subnetlab.answers.values import NotAValue, read, written
from subnetlab.errors import ArgumentInvalid
from subnetlab.fleet.run_folder import ANSWERS_FILE, MANIFEST_FILE
from subnetlab.public.open_fleet import OpenFleet
from subnetlab.public.subnet_reads import Rules, SubnetReads
from subnetlab.public.terms import SLOWER, Cost, terms
from subnetlab.record.files import write_private
from subnetlab.text import kind_of
from subnetlab.train.tasks.code import Code
from subnetlab.train.tasks.travel import code_of

_TRIAL: Final = "trial"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersPlan:
    """Everything about a run of answers but where it takes place."""

    answers: tuple[Code, ...]
    """The miners' functions: one for all, or one for each."""
    judge: Code
    takes_random: bool
    tasks: tuple[Any, ...] | Code
    rounds: int
    tasks_per_round: int
    time_limit_s: float
    answer_bytes: int
    judge_s: float = 0.0
    """What judging the answers of one miner took here."""
    deterministic: bool = False
    parameters: int = 0
    """Of a model; a run of answers trains none."""
    note: str = ""
    """What a person may want to know, as a sentence; empty where nothing is odd."""

    def manifest(self, run_id: str, netuid: int, first_block: int) -> AnswersManifest:
        """The manifest of this plan at a place and a height."""
        return AnswersManifest(
            run_id=run_id, netuid=netuid, tasks=self.tasks, judge=self.judge, takes_random=self.takes_random,
            rounds=self.rounds, first_block=first_block, tasks_per_round=self.tasks_per_round,
            time_limit_s=self.time_limit_s, answer_bytes=self.answer_bytes,
        )  # fmt: skip

    def stretched(self, run_id: str, fleet: OpenFleet, reads: SubnetReads, rules: Rules) -> AnswersManifest:
        """The manifest of a public run, with as many blocks a round as it takes.

        Raises:
            ManifestInvalid: the blocks given hold no round.
        """
        # Answering has a limit of its own, which holds on slower machines too.
        cost = Cost(train_s=self.time_limit_s / SLOWER, judge_s=self.judge_s)
        miners = fleet.miners or len(reads.metagraph().neurons)
        found = terms(cost, rules, miners=miners, blocks_per_round=fleet.blocks_per_round)
        draft = self.manifest(run_id, reads.netuid, 1)
        return replace(draft, blocks_per_round=found.blocks_per_round, offsets=found.offsets)

    def write(self, folder: Path, netuid: int, first_block: int, *, miners: int) -> None:
        """Put the manifest and the miners' functions into a run's folder, by whose name the run is called."""
        del miners
        manifest = self.manifest(folder.name, netuid, first_block)
        functions = {"functions": [one.to_json() for one in self.answers]}
        write_private(folder / ANSWERS_FILE, json.dumps(functions, indent=2) + "\n")
        write_private(folder / MANIFEST_FILE, json.dumps(manifest.to_json(), indent=2) + "\n")


def plan(
    answer: Callable[..., Any] | Sequence[Callable[..., Any]], judge: Callable[..., Any], tasks: object, *,
    rounds: int, tasks_per_round: int, time_limit_s: float, answer_bytes: int,
) -> AnswersPlan:  # fmt: skip
    """Check everything once, and try it out.

    Raises:
        ArgumentInvalid: a function is none, or fails its role; there are no tasks, or too many.
    """
    functions = functions_of(answer)
    for function in functions:
        check_miner(function, _name(function, "answer"))
    check_validator(judge, _name(judge, "judge"))
    planned = AnswersPlan(
        answers=tuple(code_of(function, f"{_name(function, 'answer')}") for function in functions),
        judge=code_of(judge, _name(judge, "judge")), takes_random=takes_random(judge), tasks=_tasks(tasks),
        rounds=rounds, tasks_per_round=tasks_per_round, time_limit_s=time_limit_s, answer_bytes=answer_bytes,
    )  # fmt: skip
    read_back = AnswersManifest.from_json(json.loads(json.dumps(planned.manifest(_TRIAL, 0, 0).to_json())))
    return replace(planned, judge_s=_try_out(planned, read_back) * tasks_per_round)


def planned(**described: Any) -> AnswersPlan:
    """A plan of what `Subnet.run` takes, with its defaults for the rest; raises as `plan` does.

    What says where and by whom it is run is left to its caller.
    """
    from subnetlab.lab.answering import checked_sizes  # noqa: PLC0415  (that file names this one)
    from subnetlab.lab.subnet import Subnet  # noqa: PLC0415

    for name, example in (("answer", "def answer(task): …"), ("tasks", "tasks = […]")):
        if name not in described:
            raise ArgumentInvalid(f"The file defines a judge, and no {name}.", hint=f"Add {example}")
    given = inspect.signature(Subnet.run).parameters
    taken = inspect.signature(plan).parameters
    found = {name: described.get(name, given[name].default) for name in taken}
    sizes = ("rounds", "tasks_per_round", "answer_bytes", "time_limit_s")
    return plan(**{**found, **checked_sizes(**{name: found[name] for name in sizes})})


def functions_of(answer: object) -> list[Callable[..., Any]]:
    """The miners' functions, one or several.

    Raises:
        ArgumentInvalid: there is none.
    """
    if not isinstance(answer, list | tuple):
        return [cast("Callable[..., Any]", answer)]
    given = list(cast("Sequence[Callable[..., Any]]", answer))
    if not given:
        raise ArgumentInvalid("answer is an empty list.", hint="Give one function, or one for each miner.")
    return given


def _name(function: object, otherwise: str) -> str:
    name = getattr(function, "__name__", "")
    return name if isinstance(name, str) and name.isidentifier() else otherwise


def _tasks(given: object) -> tuple[Any, ...] | Code:
    """A list of JSON values, or the code of a function that makes one.

    Raises:
        ArgumentInvalid: there is none, there are too many, or one is no JSON value.
    """
    if callable(given):
        check_tasks(given)
        return code_of(given, "tasks")
    if isinstance(given, str | bytes | dict) or not isinstance(given, Iterable):
        raise ArgumentInvalid(
            f"tasks is {kind_of(given)}.",
            hint="Give a list of tasks, or a function that makes one: def make(random): ….",
        )
    found = list(islice(cast("Iterable[object]", given), MOST_TASKS + 1))
    if not found:
        raise ArgumentInvalid("tasks is empty.", hint="Give at least one task, or a function that makes one.")
    if len(found) > MOST_TASKS:
        raise ArgumentInvalid(
            f"tasks has more than {MOST_TASKS:,}, or no end.",
            hint="Give a function that makes one task from a random.Random: def make(random): ….",
        )
    for number, task in enumerate(found, 1):
        try:
            written(task, TASKS_BYTES)
        except NotAValue as error:
            raise ArgumentInvalid(
                f"Task {number} of {len(found)} {error}.", hint="Tasks are JSON values."
            ) from None
    try:
        return tuple(read(written(found, TASKS_BYTES), TASKS_BYTES))
    except NotAValue as error:
        raise ArgumentInvalid(
            f"The list of tasks {error}.", hint="Give a function that makes one task: def make(random): …."
        ) from None


def _try_out(planned: AnswersPlan, manifest: AnswersManifest) -> float:
    """Define every function, and have one task made, answered and judged; the seconds that judging took.

    Raises:
        ArgumentInvalid: that fails, or a task does not follow from its random numbers.
    """
    functions = {f"{ANSWER} {place}": code.to_json() for place, code in enumerate(planned.answers)}
    if isinstance(manifest.tasks, Code):
        functions[TASKS] = manifest.tasks.to_json()
    functions[JUDGE] = manifest.judge.to_json()
    doing = "The functions cannot reach the miners:"
    limit, what = planned.time_limit_s, _said(planned.answers[0], "answer")
    judge = _said(planned.judge, "judge")
    with tempfile.TemporaryDirectory(prefix="subnetlab-") as folder, Calls(functions, Path(folder)) as calls:
        try:
            calls.start()
            doing = "tasks made none:"
            task = _one_task(manifest, calls)
            doing = f"{what} failed on the task {_short(task)}:"
            value = calls.call(
                f"{ANSWER} 0", task, deadline=time.monotonic() + limit, limit=planned.answer_bytes
            )
            doing = f"{judge} failed on the task {_short(task)} and the answer {_short(value)}:"
            random, began = _TRIAL if planned.takes_random else "", time.monotonic()
            score = calls.number(JUDGE, task, value, deadline=began + limit, random=random)
        except FunctionFailed as error:
            raise ArgumentInvalid(f"{doing} {error}.", hint="Call it in a cell to see where.") from error
    if not 0 <= score <= MOST_SCORE:
        raise ArgumentInvalid(f"{judge} gave {score:g}.", hint=f"Give a number from 0 to {MOST_SCORE:g}.")
    return time.monotonic() - began


def _said(code: Code, role: str) -> str:
    """What a function is called in a sentence: by its name, or where it has none, by its role."""
    return role if code.name == "function" else code.name


def _one_task(manifest: AnswersManifest, calls: Calls) -> Any:
    if not isinstance(manifest.tasks, Code):
        return manifest.tasks[0]
    first, again = (made(calls, _TRIAL, time.monotonic() + manifest.time_limit_s) for _ in range(2))
    if first is None:
        raise ArgumentInvalid(
            "tasks made nothing: it returned None.", hint="Return the task: def make(random): return …"
        )
    if first != again:
        raise ArgumentInvalid(
            "tasks made two different tasks from the same random numbers.",
            hint="Draw from the random.Random that it is given and from nothing else: miners and validators "
            "each make the task.",
        )
    return first


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}…"
