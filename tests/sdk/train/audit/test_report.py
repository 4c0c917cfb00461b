"""A work report and a miner's state as objects: read as an enemy would write them, and searched by halves."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from subnetlab.errors import PayloadRejected
from subnetlab.record.reasons import IN_WORDS
from subnetlab.train import models, tasks
from subnetlab.train.audit import report as reports
from subnetlab.train.audit import state
from subnetlab.train.audit.report import (
    ReportingCodec,
    WorkReport,
    comparisons,
    first_difference,
    where_different,
)  # fmt: skip
from subnetlab.train.audit.state import MinerState
from subnetlab.train.hashing import digest
from subnetlab.train.models import TinyGPT
from subnetlab.train.optimizer import AdamWConfig, MuonConfig, OptimizerConfig, SignumConfig
from subnetlab.train.payload import container
from subnetlab.train.strategies import SparseLoCo
from subnetlab.train.theta import FlatModel

MODEL = TinyGPT("demo", n_embd=16, n_layer=1, n_head=2, seq_len=8)


def flat(config: OptimizerConfig) -> FlatModel:
    return FlatModel(models.build(MODEL, 0), tasks.of_model(MODEL), config)


class Counted(bytes):
    """A digest that counts how often it is compared."""

    seen = 0

    def __ne__(self, other: object) -> bool:
        type(self).seen += 1
        return super().__ne__(other)

    __hash__ = bytes.__hash__


def report(steps: int, differs_at: int, *, word: str = "other") -> WorkReport:
    """A trace that leaves the honest one in a step."""
    chain, losses = [b""], np.linspace(3, 2, steps, dtype=np.float32)
    for step in range(steps):
        chain.append(digest("work-step", chain[-1], word if step == differs_at else step))
    return WorkReport(
        bytes(32), bytes(32), np.zeros(reports.PROBES, np.float32), losses, tuple(map(Counted, chain[1:]))
    )


@settings(deadline=None)
@given(steps=st.integers(1, 700), data=st.data())
def test_the_first_step_that_differs_is_found_in_a_binary_search(steps: int, data: st.DataObject) -> None:
    at = data.draw(st.integers(1, steps))  # of an honest first step: every later one may differ
    honest, cheat = report(steps, steps), report(steps, at)
    Counted.seen = 0
    assert first_difference(cheat, honest) == (at if at < steps else None)
    assert Counted.seen <= comparisons(steps)


def test_steps_of_another_processor_are_compared_by_their_losses() -> None:
    one, other = report(8, 0, word="a"), report(8, 0, word="b")
    assert first_difference(one, other) == 0, "no loss differs: the digests from the first step on do"
    other.losses_H[5] += 0.1
    assert first_difference(one, other) == 5
    assert where_different(one, other) == "from inner step 6 of 8 on"


def test_a_report_is_read_back_and_of_one_length() -> None:
    found = report(5, 9)
    data = found.to_bytes()
    again = WorkReport.from_bytes(data, 5)
    assert again.to_bytes() == data
    assert again.trace == found.trace
    for wrong in (b"", data[:-1], data + b"x"):
        with pytest.raises(PayloadRejected, match="another length"):
            WorkReport.from_bytes(wrong, 5)


@pytest.mark.parametrize("config", [AdamWConfig(), MuonConfig(), SignumConfig()])
def test_a_state_is_restored_to_the_bit(config: OptimizerConfig) -> None:
    model, drawn = flat(config), torch.Generator().manual_seed(0)
    gradients = [torch.randn(model.layout.size, generator=drawn) for _ in range(3)]
    for gradient_P in gradients[:2]:
        model.optimizer.step(model.theta_P, gradient_P.clone(), 1e-3)
    memory = {"error": torch.randn(model.layout.size, generator=drawn), "round": torch.tensor(7)}
    kept, theta_P = state.snapshot(model, memory), model.theta_P.clone()
    model.optimizer.step(model.theta_P, gradients[2].clone(), 1e-3)
    other, remembered = flat(config), {"own": torch.zeros(3)}
    state.restore(kept, other, remembered)
    assert state.snapshot(other, remembered).hash == kept.hash
    assert remembered.keys() == memory.keys()
    assert remembered["round"].item() == 7
    other.load(theta_P)
    other.optimizer.step(other.theta_P, gradients[2].clone(), 1e-3)
    assert torch.equal(other.theta_P, model.theta_P)
    assert state.distance(kept, kept, model) == 0.0


def hostile(model: FlatModel) -> dict[str, bytes]:
    size = model.layout.size
    count = sum(one.numel() for one in model.optimizer.moments())
    moments, error = np.zeros(count, np.float32), np.zeros(size, np.float32)

    def written(memory: str, **arrays: np.ndarray) -> bytes:  # pyright: ignore[reportMissingTypeArgument, reportUnknownParameterType]
        return container.write(arrays, {"form": state.FORM, "memory": memory})

    return {
        "empty": b"",
        "junk": bytes(100),
        "too few moments": written("", moments=moments[1:]),
        "an unknown memory": written("extra", moments=moments, extra=error),
        "a memory twice": written("error,error", moments=moments, error=error),
        "a memory that is short": written("error", moments=moments, error=error[1:]),
        "no number": written("error", moments=moments, error=np.full(size, np.nan, np.float32)),
        "infinite": written("error", moments=np.full(count, np.inf, np.float32), error=error),
    }


@pytest.mark.parametrize("name", hostile(flat(AdamWConfig())))
def test_a_hostile_state_is_refused_and_leaves_nothing(name: str) -> None:
    model, memory = flat(AdamWConfig()), {"error": torch.ones(3)}
    nothing = state.fresh(model).hash
    with pytest.raises(PayloadRejected):
        state.restore(MinerState(hostile(model)[name]), model, memory)
    assert state.snapshot(model, memory).hash == nothing


def test_a_small_part_of_a_state_is_not_hidden_by_a_large_one() -> None:
    model, memory = flat(AdamWConfig()), {"error": torch.full((flat(AdamWConfig()).layout.size,), 1e-3)}
    model.optimizer.moments()[0].fill_(1e3)
    one = state.snapshot(model, memory)
    memory["error"][0] = 1.0
    assert state.distance(one, state.snapshot(model, memory), model) > 0.9


@settings(deadline=None)
@given(junk=st.binary(max_size=1200), cut=st.integers(0, 40))
def test_whatever_comes_is_a_payload_with_its_report_or_refused(junk: bytes, cut: int) -> None:
    layout = flat(AdamWConfig()).layout
    codec = ReportingCodec(SparseLoCo().codec(layout), 3)
    delta_P = torch.linspace(-1, 1, layout.size)
    sound = codec.reported(codec.encode(delta_P, {}), report(3, 9))
    assert codec.report(sound).losses_H.tolist() == report(3, 9).losses_H.tolist()
    assert torch.equal(
        codec.decode(sound).values_N, codec.inner.decode(codec.inner.encode(delta_P, {})).values_N
    )
    assert len(sound) <= codec.limit
    for hostile_ in (
        junk,
        sound[: len(sound) - 1 - cut],
        sound[:cut] + junk + b"x" + sound[cut:],
        sound + junk + b"x",
    ):
        with pytest.raises(PayloadRejected) as caught:
            codec.decode(hostile_)
        assert caught.value.reason in IN_WORDS
