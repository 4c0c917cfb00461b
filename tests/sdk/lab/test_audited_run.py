"""Audits in a real fleet: validators and verifiers train rounds again and name the step that differs."""

from collections.abc import Iterator

import numpy as np
import pytest

import subnetlab as sl
from subnetlab.lab.run import Run
from subnetlab.record.events import Scored
from subnetlab.record.line import FILE_NAME
from subnetlab.record.reader import read

WORDS = "the subnet pays every miner whose payload removes loss on data that a beacon drew after its commit"
ROUNDS, SELDOM = 3, 1e-9


def trained(net: sl.Net, name: str, audits: float, *, validators: int, attacker: str = "backdoor") -> Run:
    """Three miners; one has a backdoor that no trial on data finds, unless a validator is the attacker."""
    drawn = np.random.default_rng(7)
    run = net.create_subnet(name, wallet="alice").train(
        model=sl.models.TinyGPT("demo", n_embd=16, n_layer=1, n_head=2, seq_len=16),
        data=sl.data.text(" ".join(drawn.choice(WORDS.split(), 30_000)), name="words"),
        strategy=sl.strategies.SparseLoCo(inner_steps=4),
        rounds=ROUNDS, batch_size=2, seed=7, deterministic=True, audits=audits,
        fleet=sl.LocalFleet(miners=3, validators=validators, attackers={attacker: 1}, baseline=False),
    )  # fmt: skip
    run.wait(timeout=300)
    return run


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sl.Net]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SUBNETLAB_HOME", str(tmp_path_factory.mktemp("home")))
        with sl.connect(sealing="manual") as connected:
            yield connected


def told(run: Run, name: str) -> list[list[str]]:
    """What the record says of every miner, the attacker last, round by round, by the lead alone."""
    events = [one.event for one in read(run.folder / FILE_NAME) if isinstance(one.event, Scored)]
    lead = run.view.uids("validator")[0]
    return [
        [getattr(one, name) for one in events if one.uid == uid and one.validator == lead]
        for uid in (*run.view.uids("miner"), *run.view.uids("backdoor"))
    ]


def test_a_fleet_audits_and_its_run_verifies(net: sl.Net) -> None:
    run = trained(net, "audited", 1.0, validators=2)
    assert told(run, "audit") == [["same"] * ROUNDS, ["same"] * ROUNDS, ["not_its_work", "", ""]]
    assert told(run, "verdict")[2] == ["not_its_work", "excluded", "excluded"]
    reason = told(run, "reason")[2][0]
    assert reason.endswith("its work differs from inner step 1 of 4 on."), reason
    report = run.verify(replay=1.0)
    assert report.verified, report


def test_verify_names_the_step_at_which_work_that_was_taken_differs(net: sl.Net) -> None:
    run = trained(net, "unaudited", SELDOM, validators=1)
    assert not any(word for words in told(run, "audit") for word in words)
    taken = told(run, "verdict")[2].index("accepted")
    (planter,) = run.view.uids("backdoor")
    report = run.verify(replay=1.0)
    (finding,) = report.wrong
    assert (finding.what, finding.round, finding.uid) == ("work", taken + 1, planter), report
    assert finding.said.endswith("its work differs from inner step 1 of 4 on."), finding.said


def test_a_validator_that_frames_a_miner_is_outvoted_and_named(net: sl.Net) -> None:
    run = trained(net, "framed", 0.0, validators=3, attacker="framer")
    (framer,) = run.view.uids("framer")
    honest = run.view.uids("miner")
    framed = {
        one.event.uid for one in read(run.folder / FILE_NAME)
        if isinstance(one.event, Scored) and one.event.validator == framer and one.event.audit
    }  # fmt: skip
    assert framed
    pay = [run.view.pay.total(uid) for uid in honest]
    assert min(pay) > 0.5 * max(pay) > 0, "Yuma's consensus cuts a lone vote off"
    report = run.verify(replay=0.0)
    assert report.wrong
    named = [finding for finding in report.wrong if finding.what == "score"]
    assert {finding.uid for finding in named} >= framed, report
    assert all(f"validator {framer}" in finding.said.lower() for finding in named), report
