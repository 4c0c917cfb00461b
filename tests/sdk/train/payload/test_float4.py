"""Four-bit payloads: the nearest power of two below the largest, and a hostile sender is refused."""

import numpy as np
import pytest
import torch

from subnetlab.errors import PayloadRejected
from subnetlab.train.payload import container
from subnetlab.train.payload.float4 import FORM, Float4Codec
from subnetlab.train.theta import Layout

LAYOUT = Layout((("bytes.weight", (3, 5)), ("blocks.0.mix.weight", (4, 4)), ("blocks.1.mix.weight", (3, 3))))
CODEC = Float4Codec(LAYOUT, (0, 2))
MAGNITUDES = torch.tensor([0.0, *(2.0**power for power in range(-6, 1))])


def drawn(seed: int, scale: float = 1.0) -> torch.Tensor:
    return torch.randn(LAYOUT.size, generator=torch.Generator().manual_seed(seed)) * scale


def written(
    scales: tuple[float, ...] = (1.0, 1.0), codes: bytes = bytes(12), tensors: str = "0-2/2", form: str = FORM
) -> bytes:
    parts = {"scales": np.array(scales, "<f4"), "codes": np.frombuffer(codes, np.uint8)}
    return container.write(parts, {"form": form, "tensors": tensors})


@pytest.mark.parametrize("scale", [1e-8, 1.0, 90.0 / 4])
def test_every_value_is_the_nearest_power_of_two_below_its_tensors_largest(scale: float) -> None:
    delta_P = drawn(0, scale)
    update = CODEC.decode(CODEC.encode(delta_P, {}))
    given, found = LAYOUT.split(delta_P), LAYOUT.split(update.dense(LAYOUT.size))
    assert not found["blocks.0.mix.weight"].any(), "it is no part of this payload"
    for name in ("bytes.weight", "blocks.1.mix.weight"):
        share, largest = given[name].abs() / given[name].abs().max(), given[name].abs().max()
        nearest = (share[..., None] - MAGNITUDES).abs().argmin(-1)
        torch.testing.assert_close(found[name], given[name].sign() * MAGNITUDES[nearest] * largest)


def test_a_payload_has_one_size_and_keeps_to_the_limit() -> None:
    sizes = {len(CODEC.encode(drawn(seed), {})) for seed in range(5)}
    assert len(sizes) == 1
    assert sizes.pop() <= CODEC.limit


def test_nothing_is_sent_of_tensors_that_did_not_move() -> None:
    assert not CODEC.decode(CODEC.encode(torch.zeros(LAYOUT.size), {})).values_N.any()


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e9])
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_a_difference_that_exploded_is_refused_by_every_receiver(bad: float) -> None:
    delta_P = drawn(0)
    delta_P[3] = bad
    with pytest.raises(PayloadRejected) as caught:
        CODEC.decode(CODEC.encode(delta_P, {}))
    assert caught.value.reason in ("not_finite", "huge")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (written((-1.0, 1.0)), "malformed"),
        (written((float("nan"), 1.0)), "not_finite"),
        (written((float("inf"), 1.0)), "not_finite"),
        (written((101.0, 1.0)), "huge"),
        (written((1.0,)), "malformed"),
        (written(codes=bytes(11)), "malformed"),
        (written(codes=bytes(13)), "malformed"),
        (written(codes=b"\x08" + bytes(11)), "malformed"),
        (written(tensors="1-1/1"), "malformed"),
        (written(form="sign-1bit/1"), "malformed"),
        (b"", "malformed"),
    ],
    ids=["below 0", "nan", "inf", "huge", "a scale short", "a code short", "a code more", "minus zero",
         "another fragment", "another form", "empty"],
)  # fmt: skip
def test_what_no_sender_writes_is_refused(data: bytes, reason: str) -> None:
    CODEC.decode(written())
    with pytest.raises(PayloadRejected) as caught:
        CODEC.decode(data)
    assert caught.value.reason == reason


def test_a_payload_of_another_fragment_is_refused() -> None:
    other = Float4Codec(LAYOUT, (1,))
    with pytest.raises(PayloadRejected):
        CODEC.decode(other.encode(drawn(0), {}))
