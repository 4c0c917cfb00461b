"""JobEscrow on the machine itself: who may do what, that it always holds what it owes, and what it costs."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.compile_contracts import compiled, written
from tests.evm_machine import Contract, Machine, Reverted

from subnetlab.network.evm.artefact import CONTRACTS, artefact

RAO = 10**9
TAO = 10**18
SPEC, EVIDENCE = b"\1" * 32, b"\2" * 32
GAS = Path(__file__).parents[3] / "golden" / "job_escrow_gas.json"


class Desk:
    """An escrow and the people around it; `opened` is a job of 4 rounds over 2 TAO."""

    def __init__(self) -> None:
        self.machine = Machine()
        names = ("payer", "payee", "arbiter", "stranger")
        self.payer, self.payee, self.arbiter, self.stranger = map(self.machine.account, names)
        self.escrow = self.machine.deploy(asdict(artefact("JobEscrow")), sender=self.stranger)

    def open(self, value: int = 2 * TAO, rounds: int = 4, seconds: int = 100, **changed: Any) -> int:
        parties = {"payer": self.payer, "payee": self.payee, "arbiter": self.arbiter} | changed
        deadline = self.machine.now_s + seconds
        done = self.escrow.call(
            "open", parties["payee"], parties["arbiter"], rounds, deadline, SPEC,
            sender=parties["payer"], value=value,
        )  # fmt: skip
        return int(done.values[0])


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.parametrize("source", sorted(CONTRACTS.glob("*.vy")), ids=lambda path: path.stem)
def test_what_ships_is_what_the_compiler_makes_of_the_source(source: Path) -> None:
    assert source.with_suffix(".json").read_text() == written(compiled(source))


def test_rounds_are_paid_as_they_are_approved_and_the_rest_goes_back(desk: Desk) -> None:
    job, escrow = desk.open(), desk.escrow
    escrow.call("approve", job, 1, EVIDENCE, sender=desk.arbiter)
    escrow.call("approve", job, 3, EVIDENCE, sender=desk.arbiter)
    before = desk.machine.balance(desk.payee)
    assert escrow.call("withdraw", desk.payee, sender=desk.payee).values == (3 * TAO // 2,)
    assert desk.machine.balance(desk.payee) == before + 3 * TAO // 2
    escrow.call("close", job, sender=desk.arbiter)
    assert escrow.read("owed", desk.payer) == TAO // 2
    escrow.call("withdraw", desk.stranger, sender=desk.payer)
    assert (desk.machine.balance(escrow.address), escrow.read("locked")) == (0, 0)
    assert escrow.read("jobs", job)[-1] is True


def test_the_last_approval_closes_the_job(desk: Desk) -> None:
    job = desk.open()
    desk.escrow.call("approve", job, 4, EVIDENCE, sender=desk.payer)
    with pytest.raises(Reverted, match="closed"):
        desk.escrow.call("close", job, sender=desk.payee)
    assert desk.escrow.read("owed", desk.payer) == 0


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"payee": bytes(20)}, "no payee"),
        ({"arbiter": bytes(20)}, "no arbiter"),
        ({"rounds": 0}, "rounds"),
        ({"rounds": 1_000_001}, "rounds"),
        ({"seconds": 0}, "deadline is over"),
        ({"value": 0}, "not a whole number of rao a round"),
        ({"value": 4 * RAO + 1}, "not a whole number of rao a round"),
        ({"value": 6 * RAO}, "not a whole number of rao a round"),
    ],
)
def test_a_job_that_could_not_be_paid_exactly_is_not_opened(
    desk: Desk, changed: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Reverted, match=reason):
        desk.open(**changed)
    assert (desk.escrow.read("count"), desk.machine.balance(desk.escrow.address)) == (0, 0)


def test_the_payer_cannot_arbitrate_their_own_job(desk: Desk) -> None:
    with pytest.raises(Reverted, match="the payer is no arbiter"):
        desk.open(arbiter=desk.payer)


def test_only_those_who_may_do_and_only_in_time(desk: Desk) -> None:
    job, escrow = desk.open(seconds=100), desk.escrow
    for who in (desk.payee, desk.stranger):
        with pytest.raises(Reverted, match="not the arbiter"):
            escrow.call("approve", job, 1, EVIDENCE, sender=who)
    for who in (desk.payer, desk.stranger):
        with pytest.raises(Reverted, match="too early"):
            escrow.call("close", job, sender=who)
    escrow.call("approve", job, 2, EVIDENCE, sender=desk.arbiter)
    for upto in (0, 1, 2, 5):
        with pytest.raises(Reverted, match="upto"):
            escrow.call("approve", job, upto, EVIDENCE, sender=desk.arbiter)
    for missing in (0, job + 1):
        with pytest.raises(Reverted, match="no such job"):
            escrow.call("approve", missing, 1, EVIDENCE, sender=desk.arbiter)
        with pytest.raises(Reverted, match="no such job"):
            escrow.call("close", missing, sender=desk.payee)
    desk.machine.wait(100)
    with pytest.raises(Reverted, match="too early"):
        escrow.call("close", job, sender=desk.stranger)
    desk.machine.wait(1)
    escrow.call("close", job, sender=desk.stranger)
    assert escrow.read("owed", desk.payer) == TAO
    with pytest.raises(Reverted, match="nothing owed"):
        escrow.call("withdraw", desk.stranger, sender=desk.stranger)
    with pytest.raises(Reverted, match="no receiver"):
        escrow.call("withdraw", bytes(20), sender=desk.payee)


def test_money_that_was_not_for_a_job_is_not_taken(desk: Desk) -> None:
    with pytest.raises(Reverted):
        desk.machine.send(desk.payer, desk.escrow.address, value=TAO)


@pytest.fixture(scope="module")
def thief_artefact() -> dict[str, Any]:
    return compiled(Path(__file__).with_name("Thief.vy"))


@pytest.mark.parametrize("door", range(5), ids=["withdraw", "close", "approve", "open", "owed"])
def test_a_payee_that_enters_again_while_being_paid_finds_every_door_shut(
    desk: Desk, thief_artefact: dict[str, Any], door: int
) -> None:
    victim = desk.open()
    escrow, machine = desk.escrow, desk.machine
    # The thief is the payee and the arbiter of its own job: every door would let it in if it were open.
    thief = machine.deploy(thief_artefact, escrow.address, door, victim + 1, sender=desk.stranger, value=RAO)
    machine.state.set_balance(thief.address, TAO)
    job = desk.open(payee=thief.address, arbiter=thief.address)
    escrow.call("approve", job, 1, EVIDENCE, sender=desk.payer)
    held = machine.balance(thief.address)
    thief.call("steal", sender=desk.stranger)
    assert (thief.read("tried"), thief.read("inside")) == (1, 0)
    assert machine.balance(thief.address) - held == TAO // 2
    assert machine.balance(escrow.address) == escrow.read("locked") == 2 * TAO + 3 * TAO // 2


def test_gas_is_as_it_was_measured(desk: Desk) -> None:
    """A change of the contract that costs more is seen: `golden/job_escrow_gas.json` is what it cost."""
    escrow, machine = desk.escrow, desk.machine
    used = {"deploy": escrow.deploy_gas}
    deadline = machine.now_s + 100
    opened = escrow.call(
        "open", desk.payee, desk.arbiter, 4, deadline, SPEC, sender=desk.payer, value=4 * RAO
    )
    used["open"] = opened.gas
    for name, upto in (("first approval", 1), ("later approval", 2)):
        used[name] = escrow.call("approve", 1, upto, EVIDENCE, sender=desk.arbiter).gas
    used["withdraw"] = escrow.call("withdraw", desk.payee, sender=desk.payee).gas
    used["close"] = escrow.call("close", 1, sender=desk.arbiter).gas
    assert used == json.loads(GAS.read_text())


PEOPLE = st.integers(0, 3)


class EscrowMachine(RuleBasedStateMachine):
    """Four people do whatever comes to them, and a model in Python says what must have happened."""

    @initialize()
    def start(self) -> None:
        self.machine = Machine()
        self.people = [self.machine.account(f"person {i}") for i in range(4)]
        self.escrow: Contract = self.machine.deploy(
            asdict(artefact("JobEscrow")), sender=self.machine.account("maker")
        )
        self.jobs: list[dict[str, Any]] = []
        self.owed = [0] * 4
        self.paid_in = self.paid_out = 0

    def attempt(self, allowed: bool, name: str, *arguments: Any, who: int, value: int = 0) -> bool:
        """Whether it went through, which must be exactly what the model allows."""
        try:
            self.escrow.call(name, *arguments, sender=self.people[who], value=value)
        except Reverted:
            assert not allowed
            return False
        assert allowed
        return True

    @rule(
        payer=PEOPLE, payee=PEOPLE, arbiter=PEOPLE, rounds=st.integers(0, 20),
        per_round=st.integers(0, 10**12), dust=st.sampled_from([0, 0, 0, 1, RAO]),
        seconds=st.integers(0, 1000),
    )  # fmt: skip
    def open(
        self, *, payer: int, payee: int, arbiter: int, rounds: int, per_round: int, dust: int, seconds: int
    ) -> None:
        value, deadline = rounds * per_round * RAO + dust, self.machine.now_s + seconds
        allowed = (
            payer != arbiter and rounds > 0 and seconds > 0 and value > 0 and value % (rounds * RAO) == 0
        )
        parties = (self.people[payee], self.people[arbiter])
        if self.attempt(allowed, "open", *parties, rounds, deadline, SPEC, who=payer, value=value):
            self.paid_in += value
            self.jobs.append(
                {
                    "payer": payer, "payee": payee, "arbiter": arbiter, "rounds": rounds,
                    "each": value // rounds, "approved": 0, "deadline": deadline, "closed": False,
                }
            )  # fmt: skip

    @precondition(lambda self: self.jobs)
    @rule(which=st.integers(0, 999), who=PEOPLE, upto=st.integers(0, 21))
    def approve(self, which: int, who: int, upto: int) -> None:
        number = which % len(self.jobs)
        job = self.jobs[number]
        may = who in (job["payer"], job["arbiter"])
        allowed = may and not job["closed"] and job["approved"] < upto <= job["rounds"]
        if self.attempt(allowed, "approve", number + 1, upto, EVIDENCE, who=who):
            self.owed[job["payee"]] += (upto - job["approved"]) * job["each"]
            job["approved"], job["closed"] = upto, upto == job["rounds"]

    @precondition(lambda self: self.jobs)
    @rule(which=st.integers(0, 999), who=PEOPLE)
    def close(self, which: int, who: int) -> None:
        number = which % len(self.jobs)
        job = self.jobs[number]
        may = who in (job["payee"], job["arbiter"]) or self.machine.now_s > job["deadline"]
        if self.attempt(may and not job["closed"], "close", number + 1, who=who):
            self.owed[job["payer"]] += (job["rounds"] - job["approved"]) * job["each"]
            job["closed"] = True

    @rule(who=PEOPLE, to=PEOPLE)
    def withdraw(self, who: int, to: int) -> None:
        before = self.machine.balance(self.people[to])
        if self.attempt(self.owed[who] > 0, "withdraw", self.people[to], who=who):
            assert self.machine.balance(self.people[to]) == before + self.owed[who]
            self.paid_out += self.owed[who]
            self.owed[who] = 0

    @rule(seconds=st.integers(1, 500))
    def wait(self, seconds: int) -> None:
        self.machine.wait(seconds)

    @invariant()
    def it_holds_what_it_owes_to_the_wei(self) -> None:
        if not hasattr(self, "escrow"):
            return
        left = [(job["rounds"] - job["approved"]) * job["each"] for job in self.jobs if not job["closed"]]
        assert self.escrow.read("locked") == sum(left)
        assert [self.escrow.read("owed", person) for person in self.people] == self.owed
        held = self.machine.balance(self.escrow.address)
        assert held == sum(left) + sum(self.owed) == self.paid_in - self.paid_out
        assert held % RAO == 0


def test_whatever_people_do_it_holds_what_it_owes() -> None:
    run_state_machine_as_test(
        EscrowMachine, settings=settings(max_examples=40, stateful_step_count=25, deadline=None)
    )
