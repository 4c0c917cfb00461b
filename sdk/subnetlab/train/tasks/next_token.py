"""Next-token prediction: an item is a window of a token file, its loss the mean cross-entropy of its tokens.

The one module that knows sequences, vocabularies and prompts. A model is `forward(tokens_BT) -> logits_BTV`.
Items overlap: item `i` begins at token `i`, so an item number is an offset.
Shapes: B sequences, T tokens, V vocabulary.
"""

import re
from dataclasses import dataclass
from typing import Any, cast

import torch
from numpy import int64
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from subnetlab.errors import DatasetEmpty, ModelNotBuildable
from subnetlab.train.data.corpus import Corpus, sequences
from subnetlab.train.tasks.base import Batch, Items, Part, Sample

SAMPLE_BYTES = 120
_TEMPERATURE = 0.6
"""Of samples that people read: a model after a minute of training is likeliest right where it is sure."""
_BLANK = re.compile(r"(?: {25}|\n\s*\n\s*\n)\s*")
"""Where a sample ends: blanks no program is indented by, or two empty lines."""
_BYTES = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class NextToken:
    """Sequences of `seq_len` tokens below `vocab_size`; `prompt` is what a sample continues, if anything."""

    seq_len: int
    vocab_size: int = _BYTES
    prompt: str = ""

    def __post_init__(self) -> None:
        if min(self.seq_len, self.vocab_size) < 1:
            raise ValueError("next-token prediction needs seq_len >= 1 and vocab_size >= 1")

    @property
    def unit(self) -> str:
        """Nats per token; a token of 256 is a byte."""
        return "nats per byte" if self.vocab_size == _BYTES else "nats per token"

    def items(self, data: Corpus, part: Part) -> Items:
        """One item for every offset at which a sequence and its last target fit.

        Raises:
            DatasetEmpty: the part is shorter than one sequence.
        """
        tokens = data.part(part)
        if len(tokens) < self.seq_len + 2:
            raise DatasetEmpty(
                f"The {'training' if part == 'train' else part} data has {len(tokens)} tokens; "
                f"one sequence needs {self.seq_len + 2}.",
                hint="Give more data, or a model with a shorter seq_len.",
            )
        size = data.manifest.shard_tokens
        return Items(count=len(tokens) - self.seq_len, shards=-(-len(tokens) // size), shard_items=size)

    def batch(self, data: Corpus, part: Part, numbers_B: NDArray[int64]) -> Batch:
        """Inputs x_BT and the tokens that follow them, y_BT."""
        return sequences(data.part(part), numbers_B, self.seq_len)

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Mean cross-entropy of the next token."""
        x_BT, y_BT = batch
        return functional.cross_entropy(self._logits(model, x_BT).flatten(0, 1), y_BT.flatten())

    def losses(self, model: nn.Module, batch: Batch) -> Tensor:
        """Mean cross-entropy of every sequence."""
        x_BT, y_BT = batch
        logits_BTV = self._logits(model, x_BT)
        nats = functional.cross_entropy(logits_BTV.flatten(0, 1), y_BT.flatten(), reduction="none")
        return nats.view(y_BT.shape).mean(1)

    def sample(self, model: nn.Module) -> Sample | None:
        """The prompt continued; None without a prompt."""
        if not self.prompt:
            return None
        text = generate(
            model, self.prompt, seq_len=self.seq_len, length=SAMPLE_BYTES, temperature=_TEMPERATURE
        )
        return Sample(prompt=self.prompt, text=_up_to_blanks(text))

    def _logits(self, model: nn.Module, x_BT: Tensor) -> Tensor:
        logits_BTV = logits_of(model(x_BT))
        shape, wanted = tuple(getattr(logits_BTV, "shape", ())), (*x_BT.shape, self.vocab_size)
        if shape != wanted:
            raise ModelNotBuildable(
                f"The model answered a batch with shape {shape}, not {wanted}.",
                hint="forward takes tokens (B, T) and returns logits (B, T, V).",
            )
        return logits_BTV


def logits_of(answer: Any) -> Tensor:
    """The logits in what a model returns: a tensor, or an object or dict that has them; at least fp32."""
    logits = getattr(answer, "logits", answer)
    if isinstance(answer, dict):
        logits = cast("dict[str, Any]", answer).get("logits")
    if isinstance(logits, Tensor) and logits.dtype in (torch.float16, torch.bfloat16):
        return logits.float()
    return cast("Tensor", logits)


def _up_to_blanks(text: str) -> str:
    """A sample without the blanks that a young model fills the rest of its length with."""
    end = next((found.start() for found in _BLANK.finditer(text) if text[: found.start()].strip()), None)
    return text[:end].rstrip() or text


def of_model(spec: object, prompt: str = "") -> NextToken:
    """The task of a language model, from what its specification says about its input.

    Raises:
        ModelNotBuildable: it does not say how long a sequence is.
    """
    seq_len, vocab_size = getattr(spec, "seq_len", None), getattr(spec, "vocab_size", _BYTES)
    if not isinstance(seq_len, int) or not isinstance(vocab_size, int) or min(seq_len, vocab_size) < 1:
        raise ModelNotBuildable(
            "The model does not say how many tokens a sequence has.",
            hint="Give seq_len=… beside the factory, or a task of its own.",
        )
    return NextToken(seq_len=seq_len, vocab_size=vocab_size, prompt=prompt)


@torch.no_grad()
def generate(
    model: nn.Module, prompt: str, *, seq_len: int, length: int = 120, temperature: float = 0.8, seed: int = 0
) -> str:
    """Continue `prompt` by `length` bytes; temperature 0 always takes the likeliest.

    Bytes only; bytes that are no UTF-8 show as the replacement sign.

    Raises:
        ValueError: the prompt is empty, or a number makes no sense.
    """
    if not prompt or length < 1 or temperature < 0 or seq_len < 1:
        raise ValueError("give a prompt, a positive length and a temperature of at least 0")
    generator = torch.Generator().manual_seed(seed)
    tokens_T = torch.tensor(list(prompt.encode()), dtype=torch.long)
    for _ in range(length):
        logits_V = logits_of(model(tokens_T[-seq_len:].unsqueeze(0)))[0, -1]
        if temperature == 0:
            following = logits_V.argmax().view(1)
        else:
            chances_V = torch.softmax(logits_V / temperature, dim=-1)
            following = torch.multinomial(chances_V, 1, generator=generator)
        tokens_T = torch.cat([tokens_T, following])
    written = bytes(tokens_T[len(prompt.encode()) :].tolist())
    return written.decode(errors="replace")
