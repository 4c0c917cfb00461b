"""Chooses the task of a run from its model and its data, where a person gives none or only a name.

Text and tokens are next-token prediction. Of a table, a target of text, of yes and no, or of few whole
numbers for which the model has logits is classification; other numbers are regression. A model is asked once,
with two items, how many numbers it answers.
"""

from collections.abc import Callable, Mapping
from dataclasses import is_dataclass, replace
from typing import Any, Final, TypeAlias, cast

import numpy as np
import torch
from torch import Tensor, nn

from subnetlab.errors import ArgumentInvalid, DataInvalid, ModelNotBuildable
from subnetlab.text import kind_of
from subnetlab.train.data.columns import Class, Column
from subnetlab.train.data.corpus import Corpus
from subnetlab.train.tasks.base import MODEL_ERRORS, Task
from subnetlab.train.tasks.classification import Classification
from subnetlab.train.tasks.code import Code
from subnetlab.train.tasks.inputs import embeds
from subnetlab.train.tasks.metrics import Metric
from subnetlab.train.tasks.next_token import NextToken, of_model
from subnetlab.train.tasks.own import Own
from subnetlab.train.tasks.regression import Regression
from subnetlab.train.tasks.rows import Rows, output_of

Function: TypeAlias = Callable[..., Any]
NAMES: Final = ("classification", "regression", "next_token")
_BYTES: Final = 256
_LENGTHS: Final = (
    "seq_len",
    "block_size",
    "context_length",
    "n_positions",
    "n_ctx",
    "max_position_embeddings",
)
"""What models call the most tokens of a sequence."""
_PROMPT_TOKENS: Final = 8
_MANY_SHARDS: Final = 32
"""With so many, the last one's being cut short shows in no draw; below, shards are of one size."""
_MOST_CLASSES: Final = 100_000


def find(
    task: Task | str | None,
    spec: object,
    model: nn.Module,
    data: Corpus,
    *,
    loss: Code | None = None,
    metrics: Mapping[str, Code] | None = None,
    prompt: Any = None,
) -> Task:
    """The task of a run.

    Args:
        task: a task, one of `NAMES`, or None to choose.
        spec: the model as a manifest describes it.
        model: the same, built.
        data: what the run trains on.
        loss: a loss of one's own.
        metrics: functions of one's own, by name.
        prompt: what samples continue: text, or tokens.

    Raises:
        ArgumentInvalid: no task has this name, or the arguments contradict each other.
        ModelNotBuildable: the model does not fit the data.
        DataInvalid: the data does not fit the task.
    """
    own = tuple(Metric(name=name, code=code) for name, code in (metrics or {}).items())
    if isinstance(task, str) and task not in NAMES:
        raise ArgumentInvalid(f"No task is called {task!r}.", hint=f"Known: {', '.join(NAMES)}.")
    if not isinstance(task, str | None) and not _is_task(task):
        known = f"Give one of {', '.join(NAMES)}."
        raise ArgumentInvalid(f"task is {kind_of(task)} and no task.", hint=known)
    if task is not None and loss is not None:
        raise ArgumentInvalid("task= and loss= both say what is learned.", hint="Give one of them.")
    if task is not None and not isinstance(task, str):
        chosen = _covering(task, data)
    elif data.manifest.columns:
        chosen = _of_table(task, model, data, loss)
    else:
        chosen = _of_tokens(task, spec, model, data, loss)
    if own:
        if not isinstance(chosen, NextToken | Classification | Regression | Own):
            raise ArgumentInvalid(
                "A task of your own measures what it wants.", hint="Give it without metrics=."
            )
        taken = [one.name for one in own if one.name in getattr(chosen, "measures", ())]
        if taken:
            raise ArgumentInvalid(
                f"This task measures {taken[0]!r} by itself, and metrics= would replace it.",
                hint=f'Name yours otherwise, such as metrics={{"my_{taken[0]}": …}}, or leave it out.',
            )
        chosen = replace(chosen, metrics=own)
    return with_prompt(chosen, data, prompt) if isinstance(chosen, NextToken) else _promptless(chosen, prompt)


def _is_task(task: object) -> bool:
    methods = ("items", "batch", "loss", "losses")
    return is_dataclass(task) and not isinstance(task, type) and all(hasattr(task, one) for one in methods)


def _covering(task: Task, data: Corpus) -> Task:
    """A person's own task, once every class of the data is one it knows; few shards are of one size."""
    if isinstance(task, NextToken) and not data.manifest.columns:
        return replace(task, even=task.even or data.manifest.shards < _MANY_SHARDS)
    target = data.manifest.target
    if isinstance(task, Classification) and target is not None:
        for part in (data.train, data.validation):
            task.target(target, np.unique(part[target.name]))
    return task


def with_prompt(task: NextToken, data: Corpus, prompt: Any) -> NextToken:
    """The task with what its samples continue: of bytes "def " unless given, else the data's own beginning.

    Raises:
        ArgumentInvalid: the prompt is not in the words of the data.
    """
    if prompt is None and not task.prompt:
        prompt = "def " if task.vocab_size == _BYTES and not task.words else _beginning(task, data)
    elif prompt is None:
        prompt = task.prompt
    if not isinstance(prompt, str):
        if task.words or not all(type(token) is int for token in prompt):
            raise ArgumentInvalid("The prompt holds other things than tokens.", hint="Give text.")
        prompt = task.text(list(prompt)) if task.vocab_size == _BYTES else " ".join(map(str, prompt))
    try:
        task.tokens(prompt)
    except ValueError as error:
        what = str(error) if "invalid literal" not in str(error) else f"{prompt!r} is no list of tokens"
        raise ArgumentInvalid(
            f"The prompt cannot be continued: {what}.",
            hint="Give tokens, such as prompt=[3, 1, 4], or text in the characters of the data.",
        ) from error
    return replace(task, prompt=prompt)


def _promptless(task: Task, prompt: Any) -> Task:
    if prompt:
        raise ArgumentInvalid("Only next-token prediction continues a prompt.", hint="Leave prompt= out.")
    return task


def _beginning(task: NextToken, data: Corpus) -> str:
    return task.text([int(token) for token in data.validation[:_PROMPT_TOKENS]])


def _of_tokens(
    name: str | None, spec: object, model: nn.Module, data: Corpus, loss: Code | None
) -> NextToken | Own:
    if name in ("classification", "regression"):
        raise DataInvalid(
            f"The data is text or tokens, and {name} takes a table.", hint="Give pairs (x, y) or a frame."
        )
    seq_len = length_of(spec, model)
    if seq_len is None:
        of_model(spec)  # says what is missing
    if loss is not None:
        return Own(code=loss, seq_len=seq_len)
    declared = getattr(spec, "vocab_size", None)
    words, needed = data.manifest.words, _largest(data) + 1
    if isinstance(declared, int) and declared != _BYTES:  # as a specification has it that was told nothing
        vocab_size = declared
    else:
        vocab_size = _vocabulary(model, int(seq_len or 1))
    if needed > vocab_size:
        raise DataInvalid(
            f"The data holds the token {needed - 1}, and the model knows tokens below {vocab_size}.",
            hint=f"Give a model with vocab_size={needed} or more.",
        )
    even = data.manifest.shards < _MANY_SHARDS
    return NextToken(seq_len=int(seq_len or 1), vocab_size=vocab_size, words=words, even=even)


def length_of(spec: object, model: nn.Module) -> int | None:
    """The most tokens of a sequence, as the specification, the module or its configuration says."""
    for place in (spec, model, getattr(model, "config", None)):
        for name in _LENGTHS:
            value = getattr(place, name, None)
            if type(value) is int and value > 0:
                return value
    return None


def _vocabulary(model: nn.Module, seq_len: int) -> int:
    """How many tokens the model knows: as many as it has logits; bytes where it cannot be asked."""
    tokens = torch.zeros((1, min(seq_len, 2)), dtype=torch.long)
    training = model.training
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            answered = model.eval()(tokens)
        found = output_of(answered)
        return int(found.shape[-1]) if found.dim() == 3 else _BYTES
    except (*MODEL_ERRORS, ModelNotBuildable):
        return _BYTES  # `check` says what is wrong with the model
    finally:
        model.train(training)


def _largest(data: Corpus) -> int:
    return max(int(data.train.max()), int(data.validation.max()))


def _of_table(name: str | None, model: nn.Module, data: Corpus, loss: Code | None) -> Task:
    if name == "next_token":
        raise DataInvalid("The data is a table, and next_token takes text or tokens.", hint="Give text.")
    inputs = data.manifest.inputs
    names = tuple(column.name for column in inputs) if len(inputs) > 1 else ()
    shared: dict[str, Any] = {"inputs": names, "integers": _stay_whole(names, model, data)}
    if loss is not None:
        return Own(code=loss, **shared)
    target = data.manifest.target
    if target is None:
        raise DataInvalid(
            "The data has no target to foretell.",
            hint="Give a pair (x, y), name the column with target=…, or give a loss of your own.",
        )
    if name is None and target.dtype == "f4":
        name = "regression"
    answers = _answers(Rows(**shared), model, data, target) if name != "regression" else 0
    if name is None and not target.coded:
        name = "classification" if answers > 1 or len(target.classes) == 2 else "regression"
    if name == "regression":
        return Regression(**shared)
    return Classification(classes=_classes(target, answers), **shared)


def _stay_whole(names: tuple[str, ...], model: nn.Module, data: Corpus) -> bool:
    """Whether whole numbers are given as such: to an embedding, and to a model that takes no others."""
    if embeds(model) or not any(column.dtype in ("i4", "i8") for column in data.manifest.inputs):
        return embeds(model)
    floats, whole = (Rows(inputs=names, integers=integers) for integers in (False, True))
    return _answered(floats, model, data) is None and _answered(whole, model, data) is not None


def _answered(rows: Rows, model: nn.Module, data: Corpus) -> Tensor | None:
    """What the model answers for two items; None where it cannot be asked."""
    batch = rows.batch(data, "train", np.arange(min(2, len(data.train)), dtype=np.int64))
    training = model.training
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            return rows.answer(model.eval(), batch)
    except (*MODEL_ERRORS, ModelNotBuildable):
        return None  # `check` says what is wrong with the model
    finally:
        model.train(training)


def _answers(rows: Rows, model: nn.Module, data: Corpus, target: Column) -> int:
    """How many numbers the model answers for each target; 0 where it cannot be asked."""
    found = _answered(rows, model, data)
    if found is None:
        return 0
    if found.dim() == len(target.shape) + 1:
        return 1
    if not target.shape or tuple(found.shape[1:-1]) == target.shape:
        return int(found.shape[-1])
    return int(found.shape[1])


def _classes(target: Column, answers: int) -> tuple[Class, ...]:
    """The classes in the order of the model's logits.

    Raises:
        DataInvalid: the target holds no classes, or only one.
        ModelNotBuildable: the model has fewer logits than the target has classes.
    """
    if target.dtype == "f4":
        raise DataInvalid(
            f"The target {target.name!r} holds fractions, and classification takes classes.",
            hint='Use task="regression", or whole numbers.',
        )
    known = target.classes
    whole = not target.coded and all(type(value) is int and value >= 0 for value in known)
    if (
        whole
        and (not known or max(cast("tuple[int, ...]", known)) < answers <= _MOST_CLASSES)
        and answers > 1
    ):
        return tuple(range(answers))
    if not known:
        raise DataInvalid(
            f"The target {target.name!r} has too many different values for classification.",
            hint='Use task="regression".',
        )
    if len(known) == 1:
        raise DataInvalid(
            f"Every row has the same value {known[0]!r} in the target {target.name!r}: there is nothing to "
            "tell apart.",
            hint="Add rows of another class, or name another column with target=….",
        )
    if answers > 1 and answers != len(known):
        raise ModelNotBuildable(
            f"The model answers {answers} numbers per item, and the target {target.name!r} has "
            f"{len(known)} classes.",
            hint="Return one logit per class.",
        )
    return known
