"""A run described and tried out before anything is started or spent.

The model is built and fed once, the data read once, the manifest made once with a made-up place: whatever is
wrong with them is said here, in this process, where it costs a sentence.
"""

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from torch import nn

from subnetlab.errors import ArgumentInvalid, DataInvalid
from subnetlab.fleet import limits
from subnetlab.fleet.run_folder import DATA_FOLDER, MANIFEST_FILE
from subnetlab.fleet.worker.manifest_file import load_manifest
from subnetlab.fleet.worker.run_store import whole_store
from subnetlab.lab import arguments
from subnetlab.lab.initial import tensors
from subnetlab.record.files import write_private
from subnetlab.text import kind_of
from subnetlab.train import data as sources
from subnetlab.train import models, object_paths, strategies
from subnetlab.train.data import Corpus, DataSpec, Stdlib
from subnetlab.train.data.corpus import write
from subnetlab.train.data.loaders import loader_note
from subnetlab.train.data.scales import scale_note
from subnetlab.train.data.shards import publish_shard_hashes
from subnetlab.train.execution import FLOAT32, check_dtype
from subnetlab.train.initial import built, hash_of
from subnetlab.train.manifest import Manifest, ScoringConfig, audited
from subnetlab.train.models.spec import ModelSpec, build
from subnetlab.train.models.tensors import fill, packed
from subnetlab.train.optimizer import OptimizerConfig, chosen
from subnetlab.train.scoring.losses import validation_loss
from subnetlab.train.scoring.own import score_of
from subnetlab.train.scoring.sample import SAMPLE
from subnetlab.train.strategies import Strategy
from subnetlab.train.tasks import Task
from subnetlab.train.tasks.check import check, check_batch, check_memory
from subnetlab.train.tasks.find import find, length_of
from subnetlab.train.tasks.inputs import fitted
from subnetlab.train.tasks.regression import Regression
from subnetlab.train.tasks.travel import loss_of, metric_of
from subnetlab.train.theta import FlatModel, Layout

if TYPE_CHECKING:
    from subnetlab.train.data.frames import Names


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything about a run but where it takes place.

    Raises:
        ModelNotBuildable: the model cannot be built, or does not fit its task.
        DatasetEmpty: there is less data than one item.
        DataInvalid: the data cannot be trained on, or does not fit the task.
        ArgumentInvalid: an argument is of the wrong kind, or a batch does not fit into memory.
        ManifestInvalid: the numbers contradict each other.
    """

    model: ModelSpec
    task: Task
    data: DataSpec
    strategy: Strategy
    rounds: int
    batch_size: int
    seed: int
    optimizer: OptimizerConfig
    corpus: Corpus
    deterministic: bool = False
    parameters: int = 0
    """Of the model, those that are trained."""
    dtype: str = FLOAT32
    """In which products are computed."""
    note: str = ""
    """What a person may want to change, as a sentence; empty where nothing is odd."""
    initial: bytes = b""
    """Tensors the run starts from, as safetensors; empty where the seed makes them."""
    scoring: ScoringConfig = field(default_factory=ScoringConfig)

    def manifest(self, run_id: str, netuid: int, first_block: int, *, miners: int = 0) -> Manifest:
        """The manifest of this plan at a place and a height; of many miners a round tries a sample."""
        return Manifest(
            run_id=run_id, netuid=netuid, model=self.model, task=self.task, data=self.corpus.manifest,
            strategy=self.strategy, rounds=self.rounds, first_block=first_block, batch_size=self.batch_size,
            seed=self.seed, optimizer=self.optimizer, deterministic=self.deterministic,
            init=hash_of(self.initial) if self.initial else "", dtype=self.dtype,
            scoring=replace(self.scoring, tried=SAMPLE if miners > SAMPLE else 0),
        )  # fmt: skip

    def write(self, folder: Path, netuid: int, first_block: int, *, miners: int) -> None:
        """Write the run into its folder, by whose name it is called."""
        write_run(folder, self, self.manifest(folder.name, netuid, first_block, miners=miners))


def plan(
    model: object | None, data: object | None, strategy: Strategy | None, *, rounds: int,
    batch_size: int, seed: int, prompt: str | Sequence[int] | None = None, task: Task | str | None = None,
    loss: Callable[..., Any] | None = None, eval_data: object | None = None,
    metrics: Mapping[str, Callable[..., Any]] | None = None, features: "Names" = None, target: "Names" = None,
    optimizer: "str | OptimizerConfig | None" = None, lr: float | None = None, schedule: str | None = None,
    init: object | None = None, audits: float = 0.0, score: Callable[..., float] | None = None,
    dtype: object = FLOAT32,
) -> Plan:  # fmt: skip
    """Fill in what was left out, and try everything once; raises as `Plan` does."""
    _not_swapped(data)
    chosen_model = models.of(model) if model is not None else models.TinyGPT("demo")
    chosen_data = sources.stdlib()
    if data is not None or eval_data is not None or features is not None or target is not None:
        given = data if data is not None else chosen_data
        chosen_data = sources.of(given, eval_data=eval_data, features=features, target=target)
    given_strategy = _given(strategy)
    own_loss = loss_of(loss) if loss is not None else None
    own = {name: metric_of(name, one) for name, one in (metrics or {}).items()}
    fresh = build(chosen_model, seed)
    weights = tensors(init) if init is not None else models.weights_of(chosen_model)
    if weights:
        fill(fresh, weights)
    start = packed(fresh) if weights else b""
    if data is None and eval_data is None and length_of(chosen_model, fresh) is None:
        raise DataInvalid(
            "No data was given, and the text that is taken then needs a model of tokens.",
            hint="Give the data: subnet.train(model, frame, target=…) or subnet.train(model, (x, y)); of a "
            "language model say how long a sequence is, seq_len=….",
        )
    chosen_data = fitted(chosen_data, fresh)
    corpus = chosen_data.load()
    found = find(task, chosen_model, fresh, corpus, loss=own_loss, metrics=own, prompt=prompt)
    size, rows = Layout.of(fresh).size, bool(corpus.manifest.columns)
    fitting, default = strategies.usual(chosen_model, parameters=size, rows=rows, given=given_strategy)
    config = chosen(optimizer, lr, schedule, default=default)
    made = Plan(
        model=chosen_model, task=found, data=chosen_data, rounds=rounds, batch_size=batch_size, seed=seed,
        strategy=strategies.stepping_with(fitting, config), optimizer=config, corpus=corpus, initial=start,
        parameters=size, dtype=check_dtype(dtype),
        scoring=audited(audits, score_of(score) if score is not None else None),
        note=_note(data, eval_data, corpus, found, batch_size),
    )  # fmt: skip
    # Read back as a peer will: what does not survive the file is refused here.
    read_back = Manifest.from_json(json.loads(json.dumps(made.manifest("trial", 0, 0).to_json())))
    check_batch(read_back.task, corpus, batch_size=batch_size)
    with read_back.execution().arithmetic():
        check(read_back.task, fresh, corpus)
    check_memory(read_back.task, fresh, corpus, batch_size=batch_size, free=limits.free_memory())
    return made


def planned(**described: Any) -> Plan:
    """A plan of what `Subnet.train` takes, with its defaults for the rest; raises as `Plan` does.

    What says where and by whom a run is trained is left to its caller.
    """
    from subnetlab.lab.subnet import Subnet  # noqa: PLC0415  (that file names this one)

    given = inspect.signature(Subnet.train).parameters
    taken = inspect.signature(plan).parameters
    found = {name: described.get(name, given[name].default) for name in taken}
    return plan(**arguments.plain(found))


def _note(data: object, eval_data: object, corpus: Corpus, task: Task, batch_size: int) -> str:
    """What a person may want to change of the data, or should know of it, as sentences."""
    found = (
        loader_note(data, batch_size=batch_size),
        loader_note(eval_data),
        scale_note(corpus, target=isinstance(task, Regression)),
    )
    return " ".join(dict.fromkeys(filter(None, found)))


def _not_swapped(data: object) -> None:
    if isinstance(data, nn.Module | ModelSpec) or (isinstance(data, type) and issubclass(data, nn.Module)):
        raise ArgumentInvalid("data is a model.", hint="The model comes first: subnet.train(model, data).")


def _given(strategy: object | None) -> Strategy | None:
    """The strategy that a person gave.

    Raises:
        ArgumentInvalid: it is something else.
    """
    if strategy is None:
        return None
    if isinstance(strategy, type) or not hasattr(strategy, "inner_steps") or not hasattr(strategy, "codec"):
        raise ArgumentInvalid(
            f"strategy is {kind_of(strategy)}.", hint="Give one, such as sl.strategies.DiLoCo()."
        )
    return cast("Strategy", strategy)


def write_run(folder: Path, made: Plan, manifest: Manifest) -> None:
    """Put the manifest, and data that peers cannot make again by themselves, into a run's folder."""
    if not isinstance(made.data, Stdlib):
        write(made.corpus, folder / DATA_FOLDER)  # what was tried: a generator gives its items once
    store = whole_store(folder)
    publish_shard_hashes(store, made.corpus)
    if made.initial:
        store.put(object_paths.initial(manifest.init), made.initial)
    text = json.dumps(manifest.to_json(), indent=2) + "\n"
    write_private(folder / MANIFEST_FILE, text)


def open_corpus(run_folder: Path, manifest: Manifest) -> Corpus:
    """The data of a run, from its folder or made again.

    Raises:
        DatasetEmpty, ManifestInvalid: neither is possible here.
    """
    kept = run_folder / DATA_FOLDER
    return Corpus.open(kept) if kept.is_dir() else sources.from_json(manifest.data.source).load()


def initial_loss(run_folder: Path) -> float:
    """Held-out loss before the first step, in the task's unit.

    No record holds it, because it follows from the manifest: same seed, same weights, same held-out items.

    Raises:
        FleetStartFailed: the folder holds no manifest.
        ModelNotBuildable: the model's own code is not at hand.
        DatasetEmpty: the data is not at hand.
    """
    manifest: Manifest = load_manifest(run_folder)
    store = whole_store(run_folder) if manifest.init else None
    module = built(manifest, store)
    model = FlatModel(module, manifest.task, manifest.optimizer, manifest.execution())
    return float(validation_loss(model, manifest, open_corpus(run_folder, manifest)))
