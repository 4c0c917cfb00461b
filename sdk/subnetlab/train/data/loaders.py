"""What a data loader of torch is taken for: its data set, where the loader changes nothing in it.

Every miner draws its own batches, so a loader's batches and order have no place in a run. What decides which
items there are, or what is in them, is refused or said.
"""

from typing import Any, Final, cast

from torch.utils.data import (
    BatchSampler,
    DataLoader,
    RandomSampler,
    SequentialSampler,
    default_collate,
    default_convert,
)

from subnetlab.errors import DataInvalid
from subnetlab.text import kind_of

_USUAL: Final = (default_collate, default_convert)
_OF_ITERABLES: Final = "_InfiniteConstantSampler"
"""What torch calls the sampler that a loader makes for an iterable data set."""


def dataset_of(loader: "DataLoader[Any]") -> Any:
    """The data set of a loader.

    Raises:
        DataInvalid: the loader has a `collate_fn` of its own, which may change what the items are.
    """
    collate: Any = loader.collate_fn
    if collate not in _USUAL:
        name = getattr(collate, "__name__", type(collate).__name__).strip("<>")
        raise DataInvalid(
            f"The data loader has a collate_fn of its own, {name!r}, and a run makes its batches without it.",
            hint="Do what it does in the data set's __getitem__, or once beforehand, and give the data set: "
            "train(model, loader.dataset).",
        )
    return cast("Any", loader).dataset


def loader_note(data: object, *, batch_size: int | None = None) -> str:
    """What of a loader a run leaves out, as a sentence; empty where the data is none or nothing is left out.

    Args:
        data: what a person gave.
        batch_size: of the run, where the loader's can be compared with it.
    """
    if not isinstance(data, DataLoader):
        return ""
    loader = cast("DataLoader[Any]", data)
    said = [_order(loader)]
    if batch_size is not None and loader.batch_size not in (None, 1, batch_size):
        said.append(
            f"The data loader's batch_size={loader.batch_size} is not used: a step takes {batch_size} items "
            f"unless train is given batch_size={loader.batch_size}."
        )
    return " ".join(filter(None, said))


def _order(loader: "DataLoader[Any]") -> str:
    """That a sampler of one's own is not used; empty where the loader made its own."""
    batches = cast("Any", loader.batch_sampler)
    # A loader that is given its batches makes a sampler that it does not use.
    sampler = batches.sampler if type(batches) is BatchSampler else loader.sampler
    own = None
    if batches is not None and type(batches) is not BatchSampler:
        own = f"batch_sampler, {kind_of(batches)},"
    elif not _is_plain(sampler):
        own = f"sampler, {kind_of(sampler)},"
    if own is None:
        return ""
    return (
        f"The data loader's {own} is not used: the miners draw from every item of its data set. To train on "
        "some items, give torch.utils.data.Subset(loader.dataset, indices)."
    )


def _is_plain(sampler: Any) -> bool:
    """Whether a sampler takes every item once."""
    if isinstance(sampler, RandomSampler):
        drawn = sampler.num_samples == len(cast("Any", sampler.data_source))
        return type(sampler) is RandomSampler and not sampler.replacement and drawn
    return type(sampler) is SequentialSampler or type(sampler).__name__ == _OF_ITERABLES
