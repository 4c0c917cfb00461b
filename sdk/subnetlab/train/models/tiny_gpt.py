"""TinyGPT: a byte-level transformer in five sizes, small enough to train on a laptop's processor.

Pre-norm blocks, fused attention, weights of embedding and output tied, no biases. Follows GPT-2 (Radford et
al., 2019) in shape and in its scaled initialisation; the size "demo" is another architecture, which
`demo_transformer` describes. The configuration needs no torch; `gpt_transformer` holds the module.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from subnetlab.errors import ArgumentInvalid, ModelNotBuildable
from subnetlab.signatures import known_fields
from subnetlab.text import kind_of

if TYPE_CHECKING:
    from torch import nn

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
PAIRS: Final = 2048
"""Rows of the table of hashed byte pairs in the size "demo"."""


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

    def build(self) -> "nn.Module":
        """Make the module with fresh weights from torch's global generator."""
        if self.size == "demo":
            from subnetlab.train.models.demo_transformer import DemoTransformer  # noqa: PLC0415  (loads torch)

            return DemoTransformer(
                n_embd=self.n_embd, n_layer=self.n_layer, n_head=self.n_head, seq_len=self.seq_len
            )
        from subnetlab.train.models.gpt_transformer import GPTTransformer  # noqa: PLC0415

        return GPTTransformer(self)

    def to_json(self) -> dict[str, Any]:
        """The configuration in JSON types."""
        return {
            "kind": "TinyGPT", "size": self.size, "n_embd": self.n_embd, "n_layer": self.n_layer,
            "n_head": self.n_head, "seq_len": self.seq_len,
        }  # fmt: skip


def parameters_of(config: TinyGPT) -> int:
    """How many parameters a configuration has, without building it."""
    d = config.n_embd
    if config.size == "demo":
        return (2 + _BYTES + PAIRS) * d + config.n_layer * 12 * d * d
    return (_BYTES + config.seq_len) * d + config.n_layer * (12 * d * d + 2 * d) + d
