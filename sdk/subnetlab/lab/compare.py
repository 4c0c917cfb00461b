"""`sl.compare`: several strategies in turn on the same model, data and seeds, as runs of one subnet.

Every run is planned before the first is started, so that a mistake in the last costs a sentence. Baselines
are trained once for each seed and optimizer, and belong to every strategy with these. What has run stays
among `sl.runs()`, however the comparison ends.
"""

import contextlib
import inspect
import json
import sys
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from subnetlab.errors import ArgumentInvalid, RunNotFinished, SubnetLabError
from subnetlab.fleet.local import LocalFleet
from subnetlab.lab import arguments
from subnetlab.lab.run import Run
from subnetlab.lab.session import connect
from subnetlab.lab.subnet import Subnet
from subnetlab.record.baselines import ALONE, DDP, BaselineCurve
from subnetlab.record.events import BlockSealed, RoundClosed
from subnetlab.record.line import FILE_NAME
from subnetlab.record.reader import Tail
from subnetlab.report.comparison import Comparison, Outcome
from subnetlab.report.gap import Gap
from subnetlab.signatures import known_arguments, unknown_option

if TYPE_CHECKING:
    from subnetlab.train.strategies import Strategy

_MOST_SEEDS: Final = 100
_STOP_LIMIT_S: Final = 30.0
_OWN: Final = ("self", "model", "data", "fleet", "seed", "baselines", "detach")
"""Arguments of `train` that a comparison sets itself, the same for all its runs."""


@dataclass(frozen=True, slots=True)
class _Trial:
    """One run that a comparison is about to start."""

    name: str
    seed: int
    options: dict[str, Any]
    anchors: str
    """What its baselines depend on; trials with the same have the same baselines."""


@known_arguments("sl.compare")
def compare(
    strategies: "Mapping[str, Strategy | Mapping[str, Any]]",
    model: object | None = None,
    data: object | None = None,
    *,
    fleet: LocalFleet | None = None,
    seeds: Sequence[int] = (0,),
    baselines: Sequence[str] = (ALONE, DDP),
    subnet: Subnet | None = None,
    **options: Any,
) -> Comparison:
    """Train with each strategy and each seed in turn, wait for all, and put them side by side.

    An interrupt stops the run at hand and ends the comparison; the runs before it stay among `sl.runs()`.

    Args:
        strategies: by name, a strategy or a dict of options of `Subnet.train` (`strategy` among them).
        model: as `Subnet.train` takes it.
        data: as `Subnet.train` takes it; it is read again for every run.
        fleet: of every run.
        seeds: every strategy trains once with each.
        baselines: measured once for each seed and optimizer; () measures none.
        subnet: where the runs take place; a new one on a development chain of its own unless given.
        **options: of `Subnet.train`, for all strategies; one named in a strategy's dict comes first.

    Raises:
        ArgumentInvalid: there is no strategy, an option is unknown, or a seed is none; nothing was started.
        SubnetLabError: as `Subnet.train`, before the first run where it lies in the options.

    Example:
        >>> sl.compare({"sparse": SparseLoCo(), "dense": DiLoCo()}, seeds=(0, 1))  # doctest: +SKIP
    """
    usual = arguments.a_fleet(fleet)
    trials = _trials(strategies, model, data, seeds, options)
    done: list[tuple[_Trial, Run]] = []
    with _subnet(subnet) as chosen:
        for trial in trials:
            first = all(trial.anchors != other.anchors for other, _ in done)
            run = chosen.train(
                model,
                data,
                fleet=usual,
                seed=trial.seed,
                baselines=baselines if first else (),
                **trial.options,
            )
            _waited(run, len(done), len(trials))
            done.append((trial, run))
            _say(f"{trial.name}, seed {trial.seed} ({len(done)} of {len(trials)}): {run.headline}")
    return _comparison(done)


def _trials(
    strategies: object, model: object, data: object, seeds: object, options: Mapping[str, Any]
) -> list[_Trial]:
    """Every run, tried out in this process."""
    if not isinstance(strategies, Mapping) or not strategies:
        raise ArgumentInvalid(
            "There is nothing to compare.", hint='sl.compare({"dense": sl.strategies.DiLoCo()}, model, data)'
        )
    named = cast("Mapping[object, object]", strategies)
    if isinstance(seeds, str) or not isinstance(seeds, Sequence) or not seeds:
        raise ArgumentInvalid(f"seeds={seeds!r} are no seeds.", hint="Give some: seeds=(0, 1, 2).")
    numbers = [
        arguments.count("seed", seed, least=0, most=arguments.MOST_SEED)
        for seed in cast("Sequence[object]", seeds)[:_MOST_SEEDS]
    ]
    chosen = {str(name): {**options, **_options(name, given)} for name, given in named.items()}
    return [
        _Trial(name, seed, given, _anchors(model, data, seed, given))
        for seed in dict.fromkeys(numbers)
        for name, given in chosen.items()
    ]


def _options(name: object, given: object) -> dict[str, Any]:
    """What one entry says: a strategy alone, or options of `train`."""
    if not isinstance(name, str) or not name.strip():
        raise ArgumentInvalid(f"{name!r} is no name for a strategy.", hint="Name it with a word.")
    if not isinstance(given, Mapping):
        return {"strategy": given}
    return {str(key): value for key, value in cast("Mapping[object, Any]", given).items()}


def _anchors(model: object, data: object, seed: int, options: Mapping[str, Any]) -> str:
    """Plan one run as `train` will, and say what its baselines depend on."""
    known = [name for name in inspect.signature(Subnet.train).parameters if name not in _OWN]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise unknown_option("sl.compare", unknown[0], known)
    from subnetlab.lab.plan import plan  # noqa: PLC0415  (torch is loaded once something is planned)
    from subnetlab.train.strategies import alone_optimizer, ddp_optimizer  # noqa: PLC0415

    given: dict[str, Any] = {"rounds": 30, "batch_size": 4, **options}
    strategy = given.pop("strategy", None)
    given.pop("deterministic", None)
    for name, most in (("rounds", arguments.MOST_ROUNDS), ("batch_size", arguments.MOST_BATCH)):
        given[name] = arguments.count(name, given[name], least=1, most=most)
    made = plan(model, data, strategy, seed=seed, **given)
    ends = [best(made.strategy, made.optimizer).to_json() for best in (alone_optimizer, ddp_optimizer)]
    steps = made.rounds * made.strategy.inner_steps
    rest = [repr(given.get(name)) for name in ("init", "task", "loss", "eval_data", "features", "target")]
    return json.dumps([*ends, steps, made.batch_size, seed, *rest])


@contextlib.contextmanager
def _subnet(given: Subnet | None) -> Generator[Subnet]:
    if given is not None:
        yield given
        return
    with connect() as net:
        yield net.create_subnet("compare", wallet="alice")


def _waited(run: Run, done: int, of: int) -> None:
    """Wait for a run; whatever breaks the waiting off stops it first."""
    try:
        run.wait()
    except RunNotFinished:
        return  # its row says that it did not come to its end
    except BaseException as error:
        with contextlib.suppress(SubnetLabError):  # what broke the waiting off says more
            run.stop(timeout=_STOP_LIMIT_S)
        error.add_note(f"{done} of {of} runs are through, and stay among sl.runs().")
        raise


def _say(line: str) -> None:
    """A line for who waits, where there is somewhere to write it."""
    if sys.stderr is not None:  # pyright: ignore[reportUnnecessaryComparison]  # pythonw has none
        sys.stderr.write(f"{line}\n")


def _comparison(done: Sequence[tuple[_Trial, Run]]) -> Comparison:
    curves: dict[tuple[str, str], BaselineCurve] = {}
    for trial, run in done:
        for name, curve in run.view.baselines.items():
            curves.setdefault((trial.anchors, name), curve)
    outcomes = tuple(
        Outcome(
            name=trial.name,
            seed=trial.seed,
            run=run.id,
            view=run.view,
            seconds=_seconds(run),
            gap=Gap.between(curves.get((trial.anchors, ALONE)), curves.get((trial.anchors, DDP))),
        )
        for trial, run in done
    )
    return Comparison(outcomes=outcomes, unit=done[0][1].view.loss_unit)


def _seconds(run: Run) -> dict[int, float]:
    """When each round closed, from the first block of the first round."""
    began, closed = None, dict[int, float]()
    for entry in Tail(run.folder / FILE_NAME).entries():
        if began is None and isinstance(entry.event, BlockSealed) and entry.event.round >= 0:
            began = entry.time
        if isinstance(entry.event, RoundClosed) and began is not None:
            closed[entry.event.round] = round(entry.time - began, 3)
    return closed
