"""TinyGPT: a byte-level transformer in four sizes, small enough to train on a laptop's processor.

Pre-norm blocks, fused attention, weights of embedding and output tied, no biases. Follows GPT-2 (Radford et
al., 2019) in shape and in its scaled initialisation. No key-value cache, no dropout.
Shapes: B sequences, T tokens, D width, H heads, V vocabulary (256 bytes).
"""

import math
from dataclasses import dataclass
from typing import Any, Final, Literal

from torch import Tensor, nn
from torch.nn import functional

from subnetlab.errors import ModelNotBuildable

Size = Literal["binder", "small", "laptop", "gpu"]

_SIZES: Final[dict[str, tuple[int, int, int, int]]] = {
    "binder": (64, 2, 2, 64),
    "small": (128, 5, 4, 64),
    "laptop": (256, 6, 8, 128),
    "gpu": (768, 12, 12, 512),
}
"""Width, layers, heads, context. "small" is the 1,025,408-parameter model of the measured comparison."""

_BYTES: Final = 256


@dataclass(frozen=True, slots=True)
class TinyGPT:
    """The configuration; `TinyGPT("small").build()` makes the module. Zero means: as the size says."""

    size: Size = "small"
    width: int = 0
    layers: int = 0
    heads: int = 0
    context: int = 0

    def __post_init__(self) -> None:
        if self.size not in _SIZES:
            raise ModelNotBuildable(
                f"TinyGPT has no size {self.size!r}.", hint=f"Choose one of {', '.join(_SIZES)}."
            )
        for name, default in zip(("width", "layers", "heads", "context"), _SIZES[self.size], strict=True):
            if getattr(self, name) == 0:
                object.__setattr__(self, name, default)
        if min(self.width, self.layers, self.heads, self.context) < 1 or self.width % self.heads:
            raise ModelNotBuildable(
                f"TinyGPT cannot be {self.width} wide with {self.heads} heads, {self.layers} layers "
                f"and {self.context} tokens.",
                hint="Give positive numbers, and a width that the heads divide.",
            )

    @property
    def vocabulary(self) -> int:
        """Distinct tokens: bytes."""
        return _BYTES

    def build(self) -> nn.Module:
        """Make the module with fresh weights from torch's global generator."""
        return _Transformer(self)

    def to_json(self) -> dict[str, Any]:
        """The configuration in JSON types."""
        return {
            "kind": "TinyGPT", "size": self.size, "width": self.width, "layers": self.layers,
            "heads": self.heads, "context": self.context,
        }  # fmt: skip


class _Block(nn.Module):
    """One transformer block: attention, then a feed-forward layer four times as wide."""

    def __init__(self, config: TinyGPT) -> None:
        super().__init__()
        width = config.width
        self.heads = config.heads
        self.norm_attention = nn.LayerNorm(width, bias=False)
        self.queries_keys_values = nn.Linear(width, 3 * width, bias=False)
        self.mix = nn.Linear(width, width, bias=False)
        self.norm_feed = nn.LayerNorm(width, bias=False)
        self.widen = nn.Linear(width, 4 * width, bias=False)
        self.narrow = nn.Linear(4 * width, width, bias=False)

    def forward(self, x_BTD: Tensor) -> Tensor:
        b, t, d = x_BTD.shape
        qkv = self.queries_keys_values(self.norm_attention(x_BTD))
        q_BHTE, k_BHTE, v_BHTE = qkv.view(b, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        a_BHTE = functional.scaled_dot_product_attention(q_BHTE, k_BHTE, v_BHTE, is_causal=True)
        x_BTD = x_BTD + self.mix(a_BHTE.transpose(1, 2).reshape(b, t, d))
        return x_BTD + self.narrow(functional.gelu(self.widen(self.norm_feed(x_BTD))))


class _Transformer(nn.Module):
    """Bytes in, logits of the next byte out."""

    def __init__(self, config: TinyGPT) -> None:
        super().__init__()
        self.bytes = nn.Embedding(_BYTES, config.width)
        self.places = nn.Embedding(config.context, config.width)
        self.blocks = nn.ModuleList(_Block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width, bias=False)
        # The residual stream adds up 2 * layers outputs; GPT-2 shrinks each by the root of their number.
        shrink = 1 / math.sqrt(2 * config.layers)
        for name, parameter in self.named_parameters():
            if parameter.dim() > 1:
                into_residual = name.endswith(("mix.weight", "narrow.weight"))
                nn.init.normal_(parameter, 0.0, 0.02 * (shrink if into_residual else 1.0))

    def forward(self, tokens_BT: Tensor) -> Tensor:
        x_BTD = self.bytes(tokens_BT) + self.places.weight[: tokens_BT.shape[1]]
        for block in self.blocks:
            x_BTD = block(x_BTD)
        return self.norm(x_BTD) @ self.bytes.weight.T


def parameters_of(config: TinyGPT) -> int:
    """How many parameters a configuration has, without building it."""
    d = config.width
    return (_BYTES + config.context) * d + config.layers * (12 * d * d + 2 * d) + d
