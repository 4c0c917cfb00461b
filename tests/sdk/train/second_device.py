"""A second device on a machine that has none: torch's `meta`, whose tensors keep their values here.

A meta tensor has shape, strides and storage, and no values. While a `SecondDevice` is entered, every
operation on such tensors runs on values that are kept beside their storages. As between a CPU and a card,
values cross by `.to`, `.cpu`, `copy_` and `.item` alone; an operation that mixes devices is refused.
"""

from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as tree
from torch.utils._python_dispatch import TorchDispatchMode

ATEN = torch.ops.aten
_CROSS = {ATEN._to_copy.default, ATEN.copy_.default}


class SecondDevice(TorchDispatchMode):
    """The values of meta tensors, by their storage."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        super().__init__()
        self._values: dict[int, tuple[Tensor, Any]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        tensors = [leaf for leaf in tree.tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        there = [one for one in tensors if one.is_meta]
        goes_there = str(kwargs.get("device", "")) == "meta"
        if not there and not goes_there:
            return func(*args, **kwargs)
        if func not in _CROSS and any(one.dim() and not one.is_meta for one in tensors):
            raise RuntimeError(f"Expected all tensors to be on the same device, in {func}")
        real_args, real_kwargs = tree.tree_map_only(Tensor, self._real, (args, kwargs))
        if "device" in real_kwargs:
            real_kwargs["device"] = torch.device("cpu")
        found = func(*real_args, **real_kwargs)
        leaves_here = func is ATEN._to_copy.default and kwargs.get("device") is not None and not goes_there
        if leaves_here or not any(isinstance(leaf, Tensor) for leaf in tree.tree_leaves(found)):
            return found
        if func is ATEN.copy_.default:
            return args[0]
        return self._bound(func, args, kwargs, found)

    def _bound(self, func: Any, args: Any, kwargs: Any, found: Any) -> Any:
        """What the operation makes of meta tensors, with its values behind those that are new."""
        if any(result.alias_info is not None for result in func._schema.returns):
            made = func(
                *args, **kwargs
            )  # views and what is changed in place share their storage by themselves
        else:
            made = tree.tree_map_only(Tensor, lambda one: torch.empty_like(one, device="meta"), found)
        for meta, real in zip(tree.tree_leaves(made), tree.tree_leaves(found), strict=True):
            if isinstance(meta, Tensor) and meta.is_meta and not self._known(meta):
                self._bind(meta, real)
        return made

    def _known(self, meta: Tensor) -> bool:
        kept = self._values.get(meta.untyped_storage()._cdata)
        return kept is not None and kept[1]._cdata == meta.untyped_storage()._cdata

    def _bind(self, meta: Tensor, real: Tensor) -> None:
        storage = meta.untyped_storage()
        values = torch.zeros(max(1, storage.nbytes()), dtype=torch.uint8)
        # The storage is kept alive beside its values, so that its address is not given to another.
        self._values[storage._cdata] = values, storage
        self._real(meta).copy_(real)

    def _real(self, tensor: Tensor) -> Tensor:
        """The values of a meta tensor, in its own shape and strides; another tensor as it is."""
        if not tensor.is_meta:
            return tensor
        if not self._known(tensor):
            raise RuntimeError(f"a meta tensor of shape {tuple(tensor.shape)} was made outside the device")
        values, _ = self._values[tensor.untyped_storage()._cdata]
        whole = values.untyped_storage()
        empty = torch.empty(0, dtype=tensor.dtype)
        return empty.set_(whole, tensor.storage_offset(), tensor.shape, tensor.stride())
