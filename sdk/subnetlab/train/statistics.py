"""What training writes into a model's buffers: estimated anew from θ, so that it never travels.

Running statistics of BatchNorm, and whatever else a forward pass in training mode writes into a buffer,
depend on the batches a peer has seen; peers that see different batches would hold different models. Here they
are a function of θ and the run's data alone: the same few passes over the same training items, dropout off,
from the buffers as built ("PreciseBN", Wu and Johnson, arXiv 2105.07576). Every replica, the saved model
included, so has the same buffers to the bit, and no peer can poison them. Buffers that training does not
write stay as built.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.modules.batchnorm import _NormBase  # pyright: ignore[reportPrivateUsage]
from torch.nn.modules.dropout import _DropoutNd  # pyright: ignore[reportPrivateUsage]

from subnetlab.train.data.corpus import Corpus
from subnetlab.train.execution import Execution
from subnetlab.train.models.spec import drawing
from subnetlab.train.tasks.base import Task

PASSES: Final = 4
ITEMS_PER_PASS: Final = 32


class Statistics:
    """The buffers of one module, and whether training writes into them."""

    def __init__(self, module: nn.Module, execution: Execution) -> None:
        """Keep the buffers as they were built, on the module's device."""
        self._module, self._execution = module, execution
        self._built = {name: buffer.detach().clone() for name, buffer in module.named_buffers()}
        self.moving = bool(self._built)
        """Whether training may write into a buffer; known after the first estimate."""
        self._tried = False

    @torch.no_grad()
    def estimate(self, task: Task, corpus: Corpus) -> None:
        """Set every buffer to what follows from the parameters as they are; leaves evaluation mode on."""
        count = task.items(corpus, "train").count
        if not self._tried:  # on two items, as a model's buffers may well be tables that nothing writes
            self._pass_over(task, corpus, [np.arange(min(2, count), dtype=np.int64)])
            self._tried, self.moving = True, self._has_moved()
            if not self.moving:
                return
        numbers = np.unique(np.linspace(0, count - 1, PASSES * ITEMS_PER_PASS).astype(np.int64))
        self._pass_over(task, corpus, np.array_split(numbers, -(-len(numbers) // ITEMS_PER_PASS)))

    def _pass_over(self, task: Task, corpus: Corpus, passes: Sequence[NDArray[np.int64]]) -> None:
        """Run the passes from the buffers as built."""
        self._restore()
        with drawing(0):
            norms = self._training()
            momenta = [norm.momentum for norm in norms]
            for index, numbers_B in enumerate(passes):
                for norm in norms:
                    norm.momentum = 1 / (index + 1)  # the plain mean over the passes
                task.loss(self._module, self._execution.moved(task.batch(corpus, "train", numbers_B)))
            for norm, momentum in zip(norms, momenta, strict=True):
                norm.momentum = momentum
        self._module.eval()

    def _has_moved(self) -> bool:
        now = dict(self._module.named_buffers())
        return any(not _same(now.get(name), built) for name, built in self._built.items())

    def _training(self) -> list[_NormBase]:
        """Training mode without dropout; returns the layers that keep running statistics in it."""
        self._module.train()
        norms: list[_NormBase] = []
        for part in self._module.modules():
            if isinstance(part, _DropoutNd):
                part.eval()
            elif isinstance(part, _NormBase) and part.training and part.track_running_stats:
                norms.append(part)
        return norms

    def _restore(self) -> None:
        now = dict(self._module.named_buffers())
        for name, built in self._built.items():
            if _same_form(now.get(name), built):
                now[name].copy_(built)
            else:
                owner, _, leaf = name.rpartition(".")
                setattr(self._module.get_submodule(owner), leaf, built.clone())


def _same_form(now: torch.Tensor | None, built: torch.Tensor) -> bool:
    return now is not None and now.shape == built.shape and now.dtype == built.dtype


def _same(now: torch.Tensor | None, built: torch.Tensor) -> bool:
    return _same_form(now, built) and bool(torch.equal(torch.nan_to_num(now), torch.nan_to_num(built)))  # type: ignore[arg-type]
