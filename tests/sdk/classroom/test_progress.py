"""What the board says of a student, from a recorded run: of one who mines, and of one who validates."""

from pathlib import Path

from tests.sdk.lab.story import FREE_RIDER, story, write

from subnetlab.classroom.join_codes import JoinCodes
from subnetlab.classroom.progress import Progress, Row
from subnetlab.classroom.students import Students
from subnetlab.network.metagraph import MetagraphSnapshot, NeuronSnapshot
from subnetlab.record.events import Event, Scored
from subnetlab.units import AlphaRao

ROUNDS = 2


def missing(uid: int, number: int) -> Scored:
    """The verdict on a seat that validates: every validator judges each seat, and nothing came from it."""
    return Scored(
        validator=7, uid=uid, round=number, verdict="missing", score=0.0, loss_removed_assigned=0.0,
        loss_removed_held_out=0.0, rating=0.0, weight=0.0, norm=0.0, reason="No commitment is on chain.",
    )  # fmt: skip


def neuron(uid: int) -> NeuronSnapshot:
    return NeuronSnapshot(
        uid=uid, hotkey=f"5hotkey{uid}", coldkey="5cold", active=True, validator_permit=False, incentive=0,
        dividends=0, consensus=0, validator_trust=0, emission_alpha_rao=AlphaRao(0),
        stake_alpha_rao=AlphaRao(0), last_update=0, registered_at=0,
    )  # fmt: skip


def rows(folder: Path, events: list[Event], *uids: int) -> list[Row]:
    """One row for a student on each of these seats."""
    codes, students = JoinCodes(), Students(folder / "class")
    code = codes.add(seconds=60, uses=len(uids))
    for uid in uids:
        students.join(codes.check(code), f"of {uid}")[0].hotkey = f"5hotkey{uid}"
    progress = Progress(write(folder / "run", iter(events)))
    progress.follow()
    seats = MetagraphSnapshot(
        netuid=2, block=30, name="class", tempo=20, last_step=20, owner_hotkey="5o", owner_coldkey="5c",
        neurons=tuple(map(neuron, uids)), weights={}, tao_in_rao=0, alpha_in_rao=0,
    )  # fmt: skip
    return progress.rows(students, seats)


def test_a_validator_is_told_by_what_it_judges_and_not_as_a_miner_that_sends_nothing(tmp_path: Path) -> None:
    events = [*story(ROUNDS, ended=False), missing(6, 0), missing(6, 1)]
    silent = [event for event in events if not (isinstance(event, Scored) and event.validator == 6)]
    row = rows(tmp_path / "judges", events, 6)[0]
    assert (row.role, row.rounds, row.standing, row.score) == ("validator", 2, "judges, round 2 last", None)
    row = rows(tmp_path / "silent", silent, 6)[0]
    assert (row.role, row.rounds, row.standing) == ("validator", 0, "has judged no round yet")


def test_a_miner_is_told_by_what_the_validators_make_of_it(tmp_path: Path) -> None:
    worker, idle = rows(tmp_path, list(story(ROUNDS, ended=False)), 1, FREE_RIDER)
    assert (worker.role, worker.rounds, worker.standing) == ("miner", 2, "works")
    assert worker.score == 0.02
    assert idle.standing == "refused: it removed no loss"
