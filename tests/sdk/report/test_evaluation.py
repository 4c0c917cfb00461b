"""Epochs of a recorded run, evaluated again from its record: what the chain stored, bonds included."""

from pathlib import Path

import pytest
from tests.project import ROOT

import subnetlab as sl
from subnetlab.errors import ArgumentInvalid, RunNotFinished
from subnetlab.record.view import RunView
from subnetlab.report.consensus import evaluation
from subnetlab.yuma import vectors

RECORDED = ROOT / "tutorials" / "recorded.zip"


@pytest.fixture
def run(home: Path) -> sl.Run:
    assert home.is_dir()
    return sl.open(RECORDED)


def test_every_epoch_of_a_real_run_is_evaluated_as_the_chain_did(run: sl.Run) -> None:
    epochs = run.view.pay.epochs
    assert len(epochs) > 20
    for number in (1, 2, len(epochs) // 2, len(epochs)):
        found, stored = run.yuma(number), epochs[number - 1]
        assert vectors.u16_shares(found.epoch.incentive) == stored.incentive
        assert vectors.u16_shares(found.epoch.dividends) == stored.dividends
        assert vectors.u16_shares(found.epoch.consensus) == stored.consensus
        pairs = zip(found.epoch.emission, stored.emission_alpha_rao, strict=True)
        assert all(abs(one - other) <= len(stored.uids) for one, other in pairs)


def test_the_newest_epoch_is_meant_unless_one_is_named(run: sl.Run) -> None:
    epochs = len(run.view.pay.epochs)
    assert run.yuma().given == run.yuma(epochs).given
    assert f"epoch {epochs} of {epochs}" in str(run.yuma())
    for wrong in (0, epochs + 1):
        with pytest.raises(ArgumentInvalid):
            run.yuma(wrong)
    with pytest.raises(RunNotFinished, match="No epoch has paid anyone yet"):
        evaluation(RunView(), name="new")
