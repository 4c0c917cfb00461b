"""A model tried on a task before a run starts: one batch forwards and backwards, trained and evaluated.

What is wrong with a model costs a sentence here; later it would cost a subnet's seats.
"""

import numpy as np
import torch
from torch import nn

from subnetlab.errors import ModelNotBuildable
from subnetlab.train.data.corpus import Corpus
from subnetlab.train.models.spec import drawing
from subnetlab.train.tasks.base import MODEL_ERRORS, Task

_ITEMS = 2


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
    try:
        with drawing(0):
            loss = task.loss(model.train(), batch)
            loss.backward()
            with torch.no_grad():
                losses_B, again_B = (task.losses(model.eval(), batch) for _ in range(2))
    except MODEL_ERRORS as error:
        shapes = " and ".join(str(tuple(part.shape)) for part in batch)
        raise ModelNotBuildable(
            f"The model failed on a batch of shape {shapes}: {error}.",
            hint="Call the model on such a batch in a cell to see where.",
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
