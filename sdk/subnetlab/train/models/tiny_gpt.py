"""TinyGPT: a byte-level transformer in five sizes, small enough to train on a laptop's processor.

Pre-norm blocks, fused attention, weights of embedding and output tied, no biases. Follows GPT-2 (Radford et
al., 2019) in shape and in its scaled initialisation; the size "demo" is another architecture, which
`demo_transformer` describes. No key-value cache, no dropout.
Shapes: B sequences, T tokens, D embedding, H heads, V vocabulary (256 bytes).
"""

import math
from dataclasses import dataclass
from typing import Any, Final, Literal

from torch import Tensor, nn
from torch.nn import functional

from subnetlab.errors import ArgumentInvalid, ModelNotBuildable
from subnetlab.signatures import known_fields
from subnetlab.text import kind_of
from subnetlab.train.models.demo_transformer import DemoTransformer, parameters_of_demo

Size = Literal["demo", "binder", "small", "laptop", "gpu"]

_SIZES: Final[dict[str, tuple[int, int, int, int]]] = {
    "demo": (64, 2, 2, 64),
    "binder": (64, 2, 2, 64),
    "small": (128, 5, 4, 64),
    "laptop": (256, 6, 8, 128),
    "gpu": (768, 12, 12, 512),
}
"""`n_embd`, `n_layer`, `n_head`, `seq_len`. "small" is the model of the measured comparison."""

_BYTES: Final = 256


@known_fields("sl.models.TinyGPT")
@dataclass(frozen=True, slots=True, init=False)
class TinyGPT:
    """The configuration; `TinyGPT("small").build()` makes the module."""

    size: Size
    n_embd: int
    n_layer: int
    n_head: int
    seq_len: int

    def __init__(
        self,
        size: Size = "small",
        *,
        n_embd: int | None = None,
        n_layer: int | None = None,
        n_head: int | None = None,
        seq_len: int | None = None,
    ) -> None:
        """Take the numbers of a size; those given replace it.

        Args:
            size: one of "demo", "binder", "small", "laptop" and "gpu".
            n_embd: width of the embedding.
            n_layer: number of blocks.
            n_head: attention heads of a block; they divide `n_embd`, in the size "demo" into even parts.
            seq_len: most tokens of a sequence.

        Raises:
            ModelNotBuildable: no such size, or numbers that make no transformer.
            ArgumentInvalid: a number is none.
        """
        if not isinstance(size, str) or size not in _SIZES:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ModelNotBuildable(
                f"TinyGPT has no size {size!r}.", hint=f"Choose one of {', '.join(_SIZES)}."
            )
        given = {"n_embd": n_embd, "n_layer": n_layer, "n_head": n_head, "seq_len": seq_len}
        strange = [name for name, number in given.items() if number is not None and type(number) is not int]
        if strange:
            raise ArgumentInvalid(
                f"{strange[0]} is {kind_of(given[strange[0]])}.", hint="Give a positive whole number."
            )
        object.__setattr__(self, "size", size)
        for (name, number), preset in zip(given.items(), _SIZES[size], strict=True):
            object.__setattr__(self, name, preset if number is None else number)
        if min(self.n_embd, self.n_layer, self.n_head, self.seq_len) < 1 or self.n_embd % self.n_head:
            raise ModelNotBuildable(
                f"TinyGPT cannot be {self.n_embd} wide with {self.n_head} heads, {self.n_layer} layers "
                f"and {self.seq_len} tokens.",
                hint="Give positive numbers, and an n_embd that n_head divides.",
            )
        if size == "demo" and self.n_embd // self.n_head % 2:
            raise ModelNotBuildable(
                f"TinyGPT('demo') rotates pairs of numbers; a head of {self.n_embd // self.n_head} is odd.",
                hint="Give an n_embd that 2 * n_head divides.",
            )

    @property
    def vocab_size(self) -> int:
        """Distinct tokens: bytes."""
        return _BYTES

    def build(self) -> nn.Module:
        """Make the module with fresh weights from torch's global generator."""
        if self.size == "demo":
            return DemoTransformer(
                n_embd=self.n_embd, n_layer=self.n_layer, n_head=self.n_head, seq_len=self.seq_len
            )
        return _Transformer(self)

    def to_json(self) -> dict[str, Any]:
        """The configuration in JSON types."""
        return {
            "kind": "TinyGPT", "size": self.size, "n_embd": self.n_embd, "n_layer": self.n_layer,
            "n_head": self.n_head, "seq_len": self.seq_len,
        }  # fmt: skip


class _Block(nn.Module):
    """One transformer block: attention, then a feed-forward layer four times as wide."""

    def __init__(self, config: TinyGPT) -> None:
        super().__init__()
        width = config.n_embd
        self.n_head = config.n_head
        self.norm_attention = nn.LayerNorm(width, bias=False)
        self.queries_keys_values = nn.Linear(width, 3 * width, bias=False)
        self.mix = nn.Linear(width, width, bias=False)
        self.norm_feed = nn.LayerNorm(width, bias=False)
        self.widen = nn.Linear(width, 4 * width, bias=False)
        self.narrow = nn.Linear(4 * width, width, bias=False)

    def forward(self, x_BTD: Tensor) -> Tensor:
        b, t, d = x_BTD.shape
        qkv = self.queries_keys_values(self.norm_attention(x_BTD))
        q_BHTE, k_BHTE, v_BHTE = qkv.view(b, t, 3, self.n_head, d // self.n_head).permute(2, 0, 3, 1, 4)
        a_BHTE = functional.scaled_dot_product_attention(q_BHTE, k_BHTE, v_BHTE, is_causal=True)
        x_BTD = x_BTD + self.mix(a_BHTE.transpose(1, 2).reshape(b, t, d))
        return x_BTD + self.narrow(functional.gelu(self.widen(self.norm_feed(x_BTD))))


class _Transformer(nn.Module):
    """Bytes in, logits of the next byte out."""

    def __init__(self, config: TinyGPT) -> None:
        super().__init__()
        self.bytes = nn.Embedding(_BYTES, config.n_embd)
        self.places = nn.Embedding(config.seq_len, config.n_embd)
        self.blocks = nn.ModuleList(_Block(config) for _ in range(config.n_layer))
        self.norm = nn.LayerNorm(config.n_embd, bias=False)
        # The residual stream adds up 2 * n_layer outputs; GPT-2 shrinks each by the root of their number.
        shrink = 1 / math.sqrt(2 * config.n_layer)
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
    d = config.n_embd
    if config.size == "demo":
        return parameters_of_demo(d, config.n_layer)
    return (_BYTES + config.seq_len) * d + config.n_layer * (12 * d * d + 2 * d) + d
