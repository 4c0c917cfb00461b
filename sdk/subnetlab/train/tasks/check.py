"""A model tried on a task before a run starts: one batch forwards and backwards, trained and evaluated.

What is wrong with a model costs a sentence here; later it would cost a subnet's seats.
"""

import numpy as np
import torch
from torch import nn

from subnetlab.errors import ArgumentInvalid, ModelNotBuildable
from subnetlab.train.data.corpus import Corpus
from subnetlab.train.models.spec import drawing
from subnetlab.train.tasks.base import MODEL_ERRORS, LossFailed, Measures, Task
from subnetlab.train.tasks.inputs import batch_hint, embedding_hint, refuse_misnamed
from subnetlab.train.tasks.own import Own
from subnetlab.train.tasks.rows import Rows

_ITEMS = 2
_MEMORY_SHARE = 0.9
_FEATURES_SHOWN = 8


def check(task: Task, model: nn.Module, data: Corpus) -> None:
    """Train the model on nothing: one batch, one gradient, no step.

    Raises:
        ModelNotBuildable: it fails on a batch, has no gradient, its loss is not finite from the start, or
            differs when it is measured again.
        DatasetEmpty: training or validation data holds not one item.
    """
    task.items(data, "validation")
    numbers = np.arange(min(_ITEMS, task.items(data, "train").count), dtype=np.int64)
    batch = task.batch(data, "train", numbers)
    calls_itself = isinstance(task, Own) and task.takes_model
    if isinstance(task, Rows) and data.manifest.columns and not calls_itself:
        refuse_misnamed(task.inputs, model, data)
    try:
        with drawing(0):
            loss = task.loss(model.train(), batch)
            loss.backward()
            with torch.no_grad():
                losses_B, again_B = (task.losses(model.eval(), batch) for _ in range(2))
    except LossFailed as error:
        held = batch_hint(data, batch) if calls_itself else ""
        raise ModelNotBuildable(
            str(error), hint=f"{held}Call the loss on such tensors in a cell to see where."
        ) from error
    except MODEL_ERRORS as error:
        shapes = " and ".join(str(tuple(part.shape)) for part in batch)
        raise ModelNotBuildable(
            f"The model failed on a batch of shape {shapes}: {error}.",
            hint=f"{embedding_hint(model, data, str(error))}{_features(data)}"
            "Call the model on such a batch in a cell to see where.",
        ) from error
    if losses_B.shape != (len(numbers),):
        raise ModelNotBuildable(
            f"The task's loss of {len(numbers)} items has shape {tuple(losses_B.shape)}.",
            hint="Return one loss per item, shape (B,).",
        )
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    finite = bool(losses_B.isfinite().all() and loss.detach().isfinite())
    if not finite or not all(bool(gradient.isfinite().all()) for gradient in gradients):
        what = "gradient" if finite else "loss"
        raise ModelNotBuildable(
            f"The model's {what} on its first batch is not finite ({float(loss.detach()):g}).",
            hint="Initialise the weights smaller, or scale the inputs.",
        )
    if not torch.equal(losses_B, again_B):
        raise ModelNotBuildable(
            "The model's loss of the same items differs between two passes in evaluation mode.",
            hint="Draw no random numbers there: use nn.Dropout, or training=self.training.",
        )
    model.zero_grad(set_to_none=True)
    _measured(task, model, data)


def _features(data: Corpus) -> str:
    """What the numbers of a row are, where columns of text or dates were spread over several; else empty."""
    names = [name for column in data.manifest.inputs for name in column.names]
    if not any("=" in name for name in names):
        return ""
    shown = ", ".join(map(repr, names[:_FEATURES_SHOWN])) + (", …" if len(names) > _FEATURES_SHOWN else "")
    return f"A row has {len(names)} features: {shown}. "


def bytes_per_item(task: Task, model: nn.Module, data: Corpus) -> int:
    """Memory of one more item in a batch: its inputs, and what the backward pass keeps of it.

    Raises:
        DatasetEmpty: the data holds not one item.
    """
    count = min(_ITEMS, task.items(data, "train").count)
    batch = task.batch(data, "train", np.arange(count, dtype=np.int64))
    weights = {parameter.data_ptr() for parameter in model.parameters()}
    kept: dict[int, int] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.data_ptr() not in weights:
            kept[tensor.data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with drawing(0), torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        task.loss(model.train(), batch)
    inputs = sum(part.nbytes for part in batch)
    return (inputs + sum(kept.values())) // count


def check_batch(task: Task, data: Corpus, *, batch_size: int) -> None:
    """Refuse a batch that holds more items than there are: every step would repeat some.

    Raises:
        ArgumentInvalid: the training data has fewer items than one batch.
    """
    count = task.items(data, "train").count
    if batch_size > count:
        what = "rows" if data.manifest.columns else "sequences of tokens"
        raise ArgumentInvalid(
            f"A batch of {batch_size:,} items is larger than the training data, which has {count:,} {what}.",
            hint=f"Give a batch_size of at most {count:,}; a tenth of the data is held out.",
        )


def check_memory(task: Task, model: nn.Module, data: Corpus, *, batch_size: int, free: int | None) -> None:
    """Refuse a batch that the machine's free memory cannot hold.

    Raises:
        ArgumentInvalid: the estimate is above nine tenths of it.
    """
    needed = batch_size * bytes_per_item(task, model, data)
    if free is not None and needed > _MEMORY_SHARE * free:
        raise ArgumentInvalid(
            f"A batch of {batch_size:,} items takes about {needed / 1e9:,.1f} GB, and {free / 1e9:.1f} GB "
            "are free.",
            hint=f"Give a batch_size of at most {max(1, int(_MEMORY_SHARE * free * batch_size / needed)):,}.",
        )


def _measured(task: Task, model: nn.Module, data: Corpus) -> None:
    """Try each metric of one's own on the held-out items.

    Raises:
        ModelNotBuildable: one of them fails, or returns no number.
    """
    own = getattr(task, "metrics", ())
    if not own or not isinstance(task, Measures):
        return
    count = min(_ITEMS, task.items(data, "validation").count)
    batch = task.batch(data, "validation", np.arange(count, dtype=np.int64))
    with torch.no_grad():
        pair = task.pair(model.eval(), batch)
    for metric in own:
        try:
            metric.of(*pair)
        except MODEL_ERRORS as error:
            raise ModelNotBuildable(
                f"The metric {metric.name!r} failed on outputs of shape {tuple(pair[0].shape)} and targets "
                f"of shape {tuple(pair[1].shape)}: {error}.",
                hint="Let it take tensors of outputs and targets, and return a number.",
            ) from error
