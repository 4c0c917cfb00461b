"""Which tensors of a model are the matrices of its hidden layers, by a rule on names and shapes alone.

Muon steps those and AdamW the rest; a one-bit payload gives the other 2-D tensors a scale per row. The rule
needs no module, so every peer decides alike. What it gets wrong trains by the other optimizer, which costs
speed and breaks nothing. A tensor is hidden if it is 2-D and part of a numbered layer (`blocks.0.mix.weight`,
`transformer.h.3.mlp.c_fc.weight`); in a model without such layers, if it is neither the first 2-D tensor nor
the last, which are an embedding and a head.
"""

import math

Tensors = tuple[tuple[str, tuple[int, ...]], ...]
"""Names and shapes of the tensors in θ, as `Layout.tensors`."""

_FUSED = ("qkv", "queries_keys_values", "query_key_value", "c_attn", "in_proj")
"""Names of layers that hold the projections of queries, keys and values in one matrix."""
_MATRIX = 2


def size(tensors: Tensors) -> int:
    """Parameters of all tensors."""
    return sum(math.prod(shape) for _, shape in tensors)


def hidden(tensors: Tensors) -> list[bool]:
    """For every tensor, whether it is a matrix of a hidden layer."""
    flat = [index for index, (_, shape) in enumerate(tensors) if len(shape) == _MATRIX]
    numbered = {index for index in flat if _in_numbered_layer(tensors[index][0])}
    chosen = numbered or set(flat[1:-1])
    return [index in chosen for index in range(len(tensors))]


def parts(name: str, shape: tuple[int, ...]) -> tuple[int, int]:
    """How many matrices lie in one, and along which axis: 3 for queries, keys and values side by side."""
    if any(word in name.lower() for word in _FUSED):
        for axis in (0, 1):
            if shape[axis] == 3 * shape[1 - axis]:
                return 3, axis
    return 1, 0


def _in_numbered_layer(name: str) -> bool:
    # "blocks.0.mix.weight" is; "0.weight", a layer of a plain nn.Sequential, is not.
    return any(part.isdecimal() for part in name.split(".")[:-2])
