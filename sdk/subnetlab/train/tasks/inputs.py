"""How a model's forward takes the inputs of a table: under which names, and what to say where it does not.

Keys of a dict that forward names as its parameters are inputs of their own, whatever their dimensions; other
dicts are like frames, whose columns lie side by side in one input. A single key is an input of its own where
the model looks its whole numbers up in an embedding.
"""

import inspect
from collections.abc import Sequence
from typing import Final

from torch import nn

from subnetlab.errors import ModelNotBuildable
from subnetlab.train.data.columns import Column
from subnetlab.train.data.corpus import Corpus
from subnetlab.train.data.spec import DataSpec
from subnetlab.train.data.table import Table
from subnetlab.train.tasks.base import Batch

_SHOWN: Final = 8
_NAMED: Final = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def fitted(data: DataSpec, model: nn.Module) -> DataSpec:
    """The data with an input for each key of its dict where the model's forward names them; else as it is."""
    found = data.arrays.by_key if isinstance(data, Table) else None
    if found is None or not isinstance(data, Table) or not _names(model, list(found.inputs)):
        return data
    only = next(iter(found.inputs.values()))
    # A single vector was always one input of shape (B, 1); only an embedding wants it without the axis.
    if len(found.inputs) == 1 and not (only.dtype.kind in "iu" and embeds(model)):
        return data
    return data.by_key()


def embeds(model: nn.Module) -> bool:
    """Whether the model looks whole numbers up in an embedding."""
    return any(isinstance(part, nn.Embedding | nn.EmbeddingBag) for part in model.modules())


def _parameters(model: nn.Module) -> list[inspect.Parameter]:
    """What the model's forward takes; empty where it does not say."""
    try:
        return list(inspect.signature(model.forward).parameters.values())
    except (TypeError, ValueError):
        return []


def _names(model: nn.Module, keys: Sequence[str]) -> bool:
    """Whether each key is a parameter of forward, or forward is `forward(**inputs)`."""
    taken = _parameters(model)
    named = [one.name for one in taken if one.kind in _NAMED]
    return set(keys) <= set(named) or (bool(taken) and all(one.kind is one.VAR_KEYWORD for one in taken))


def refuse_misnamed(names: tuple[str, ...], model: nn.Module, data: Corpus) -> None:
    """Compare the inputs of a table with what the model's forward takes.

    Args:
        names: of the inputs where there are several; a single one is given without its name.
        model: which is called with them.
        data: what they are.

    Raises:
        ModelNotBuildable: forward takes no input of that name, or asks for another.
    """
    try:
        signature = inspect.signature(model.forward)
    except (TypeError, ValueError):  # compiled code does not say what it takes
        return
    try:
        signature.bind(**dict.fromkeys(names)) if names else signature.bind(None)
    except TypeError:
        taken = ", ".join(signature.parameters)
        given = ", ".join(_called(column) for column in data.manifest.inputs)
        several = "inputs" if len(data.manifest.inputs) > 1 else "input"
        raise ModelNotBuildable(
            f"{type(model).__name__}.forward({taken}) does not take the {several} {given} of the data.",
            hint=f"{_by_names(model, data)} Or let forward take {', '.join(names) or 'one argument'}.",
        ) from None


def embedding_hint(model: nn.Module, data: Corpus, failure: str) -> str:
    """What to do where an embedding is given floats, or a layer whole numbers; empty where neither is so."""
    if not embeds(model):
        return ""
    inputs = data.manifest.inputs
    whole = [repr(column.name) for column in inputs if column.dtype != "f4"]
    if "indices" in failure and "Float" in failure and len(whole) < len(inputs):
        return _looked_up(next(column for column in inputs if column.dtype == "f4"))
    if whole and ("same dtype" in failure or "expected scalar type" in failure.lower()):
        return (
            f"The model has an embedding, so whole numbers stay whole: {', '.join(whole)}. Give those that "
            "are amounts as floats, such as array.astype('float32'). "
        )
    return ""


def _looked_up(column: Column) -> str:
    """How what lies in an input of floats is looked up in an embedding."""
    names, x = column.names[:_SHOWN], column.name
    places = ", ".join(f"{x}[:, {place}] is {name!r}" for place, name in enumerate(names))
    which = f"{x}[:, {max(0, len(names) - 1)}]" if column.shape else x
    apart = f", such as forward({', '.join(names)})," if all(name.isidentifier() for name in names) else ""
    return (
        f"An embedding looks up whole numbers, and {x!r} holds floats{places and f', where {places}'}. In "
        f"forward, make whole numbers of what it looks up: self.embedding({which}.long()). Or let forward "
        f"take it as a parameter of its own{apart if names else ''} and give a dict of arrays with these "
        "keys, where whole numbers stay whole. "
    )


def batch_hint(data: Corpus, batch: Batch) -> str:
    """What the batch of a `loss(model, batch)` holds, place by place, as a sentence."""
    target = data.manifest.target
    names = [repr(column.name) for column in data.manifest.inputs]
    names += [f"the target {target.name!r}"] if target is not None else []
    names = names or ["the tokens", "the next tokens"]
    parts = [
        f"batch[{place}] is {name}, {str(part.dtype).removeprefix('torch.')} of shape {tuple(part.shape)}"
        for place, (name, part) in enumerate(zip(names, batch, strict=False))
    ]
    return f"batch is a tuple of {len(batch)} tensors: {'; '.join(parts)}. "


def _called(column: Column) -> str:
    """An input as a sentence names it, with what lies side by side in it."""
    if not column.names or column.names == (column.name,):
        return repr(column.name)
    more = ", …" if len(column.names) > _SHOWN else ""
    return f"{column.name!r} (of {', '.join(map(repr, column.names[:_SHOWN]))}{more})"


def _by_names(model: nn.Module, data: Corpus) -> str:
    """How a dict gives each parameter of forward an input of its own."""
    required = [one.name for one in _parameters(model) if one.default is one.empty and one.kind in _NAMED]
    target = data.manifest.target
    keys = [*required[:_SHOWN], *([target.name] if target is not None else [])]
    shown = ", ".join(f'"{key}": …' for key in keys)
    return (
        "Give a dict of arrays, or items that are dicts, whose keys are the parameters of forward, "
        f"{{{shown}}}: each key is then an input of its own, with its dimensions, and whole numbers stay "
        "whole for an embedding."
    )
