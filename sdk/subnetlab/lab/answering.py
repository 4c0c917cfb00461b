"""The verb of a subnet that is no training: two functions, tasks, rounds, pay."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from subnetlab.errors import ArgumentInvalid, NotYetSupported
from subnetlab.fleet.local import LocalFleet
from subnetlab.lab import arguments
from subnetlab.lab.run import Run
from subnetlab.public.open_fleet import OpenFleet
from subnetlab.signatures import known_arguments

if TYPE_CHECKING:
    from subnetlab.lab.answers_plan import AnswersPlan
    from subnetlab.units import Amount

_MOST_TASKS_A_ROUND: Final = 1000
_MOST_ANSWER_BYTES: Final = 1 << 24
_MOST_TIME_LIMIT_S: Final = 3600.0
_ATTACKS: Final = ("copy", "late", "withheld", "garble", "replay")
"""The words of `answers.attackers`, which loads torch."""


class Planned(Protocol):
    """A run that was tried out, and is written into a folder once its place is known."""

    @property
    def rounds(self) -> int:
        """How many rounds it has."""
        ...

    @property
    def deterministic(self) -> bool:
        """Whether it must go as its seed says."""
        ...

    @property
    def parameters(self) -> int:
        """How many parameters a step moves; 0 where no model is trained."""
        ...

    @property
    def note(self) -> str:
        """What a person may want to know, as a sentence; empty where nothing is odd."""
        ...

    def write(self, folder: Path, netuid: int, first_block: int, *, miners: int) -> None:
        """Write the run into its folder, by whose name it is called."""
        ...


class Answering:
    """The verb of a subnet whose miners answer; part of `Subnet`."""

    @abstractmethod
    def _checked(self, fleet: LocalFleet | OpenFleet | None) -> LocalFleet | OpenFleet:
        """The fleet, the usual one if none is given."""

    @abstractmethod
    def _start(
        self, made: Planned, fleet: LocalFleet, baselines: Sequence[str] = (), *, detach: bool,
        budget_tao: "Amount | None",
    ) -> Run:  # fmt: skip
        """Start a run that was planned, and hold it."""

    @abstractmethod
    def _publish(self, made: "AnswersPlan", fleet: OpenFleet, *, detach: bool) -> Run:
        """Announce a run whose peers other people start, and watch it."""

    @known_arguments("subnet.run", places="Tasks are given by name: subnet.run(answer, judge, tasks=[…]).")
    def run(
        self,
        answer: Callable[..., Any] | Sequence[Callable[..., Any]],
        judge: Callable[..., Any],
        *,
        tasks: object,
        rounds: int = 12,
        tasks_per_round: int = 4,
        fleet: LocalFleet | OpenFleet | None = None,
        time_limit_s: float = 10.0,
        answer_bytes: int = 65_536,
        detach: bool = False,
        budget_tao: "Amount | None" = None,
    ) -> Run:
        """Run any subnet: miners answer tasks, validators judge the answers, and pay follows the scores.

        In each round every miner is given tasks that the hash of a block draws. It seals its answers, commits
        them on chain, and opens them once all have committed, so that a copy comes too late. Validators judge
        what was opened, put the scores on chain, and set weights in proportion to their running mean.

        Args:
            answer: the miners' function, `answer(task)`; or a list with one for each miner.
            judge: the validators' function, `judge(task, answer)`: a number from 0 up, for each answer. A
                third parameter `random` is a `random.Random` that no miner could foresee.
            tasks: a list of JSON values, or a function that makes one from a `random.Random`.
            rounds: how many rounds.
            tasks_per_round: tasks of each miner in a round; its score is the mean, one unanswered counts 0.
            fleet: the miners and validators to start, eight and two unless given, or as many miners as there
                are functions; or `sl.OpenFleet(store=…)` for those registered on the subnet: then `answer`
                only tries the judge out, and strangers answer, `subnetlab miner --answers MODULE:FUNCTION`.
            time_limit_s: seconds in which a miner answers the tasks of a round, and a validator judges the
                answers of one miner. What is not there by then counts as unanswered.
            answer_bytes: the most bytes of an answer as JSON.
            detach: let the run outlive this kernel.
            budget_tao: what the miners are paid beside emission, in all; see `train`.

        Raises:
            ArgumentInvalid: a function is none, takes something else, or fails on a first task; there are no
                tasks, or too many; a number is out of range. Nothing was started or spent.
            NotYetSupported: a fleet of one's own on another chain than a development chain.
            ChainRejected: the chain refused a seat.
            ChainPaced: another run seals this chain's blocks; nothing was registered or spent.
            FleetStartFailed: the supervisor did not come up.
        """
        sizes = checked_sizes(
            rounds=rounds, tasks_per_round=tasks_per_round, answer_bytes=answer_bytes,
            time_limit_s=time_limit_s,
        )  # fmt: skip
        limit = sizes["time_limit_s"]
        fleet = self._checked(_sized(fleet, answer))
        if isinstance(fleet, OpenFleet):
            arguments.for_own_fleet(baselines=(), budget_tao=budget_tao, deterministic=False)
        else:
            fleet = _own_fleet(fleet, answer, limit)
        # torch, which code that travels may hold, is loaded when a run is started, and not before
        from subnetlab.lab.answers_plan import plan  # noqa: PLC0415

        made = plan(answer, judge, tasks, **sizes)
        detach = arguments.flag("detach", detach)
        if isinstance(fleet, OpenFleet):
            return self._publish(made, fleet, detach=detach)
        return self._start(made, fleet, detach=detach, budget_tao=budget_tao)


def checked_sizes(
    *, rounds: object, tasks_per_round: object, answer_bytes: object, time_limit_s: object
) -> dict[str, Any]:
    """How many rounds, tasks, bytes and seconds, by name.

    Raises:
        ArgumentInvalid: one is no number, or out of range.
    """
    return {
        "rounds": arguments.count("rounds", rounds, least=1, most=arguments.MOST_ROUNDS),
        "tasks_per_round": arguments.count(
            "tasks_per_round", tasks_per_round, least=1, most=_MOST_TASKS_A_ROUND
        ),
        "answer_bytes": arguments.count("answer_bytes", answer_bytes, least=1, most=_MOST_ANSWER_BYTES),
        "time_limit_s": _time_limit(time_limit_s),
    }


def _time_limit(value: object) -> float:
    limit = arguments.seconds("time_limit_s", value)
    if not 0 < limit <= _MOST_TIME_LIMIT_S:
        raise ArgumentInvalid(
            f"time_limit_s={limit:g} is out of range.",
            hint=f"Give more than 0, at most {_MOST_TIME_LIMIT_S:g}.",
        )
    return limit


def _sized(fleet: object, answer: object) -> Any:
    """A fleet with a miner for each function, where several were given and no fleet."""
    if fleet is None and isinstance(answer, list | tuple) and answer:
        return LocalFleet(miners=len(answer), baseline=False)  # pyright: ignore[reportUnknownArgumentType]
    return fleet


def _own_fleet(fleet: LocalFleet, answer: object, limit_s: float) -> LocalFleet:
    """The fleet, once it fits a run of answers.

    Raises:
        ArgumentInvalid: it does not.
        NotYetSupported: other people would start it.
    """
    if "ray_address" in fleet.placed(deterministic=False):
        raise NotYetSupported(
            "The functions of a run of answers run on this machine.", hint="Give sl.LocalFleet(…)."
        )
    wrong = [word for word in fleet.attackers if word not in _ATTACKS]
    if wrong or fleet.free_riders:
        raise ArgumentInvalid(
            f"{wrong[0] if wrong else 'free_rider'!r} attacks training; miners here run functions.",
            hint=f"Give a miner a function that cheats: subnet.run([answer, guess], …), or one of "
            f"{', '.join(_ATTACKS)}.",
        )
    if isinstance(answer, list | tuple) and len(answer) not in (0, 1, fleet.miners):  # pyright: ignore[reportUnknownArgumentType]
        raise ArgumentInvalid(
            f"{len(answer)} functions were given for {fleet.miners} miners.",  # pyright: ignore[reportUnknownArgumentType]
            hint="Give one function for all, or one for each: LocalFleet(miners=…) says how many there are.",
        )
    if limit_s >= fleet.phase_limit_s:
        raise ArgumentInvalid(
            f"time_limit_s={limit_s:g} is no less than the {fleet.phase_limit_s:g} s that a round waits.",
            hint="Give less, or LocalFleet(phase_limit_s=…) more.",
        )
    return replace(fleet, baseline=False)
