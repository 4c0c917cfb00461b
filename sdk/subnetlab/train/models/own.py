"""What a person has, as a specification that a manifest can hold."""

import inspect
import json
from types import FunctionType
from typing import Any, cast

from torch import Tensor, nn

from subnetlab.errors import ModelNotBuildable
from subnetlab.signatures import nearest
from subnetlab.text import capitalised, kind_of
from subnetlab.train.models import hugging_face
from subnetlab.train.models.cell import Cell
from subnetlab.train.models.custom import Factory, Source, source
from subnetlab.train.models.definition import home_of
from subnetlab.train.models.instance import Instance, described
from subnetlab.train.models.spec import ModelSpec
from subnetlab.train.models.tensors import tensors_of

_LENGTHS = ("seq_len", "block_size", "context_length", "n_positions", "max_position_embeddings")
_BYTES = 256


def of(
    model: object, *, seq_len: int | None = None, vocab_size: int | None = None, **options: Any
) -> ModelSpec:
    """What a run trains, from what a person has.

    A class or function of a module that miners can import is named; one of a notebook travels as source,
    with the classes, functions, constants and imports of other cells that it uses, as they are now. A module
    itself is described part by part, and its weights are what the run starts from. What has no source and is
    no plain value (an open file, a lock, a hook) is refused by name. No pickle is written or read.

    Args:
        model: a `torch.nn.Module` class, a function that makes one, a module, a Hugging Face model or config,
            or a specification, which is returned as it is.
        seq_len: tokens per sequence of a language model; a module's `block_size` or the like unless given,
            of `transformers` at most 128.
        vocab_size: distinct tokens of a language model; bytes unless the model says otherwise.
        options: what the class or function is called with.

    Raises:
        ModelNotBuildable: it is none of these, or cannot reach a miner.

    Example:
        >>> spec = of(nn.Linear, in_features=4, out_features=1)
        >>> spec.build()
        Linear(in_features=4, out_features=1, bias=True)
    """
    if isinstance(model, type) or inspect.isroutine(model):
        return _of_code(cast("Any", model), seq_len, vocab_size, options)
    if hugging_face.is_model(model) or hugging_face.is_config(model):
        _no_options(options)
        made = hugging_face.of_model if hugging_face.is_model(model) else hugging_face.of_config
        return made(model, seq_len=seq_len, vocab_size=vocab_size)
    if isinstance(model, nn.Module):
        _no_options(options)
        structure, text = described(model)
        return Instance(
            structure=structure, text=text, seq_len=seq_len or _said(model, _LENGTHS),
            vocab_size=vocab_size or _said(model, ("vocab_size",)) or _BYTES,
            weights={name: part.detach().clone() for name, part in tensors_of(model).items()},
        )  # fmt: skip
    if isinstance(model, ModelSpec):
        if options or seq_len or vocab_size:
            raise ModelNotBuildable(
                f"{type(model).__name__} is a specification already, which takes no further options.",
                hint="Give them where it is made.",
            )
        return model
    raise ModelNotBuildable(
        f"{capitalised(kind_of(model))} is no model.",
        hint="Give a torch.nn.Module class, a function that makes one, a module, or a Hugging Face model.",
    )


def weights_of(spec: ModelSpec) -> dict[str, Tensor]:
    """The weights of the module that a specification was made from; empty where it was made from none."""
    return cast("dict[str, Tensor]", getattr(spec, "weights", {}))


def _of_code(
    code: type | FunctionType, seq_len: int | None, vocab_size: int | None, options: dict[str, Any]
) -> ModelSpec:
    if isinstance(code, type) and not issubclass(code, nn.Module):
        raise ModelNotBuildable(
            f"The class {code.__name__} is no torch.nn.Module.", hint="Derive it from torch.nn.Module."
        )
    _fits(code, options)
    vocab_size = vocab_size or _BYTES
    home = home_of(code)
    if home is not None and _is_json(options):
        return Factory(path=":".join(home), seq_len=seq_len, vocab_size=vocab_size, options=options)
    if _is_json(options):
        return source(code, seq_len=seq_len, vocab_size=vocab_size, **options)
    cell = Cell()
    call = cell.expression(code, "model", "The model")
    given = cell.expression(options, "options", "The model")
    return Source(
        text=f"{cell.text}\ndef make_model():\n    return {call}(**{given})\n", name="make_model",
        seq_len=seq_len, vocab_size=vocab_size,
    )  # fmt: skip


def _fits(code: Any, options: dict[str, Any]) -> None:
    """Compare the options with what the class or function takes.

    Raises:
        ModelNotBuildable: one is unknown, or one is missing.
    """
    try:
        signature = inspect.signature(code)
    except (TypeError, ValueError):  # compiled code does not say what it takes
        return
    name, known = getattr(code, "__name__", "model"), list(signature.parameters)
    open_ended = any(one.kind is one.VAR_KEYWORD for one in signature.parameters.values())
    strange = [] if open_ended else [word for word in options if word not in known]
    if strange:
        near = nearest(strange[0], known)
        raise ModelNotBuildable(
            f"{name} takes no option {strange[0]!r}.",
            hint=f"Did you mean {near}=?" if near else f"It takes {', '.join(known) or 'none'}.",
        )
    try:
        signature.bind(**options)
    except TypeError as error:
        example = next(iter(signature.parameters), "option")
        raise ModelNotBuildable(
            f"{name} cannot be made: {error}.",
            hint=f"Give its options, such as sl.models.of({name}, {example}=…), or a module that is made.",
        ) from None


def _is_json(options: dict[str, Any]) -> bool:
    try:
        return json.loads(json.dumps(options, allow_nan=False)) == options
    except (TypeError, ValueError):
        return False


def _no_options(options: dict[str, Any]) -> None:
    if options:
        raise ModelNotBuildable(
            f"A module that is built already takes no options ({', '.join(options)}).",
            hint="Give its class with the options, or the module without.",
        )


def _said(model: nn.Module, names: tuple[str, ...]) -> int | None:
    """A number that a module or its `config` states under one of these names."""
    for holder in (model, getattr(model, "config", None)):
        for name in names:
            number = getattr(holder, name, None)
            if type(number) is int and number > 0:
                return number
    return None
