"""Next-token prediction: an item is a window of a token file, its loss the mean cross-entropy of its tokens.

The one module that knows sequences, vocabularies and prompts. A model is `forward(tokens_BT) -> logits_BTV`;
an object with `.logits` is taken as well, and a model that answers the last token alone unless it is given
the targets is given them. Items overlap: item `i` begins at token `i`, so an item number is an offset.
Tokens are bytes, or have words, or are shown as their numbers.
Shapes: B sequences, T tokens, V vocabulary.
"""

import inspect
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean

import torch
from numpy import int64
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from subnetlab.errors import DataInvalid, DatasetEmpty, ModelNotBuildable
from subnetlab.train.data.corpus import Corpus, sequences
from subnetlab.train.tasks.base import Batch, Items, Part, Sample
from subnetlab.train.tasks.metrics import Metric, measured
from subnetlab.train.tasks.rows import SELDOM, output_of

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
    words: tuple[str, ...] = field(default=(), metadata=SELDOM)
    """The text of each token, where tokens are not bytes."""
    metrics: tuple[Metric, ...] = field(default=(), metadata=SELDOM)
    even: bool = field(default=False, metadata=SELDOM)
    """Whether shards are of one size; else the last is cut short, and its last item drawn for the rest."""

    def __post_init__(self) -> None:
        if min(self.seq_len, self.vocab_size) < 1:
            raise ValueError("next-token prediction needs seq_len >= 1 and vocab_size >= 1")
        if len(self.words) > self.vocab_size:
            raise ValueError(f"{len(self.words)} words are more than a vocabulary of {self.vocab_size}")

    @property
    def unit(self) -> str:
        """Nats per token; a token of 256 is a byte."""
        return "nats per byte" if self.vocab_size == _BYTES else "nats per token"

    def items(self, data: Corpus, part: Part) -> Items:
        """One item for every offset at which a sequence and its last target fit.

        Raises:
            DatasetEmpty: the part is shorter than one sequence.
            DataInvalid: the data is a table.
        """
        if data.manifest.columns:
            raise DataInvalid(
                "The data is a table, and next-token prediction takes text or tokens.",
                hint='Give text, or task="classification" or "regression".',
            )
        tokens = data.part(part)
        if len(tokens) < self.seq_len + 2:
            raise DatasetEmpty(
                f"The {'training' if part == 'train' else part} data has {len(tokens)} tokens; "
                f"one sequence needs {self.seq_len + 2}.",
                hint="Give more data, or a model with a shorter seq_len.",
            )
        size, count = data.manifest.shard_tokens, len(tokens) - self.seq_len
        if self.even:
            return Items.separate(count, most=size)
        if 2 * count < size:  # draws beyond the end mean the last item, which would be most of them
            return Items(count=count, shards=1, shard_items=count)
        return Items(count=count, shards=-(-len(tokens) // size), shard_items=size)

    def batch(self, data: Corpus, part: Part, numbers_B: NDArray[int64]) -> Batch:
        """Inputs x_BT and the tokens that follow them, y_BT."""
        return sequences(data.part(part), numbers_B, self.seq_len)

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Mean cross-entropy of the next token."""
        _, y_BT = batch
        return functional.cross_entropy(self._logits(model, batch).flatten(0, 1), y_BT.flatten())

    def losses(self, model: nn.Module, batch: Batch) -> Tensor:
        """Mean cross-entropy of every sequence."""
        _, y_BT = batch
        logits_BTV = self._logits(model, batch)
        nats = functional.cross_entropy(logits_BTV.flatten(0, 1), y_BT.flatten(), reduction="none")
        return nats.view(y_BT.shape).mean(1)

    def measure(self, model: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        """One's own metrics of logits and next tokens, each the mean over batches."""
        if not self.metrics:
            return {}
        found = [measured(self.metrics, *self.pair(model, batch)) for batch in batches]
        names = {name for one in found for name in one}
        return {name: fmean(one[name] for one in found if name in one) for name in sorted(names)}

    def pair(self, model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """Logits (B, T, V) and next tokens (B, T)."""
        return self._logits(model, batch), batch[1]

    def sample(self, model: nn.Module) -> Sample | None:
        """The prompt continued; None without a prompt."""
        if not self.prompt:
            return None
        if self._bytes:
            text = generate(
                model, self.prompt, seq_len=self.seq_len, length=SAMPLE_BYTES, temperature=_TEMPERATURE
            )
            return Sample(prompt=self.prompt, text=_up_to_blanks(text))
        tokens_T = continued(
            model, self.tokens(self.prompt), seq_len=self.seq_len, length=SAMPLE_BYTES,
            temperature=_TEMPERATURE,
        )  # fmt: skip
        return Sample(prompt=self.prompt, text=self.text(tokens_T))

    @property
    def _bytes(self) -> bool:
        return self.vocab_size == _BYTES and not self.words

    def tokens(self, prompt: str) -> list[int]:
        """A prompt as tokens: its bytes, its characters in a vocabulary of them, or numbers between spaces.

        Raises:
            ValueError: it holds something else.
        """
        if self._bytes:
            return list(prompt.encode())
        if self.words:
            places = {word: place for place, word in enumerate(self.words)}
            missing = sorted(set(prompt) - set(places))
            if missing:
                raise ValueError(f"the prompt holds {missing[0]!r}, which the data does not")
            return [places[character] for character in prompt]
        found = [int(number) for number in prompt.split()]
        if any(not 0 <= token < self.vocab_size for token in found):
            raise ValueError(f"the prompt's tokens have to be below {self.vocab_size}")
        return found

    def text(self, tokens_T: Sequence[int]) -> str:
        """Tokens as people read them."""
        if self._bytes:
            return bytes(tokens_T).decode(errors="replace")
        if self.words:
            known = len(self.words)
            return "".join(self.words[token] if token < known else "\ufffd" for token in tokens_T)
        return " ".join(map(str, tokens_T))

    def _logits(self, model: nn.Module, batch: Batch) -> Tensor:
        x_BT, y_BT = batch
        answered = model(x_BT)
        logits_BTV = output_of(answered)
        shape, wanted = tuple(logits_BTV.shape), (*x_BT.shape, self.vocab_size)
        if shape != wanted and shape == (len(x_BT), 1, self.vocab_size) and _takes_targets(model):
            logits_BTV = output_of(model(x_BT, y_BT))
            shape = tuple(logits_BTV.shape)
        if shape != wanted:
            raise ModelNotBuildable(
                f"The model answered a batch with shape {shape}, not {wanted}.",
                hint="forward takes tokens (B, T) and returns logits (B, T, V).",
            )
        return logits_BTV


def _takes_targets(model: nn.Module) -> bool:
    return "targets" in inspect.signature(model.forward).parameters


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
    tokens_T = continued(
        model, list(prompt.encode()), seq_len=seq_len, length=length, temperature=temperature, seed=seed
    )
    return bytes(tokens_T).decode(errors="replace")


@torch.no_grad()
def continued(
    model: nn.Module,
    prompt_T: Sequence[int],
    *,
    seq_len: int,
    length: int,
    temperature: float = 0.8,
    seed: int = 0,
) -> list[int]:
    """The tokens that follow a prompt, drawn one by one; temperature 0 always takes the likeliest."""
    generator = torch.Generator().manual_seed(seed)
    tokens_T = torch.tensor(prompt_T, dtype=torch.long)
    device = next((parameter.device for parameter in model.parameters()), tokens_T.device)
    for _ in range(length):
        logits_V = output_of(model(tokens_T[-seq_len:].unsqueeze(0).to(device)))[0, -1].cpu()
        if temperature == 0:
            following = logits_V.argmax().view(1)
        else:
            chances_V = torch.softmax(logits_V / temperature, dim=-1)
            following = torch.multinomial(chances_V, 1, generator=generator)
        tokens_T = torch.cat([tokens_T, following])
    return tokens_T[len(prompt_T) :].tolist()
