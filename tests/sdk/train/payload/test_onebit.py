"""One-bit payloads: nothing is lost, tables keep their rows apart, and a hostile sender is refused."""

import json

import numpy as np
import pytest
import torch

from subnetlab.errors import PayloadRejected
from subnetlab.train.payload import container
from subnetlab.train.payload.onebit import FORM, OneBitCodec
from subnetlab.train.theta import Layout

LAYOUT = Layout((("pairs.weight", (5, 4)), ("blocks.0.mix.weight", (3, 3)), ("blocks.0.norm.weight", (4,))))
SCALES = 5 + 1 + 1
CODEC = OneBitCodec(LAYOUT, 0.95)


def drawn(seed: int) -> torch.Tensor:
    return torch.randn(LAYOUT.size, generator=torch.Generator().manual_seed(seed))


def written(scales: list[float], signs: bytes = bytes(5), form: str = FORM) -> bytes:
    return container.write(
        {"scales": np.array(scales, dtype="<f2"), "signs": np.frombuffer(signs, dtype=np.uint8)},
        {"form": form},
    )


def test_every_value_is_its_sign_times_the_mean_magnitude_of_its_row_or_matrix() -> None:
    delta = drawn(0)
    values = LAYOUT.split(CODEC.decode(CODEC.encode(delta, {})).values_N)
    given = LAYOUT.split(delta)
    for name in values:
        assert torch.equal(values[name] > 0, given[name] >= 0)
    rows = given["pairs.weight"].abs().mean(1, keepdim=True).half().float().expand(5, 4)
    assert torch.equal(values["pairs.weight"].abs(), rows)
    matrix = given["blocks.0.mix.weight"].abs().mean().half().float()
    assert torch.equal(values["blocks.0.mix.weight"].abs(), matrix.expand(3, 3))


def test_what_was_sent_plus_what_is_kept_is_what_there_was() -> None:
    memory: dict[str, torch.Tensor] = {}
    before = torch.zeros(LAYOUT.size)
    for round_ in range(4):
        delta = drawn(round_)
        sent = CODEC.decode(CODEC.encode(delta, memory)).values_N
        torch.testing.assert_close(sent + memory["error"], 0.95 * before + delta)
        before = memory["error"].clone()


def test_a_row_that_did_not_move_does_not_move() -> None:
    delta = drawn(0)
    delta[4:8] = 0
    assert CODEC.decode(CODEC.encode(delta, {})).values_N[4:8].abs().max() == 0


def test_a_payload_has_one_size_and_keeps_to_the_limit() -> None:
    sizes = {len(CODEC.encode(drawn(seed), {})) for seed in range(5)}
    assert len(sizes) == 1
    assert sizes.pop() <= CODEC.limit


def test_what_left_memory_is_what_the_receiver_reads_to_the_bit() -> None:
    memory: dict[str, torch.Tensor] = {}
    data = CODEC.encode(drawn(3), memory)
    assert torch.equal(drawn(3) - CODEC.decode(data).values_N, memory["error"])


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e9])
def test_a_difference_that_exploded_is_refused_by_every_receiver(bad: float) -> None:
    delta = drawn(0)
    delta[25] = bad
    with pytest.raises(PayloadRejected) as caught:
        CODEC.decode(CODEC.encode(delta, {}))
    assert caught.value.reason == "not_finite"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (written([1.0] * (SCALES - 1)), "malformed"),
        (written([1.0] * (SCALES + 1)), "malformed"),
        (written([1.0] * SCALES, bytes(4)), "malformed"),
        (written([1.0] * SCALES, bytes(6)), "malformed"),
        (written([1.0] * SCALES, bytes([0, 0, 0, 0, 1])), "malformed"),
        (written([1.0] * SCALES, form="dense-fp32/1"), "malformed"),
        (written([-1.0, *[1.0] * (SCALES - 1)]), "malformed"),
        (written([-0.0, *[1.0] * (SCALES - 1)]), "malformed"),
        (written([float("nan"), *[1.0] * (SCALES - 1)]), "not_finite"),
        (written([float("inf"), *[1.0] * (SCALES - 1)]), "not_finite"),
        (written([101.0, *[1.0] * (SCALES - 1)]), "huge"),
        (b"", "malformed"),
        (bytes(8), "malformed"),
    ],
)
def test_what_encode_would_not_write_is_rejected(data: bytes, reason: str) -> None:
    with pytest.raises(PayloadRejected) as caught:
        CODEC.decode(data)
    assert caught.value.reason == reason


def test_every_cut_and_every_longer_payload_is_rejected() -> None:
    data = CODEC.encode(drawn(0), {})
    for end in range(len(data)):
        with pytest.raises(PayloadRejected):
            CODEC.decode(data[:end])
    with pytest.raises(PayloadRejected):
        CODEC.decode(data + b"\0")


def test_a_container_is_a_safetensors_file() -> None:
    data = CODEC.encode(drawn(0), {})
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    assert header["scales"]["dtype"] == "F16"
