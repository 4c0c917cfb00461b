"""Dense payloads: the values themselves, finite, and of this model."""

import pytest
import torch

from subnetlab.errors import PayloadRejected
from subnetlab.train.payload.dense import DenseCodec
from subnetlab.train.theta import Layout

LAYOUT = Layout((("a", (3, 4)), ("b", (5,))))


def test_values_survive_exactly() -> None:
    values = torch.randn(17, generator=torch.Generator().manual_seed(0))
    payload = DenseCodec(LAYOUT).encode(values, {})
    assert len(payload) <= DenseCodec(LAYOUT).limit
    update = DenseCodec(LAYOUT).decode(payload)
    assert update.positions_N is None
    assert torch.equal(update.values_N, values)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (torch.zeros(16), "malformed"),
        (torch.full((17,), float("nan")), "not_finite"),
        (torch.full((17,), 1e9), "huge"),
    ],
)
def test_what_is_not_of_this_model_is_rejected(values: torch.Tensor, reason: str) -> None:
    with pytest.raises(PayloadRejected) as caught:
        DenseCodec(LAYOUT).decode(DenseCodec(LAYOUT).encode(values, {}))
    assert caught.value.reason == reason
