"""The transformer behind `TinyGPT` in all sizes but "demo": GPT-2 in shape and initialisation.

Shapes: B sequences, T tokens, D embedding, H heads, V vocabulary (256 bytes).
"""

import math

from torch import Tensor, nn
from torch.nn import functional

from subnetlab.train.models.tiny_gpt import TinyGPT


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


class GPTTransformer(nn.Module):
    """Bytes in, logits of the next byte out."""

    def __init__(self, config: TinyGPT) -> None:
        """Draw fresh weights from torch's global generator."""
        super().__init__()
        self.bytes = nn.Embedding(config.vocab_size, config.n_embd)
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
        """Logits (B, T, V) of the byte that follows each."""
        x_BTD = self.bytes(tokens_BT) + self.places.weight[: tokens_BT.shape[1]]
        for block in self.blocks:
            x_BTD = block(x_BTD)
        return self.norm(x_BTD) @ self.bytes.weight.T
