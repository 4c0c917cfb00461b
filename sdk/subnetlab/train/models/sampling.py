"""What a language model writes: a prompt continued token by token, the same text for the same seed.

Shapes: T tokens, V vocabulary. Bytes only; bytes that are no UTF-8 show as the replacement sign.
"""

import torch
from torch import nn


@torch.no_grad()
def generate(
    model: nn.Module, prompt: str, *, context: int, length: int = 120, temperature: float = 0.8, seed: int = 0
) -> str:
    """Continue `prompt` by `length` bytes; temperature 0 always takes the likeliest.

    Raises:
        ValueError: the prompt is empty, or a number makes no sense.
    """
    if not prompt or length < 1 or temperature < 0 or context < 1:
        raise ValueError("give a prompt, a positive length and a temperature of at least 0")
    generator = torch.Generator().manual_seed(seed)
    tokens_T = torch.tensor(list(prompt.encode()), dtype=torch.long)
    for _ in range(length):
        logits_V = model(tokens_T[-context:].unsqueeze(0))[0, -1]
        if temperature == 0:
            following = logits_V.argmax().view(1)
        else:
            chances_V = torch.softmax(logits_V / temperature, dim=-1)
            following = torch.multinomial(chances_V, 1, generator=generator)
        tokens_T = torch.cat([tokens_T, following])
    written = bytes(tokens_T[len(prompt.encode()) :].tolist())
    return written.decode(errors="replace")
