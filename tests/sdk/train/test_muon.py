"""The own Muon is torch's Muon but for its bfloat16; which matrices it takes; a peer's manifest keeps it."""

import math

import pytest
import torch

from subnetlab.train import matrices, models, optimizer
from subnetlab.train.optimizer import AdamW, AdamWConfig, Muon, MuonConfig
from subnetlab.train.optimizer.muon import orthogonalised

TENSORS = (
    ("bytes.weight", (16, 8)), ("blocks.0.qkv.weight", (24, 8)), ("blocks.0.norm.weight", (8,)),
    ("blocks.0.widen.weight", (32, 8)), ("blocks.0.narrow.weight", (8, 32)), ("norm.weight", (8,)),
)  # fmt: skip


def test_hidden_matrices_are_those_of_numbered_layers() -> None:
    assert matrices.hidden(TENSORS) == [False, True, False, True, True, False]


def test_a_model_without_numbered_layers_has_its_first_and_last_matrix_left_out() -> None:
    tensors = (("0.weight", (8, 4)), ("0.bias", (8,)), ("2.weight", (8, 8)), ("4.weight", (2, 8)))
    assert matrices.hidden(tensors) == [False, False, True, False]


@pytest.mark.parametrize(
    ("name", "shape", "parts"),
    [
        ("h.0.attn.c_attn.weight", (8, 24), (3, 1)), ("blocks.0.qkv.weight", (24, 8), (3, 0)),
        ("blocks.0.widen.weight", (24, 8), (1, 0)), ("h.0.attn.qkv.weight", (20, 8), (1, 0)),
    ],
)  # fmt: skip
def test_queries_keys_and_values_are_taken_apart(
    name: str, shape: tuple[int, int], parts: tuple[int, int]
) -> None:
    assert matrices.parts(name, shape) == parts


def test_singular_values_come_close_to_one() -> None:
    given = torch.randn(3, 16, 40, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonalised(given, 5))
    assert float(values.min()) > 0.5
    assert float(values.max()) < 1.3


def test_an_untouched_matrix_stays_finite() -> None:
    assert torch.equal(orthogonalised(torch.zeros(1, 4, 4), 5), torch.zeros(1, 4, 4))


def test_steps_are_those_of_torch_up_to_its_half_precision() -> None:
    tensors = (("a.0.x.weight", (12, 8)), ("a.0.y.weight", (8, 12)), ("a.1.y.weight", (8, 12)))
    draw = torch.Generator().manual_seed(0)
    theta = torch.randn(3 * 96, generator=draw)
    before = theta.clone()
    theirs = [
        torch.nn.Parameter(part.clone().view(shape))
        for part, (_, shape) in zip(theta.split(96), tensors, strict=True)
    ]
    reference = torch.optim.Muon(theirs, lr=0.02, momentum=0.95, weight_decay=0.1)
    own = Muon(MuonConfig(lr=0.02, clip=1e9), tensors)
    for _ in range(10):
        gradient = torch.randn(3 * 96, generator=draw)
        for parameter, part in zip(theirs, gradient.split(96), strict=True):
            parameter.grad = part.clone().view(parameter.shape)
        reference.step()
        own.step(theta, gradient, 0.02)
    moved = torch.cat([parameter.detach().flatten() for parameter in theirs])
    assert float((theta - moved).norm() / (theta - before).norm()) < 0.02


def test_what_is_not_hidden_moves_by_adamw() -> None:
    config = MuonConfig(lr=0.02, adamw_lr=1e-2, clip=1e9)
    draw = torch.Generator().manual_seed(0)
    size = matrices.size(TENSORS)
    theta = torch.randn(size, generator=draw)
    rest = torch.cat([theta[:128], theta[-8:]])
    own, reference = Muon(config, TENSORS), AdamW(AdamWConfig(lr=1e-2, clip=1e9), 136)
    for _ in range(3):
        gradient = torch.randn(size, generator=draw)
        reference.step(rest, torch.cat([gradient[:128], gradient[-8:]]), 0.5e-2)
        own.step(theta, gradient, 0.5 * config.lr)
    torch.testing.assert_close(torch.cat([theta[:128], theta[-8:]]), rest)


def test_the_rate_rises_stays_and_falls_to_zero() -> None:
    rates = [MuonConfig(lr=1.0, warmup=0.1, decay=0.5).rate(step, 100) for step in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9:50] == [1.0] * 41
    assert rates[75] == pytest.approx(0.5)
    assert rates[100] == 0.0


def test_a_linear_schedule_falls_from_the_beginning() -> None:
    config = AdamWConfig(lr=1.0, warmup=0.0, schedule="linear", floor=0.2)
    assert [config.rate(step, 10) for step in (0, 5, 10)] == pytest.approx([1.0, 0.6, 0.2])


def test_configurations_survive_json_and_adamw_keeps_the_words_of_old_manifests() -> None:
    for config in (AdamWConfig(lr=1e-4), AdamWConfig(schedule="wsd", decay=0.2), MuonConfig(lr=0.01)):
        assert optimizer.from_json(config.to_json()) == config
    assert list(AdamWConfig().to_json()) == [
        "lr", "warmup", "floor", "beta1", "beta2", "eps", "weight_decay", "clip"
    ]  # fmt: skip


@pytest.mark.parametrize(
    "options",
    [
        {"lr": 0.0}, {"lr": -1.0}, {"lr": math.nan}, {"lr": math.inf}, {"warmup": 2.0}, {"floor": -0.1},
        {"decay": 0.0}, {"schedule": "cosines"},
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", [AdamWConfig, MuonConfig])
def test_impossible_options_are_refused(kind: type, options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"schedule|rate|shares"):
        kind(**options)


def test_a_model_of_numbered_layers_is_laid_out_without_a_gap() -> None:
    flat = [(name, tuple(p.shape)) for name, p in models.TinyGPT("binder").build().named_parameters()]
    muon = Muon(MuonConfig(), tuple(flat))
    hidden = sum(place.last - place.first for places in muon.groups.values() for place in places)
    assert hidden + sum(last - first for first, last in muon.rest) == matrices.size(tuple(flat))
    assert hidden == 2 * 12 * 64 * 64
