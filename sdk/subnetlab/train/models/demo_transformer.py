"""The transformer behind `TinyGPT("demo")`: what makes a quarter of a million parameters learn quickly.

Parts of the modded-nanogpt speedruns (Jordan et al. 2024): QK-norm, RMS norm without gain, squared ReLU,
projections into the residual stream that start at 0, rotary positions, smear of earlier embeddings. Hashed
byte pairs, added to the bytes, know what a byte follows before the first block. The head is the byte table.
No dropout, no biases, no key-value cache.
Shapes: B sequences, T tokens, D embedding, H heads, E embedding of a head, V vocabulary (256 bytes).
"""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from subnetlab.train.models.tiny_gpt import PAIRS

_BYTES: Final = 256
_ROTARY_BASE: Final = 1000.0
_EMBEDDING_STD: Final = 0.05


class DemoTransformer(nn.Module):
    """Bytes in, logits of the next byte out."""

    def __init__(self, *, n_embd: int, n_layer: int, n_head: int, seq_len: int) -> None:
        """Draw fresh weights from torch's global generator."""
        super().__init__()
        self.smear = nn.Parameter(torch.zeros(2, n_embd))
        self.bytes = nn.Embedding(_BYTES, n_embd)
        self.pairs = nn.Embedding(PAIRS, n_embd)
        self.blocks = nn.ModuleList(_Block(n_embd, n_head) for _ in range(n_layer))
        for name, parameter in self.named_parameters():
            if name.endswith(("mix.weight", "narrow.weight")):
                nn.init.zeros_(parameter)
            elif name.startswith(("bytes", "pairs")):
                nn.init.normal_(parameter, 0.0, _EMBEDDING_STD)
            elif name != "smear":
                nn.init.normal_(parameter, 0.0, parameter.shape[1] ** -0.5)
        half = n_embd // n_head // 2
        angle_TE = torch.outer(
            torch.arange(seq_len).float(), _ROTARY_BASE ** (-torch.arange(half).float() / half)
        ).repeat(1, 2)
        self.register_buffer("cosine_TE", angle_TE.cos(), persistent=False)
        self.register_buffer("sine_TE", angle_TE.sin(), persistent=False)

    def forward(self, tokens_BT: Tensor) -> Tensor:
        """Logits (B, T, V) of the byte that follows each."""
        before_BT = functional.pad(tokens_BT, (1, 0))[:, :-1]
        x_BTD = self.bytes(tokens_BT) + self.pairs((before_BT * 257 + tokens_BT * 31) % PAIRS)
        one_BTD = functional.pad(x_BTD, (0, 0, 1, 0))[:, :-1]
        two_BTD = functional.pad(x_BTD, (0, 0, 2, 0))[:, :-2]
        x_BTD = _rms(x_BTD + self.smear[0] * one_BTD + self.smear[1] * two_BTD)
        t = tokens_BT.shape[1]
        for block in self.blocks:
            x_BTD = block(x_BTD, self.get_buffer("cosine_TE")[:t], self.get_buffer("sine_TE")[:t])
        return _rms(x_BTD) @ self.bytes.weight.T


class _Block(nn.Module):
    """Attention, then a feed-forward layer four times as wide."""

    def __init__(self, n_embd: int, n_head: int) -> None:
        super().__init__()
        self.n_head = n_head
        self.qkv = nn.Linear(n_embd, 3 * n_embd, bias=False)
        self.mix = nn.Linear(n_embd, n_embd, bias=False)
        self.widen = nn.Linear(n_embd, 4 * n_embd, bias=False)
        self.narrow = nn.Linear(4 * n_embd, n_embd, bias=False)

    def forward(self, x_BTD: Tensor, cosine_TE: Tensor, sine_TE: Tensor) -> Tensor:
        b, t, d = x_BTD.shape
        qkv = self.qkv(_rms(x_BTD)).view(b, t, 3, self.n_head, d // self.n_head).permute(2, 0, 3, 1, 4)
        q_BHTE, k_BHTE = (_rms(each) for each in qkv[:2])
        q_BHTE = q_BHTE * cosine_TE + _quarter_turn(q_BHTE) * sine_TE
        k_BHTE = k_BHTE * cosine_TE + _quarter_turn(k_BHTE) * sine_TE
        a_BHTE = functional.scaled_dot_product_attention(q_BHTE, k_BHTE, qkv[2], is_causal=True)
        x_BTD = x_BTD + self.mix(a_BHTE.transpose(1, 2).reshape(b, t, d))
        return x_BTD + self.narrow(functional.relu(self.widen(_rms(x_BTD))).square())


def _rms(x: Tensor) -> Tensor:
    return functional.rms_norm(x, (x.shape[-1],))


def _quarter_turn(x: Tensor) -> Tensor:
    first, second = x.chunk(2, -1)
    return torch.cat((-second, first), -1)
