"""The words that options of strategies take, without torch, which what they choose loads."""

from typing import Literal

Clip = Literal["tensor", "payload", "none"]
"""To the median norm of what: of each tensor, or of whole payloads."""
Mean = Literal["contributors", "all"]
"""Over those that sent a parameter, or over all peers."""
Rule = Literal["mean", "trimmed_mean", "median", "krum", "multi_krum", "centered_clip"]
"""How updates become one; see `train.robust`."""
