"""A loss or metric of one's own as code that reaches every peer: imported where it can be, else as source.

A function of a notebook takes along what it uses of other cells, as a model does (`models.cell`). A loss
module of torch travels as its class and its options. Nothing is pickled.
"""

import inspect
import json
from typing import Any, Final

from torch import nn

from subnetlab.errors import ArgumentInvalid, ModelNotBuildable
from subnetlab.text import kind_of, with_article
from subnetlab.train.models.cell import Cell
from subnetlab.train.models.definition import home_of
from subnetlab.train.tasks.code import Code

_LOSS: Final = "own_function"


def loss_of(function: object) -> Code:
    """The description of a loss that takes outputs and targets, or a model and a batch.

    Raises:
        ArgumentInvalid: it takes something else, or as `code_of`.
    """
    found = code_of(function, "loss")
    _takes_two(function, "The loss", "loss(outputs, targets) or loss(model, batch)")
    return found


def metric_of(name: str, function: object) -> Code:
    """The description of a metric under a name, once it takes outputs and targets; errors as `loss_of`."""
    found = code_of(function, f"The metric {name!r}")
    _takes_two(function, f"The metric {name!r}", "a function of outputs and targets")
    return found


def _takes_two(function: object, what: str, wanted: str) -> None:
    called: Any = function.forward if isinstance(function, nn.Module) else function
    try:
        signature = inspect.signature(called)
    except (TypeError, ValueError):  # a built-in function of torch
        return
    try:
        signature.bind(None, None)
    except TypeError as error:
        raise ArgumentInvalid(
            f"{what} takes {signature}, and is called with two: {error}.", hint=f"Give {wanted}."
        ) from None


def code_of(function: object, what: str) -> Code:
    """The description of a function, for a manifest.

    Args:
        function: a function, a lambda, a function of torch, or a loss module of torch.
        what: what it is to the run, for the sentence that refuses it.

    Raises:
        ArgumentInvalid: it is no function, or cannot reach a miner.
    """
    if isinstance(function, nn.Module):
        return _of_module(function, what)
    if not callable(function) or isinstance(function, type):
        raise ArgumentInvalid(
            f"{what} is {kind_of(function)} and no function.", hint="Give a function of outputs and targets."
        )
    home = home_of(function)
    name = str(getattr(function, "__name__", "function")).strip("<>").replace("lambda", "function")
    if home is not None:
        return Code(name=name, path=":".join(home))
    cell = Cell()
    try:
        expression = cell.expression(function, "function", what)
    except ModelNotBuildable as error:
        raise ArgumentInvalid(f"{what} cannot reach the miners: {error}", hint="") from error
    return Code(name=name, text=f"{cell.text}\n{_LOSS} = {expression}\n", defines=_LOSS)


def _of_module(loss: nn.Module, what: str) -> Code:
    home, kind = home_of(type(loss)), type(loss).__name__
    parameters = list(inspect.signature(type(loss).__init__).parameters.values())[1:]
    given = {one.name: getattr(loss, one.name) for one in parameters if hasattr(loss, one.name)}
    options = {
        one.name: given[one.name] for one in parameters if given.get(one.name, one.default) != one.default
    }
    try:
        json.dumps(options, allow_nan=False)
    except (TypeError, ValueError):
        home = None
    if home is None or next(loss.parameters(), None) is not None:
        raise ArgumentInvalid(
            f"{what} is {with_article(kind)}, which cannot be written down for the miners.",
            hint="Give a function that computes it.",
        )
    return Code(name=kind, path=":".join(home), options=options)
