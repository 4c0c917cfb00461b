"""A seat of a run of answers: which role plays it, which functions it calls, and how its rounds ended."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from subnetlab.answers.attackers import ATTACKERS
from subnetlab.answers.calls import Calls
from subnetlab.answers.closed_rounds import record_of
from subnetlab.answers.draw import TASKS
from subnetlab.answers.manifest import AnswersManifest
from subnetlab.answers.miner import ANSWER, AnsweringMiner
from subnetlab.answers.peer import AnswersPeer
from subnetlab.answers.validator import JUDGE, JudgingValidator, round_closed
from subnetlab.errors import FleetError, FleetStartFailed
from subnetlab.fleet.run_folder import ANSWERS_FILE, PEERS_FOLDER
from subnetlab.fleet.spec import FleetSpec, PeerSeat
from subnetlab.network.chain import Chain
from subnetlab.record.events import Event, RoundLost
from subnetlab.record.files import read_plain
from subnetlab.store.base import Store
from subnetlab.train.roster import Roster
from subnetlab.train.tasks.code import Code

_LOST: Final = "It was cut off before a validator's scores of it were on chain."


def plays(seat: PeerSeat) -> type[AnswersPeer]:
    """The class that plays a seat.

    Raises:
        FleetError: there is none.
    """
    honest: dict[str, type[AnswersPeer]] = {"miner": AnsweringMiner, "validator": JudgingValidator}
    played = ATTACKERS.get(seat.attacker) if seat.attacker else honest.get(seat.role)
    if played is None:
        raise FleetError(
            f"No process plays the role {seat.attacker or seat.role!r} in a run of answers.",
            hint="A run of answers knows the attackers copy, late, withheld, garble and replay.",
        )
    return played


def calls_of(run_folder: Path, spec: FleetSpec, seat: PeerSeat, manifest: AnswersManifest) -> Calls:
    """The functions of a seat, in a folder of its own.

    Raises:
        FleetStartFailed: the run's folder does not hold the miners' functions.
    """
    functions = {TASKS: manifest.tasks.to_json()} if isinstance(manifest.tasks, Code) else {}
    if seat.role == "validator":
        functions[JUDGE] = manifest.judge.to_json()
    else:
        known = _miners_functions(run_folder)
        place = [other.uid for other in spec.seats if other.role == "miner"].index(seat.uid)
        functions[ANSWER] = known[place if place < len(known) else 0]
    return Calls(functions, run_folder / PEERS_FOLDER / str(seat.uid))


def _miners_functions(run_folder: Path) -> list[dict[str, Any]]:
    try:
        known: object = json.loads(read_plain(run_folder / ANSWERS_FILE))
        if isinstance(known, dict) and isinstance(known["functions"], list) and known["functions"]:
            return known["functions"]
    except (OSError, ValueError, KeyError) as error:
        raise FleetStartFailed(f"The run folder has no readable {ANSWERS_FILE}: {error}.") from error
    raise FleetStartFailed(f"{ANSWERS_FILE} names no function.")


def ends_of(
    manifest: AnswersManifest, rounds: Sequence[int], roster: Roster, chain: Chain, store: Store
) -> Iterable[Event]:
    """How rounds ended that no validator reported: closed by whose scores were on chain in time, or lost."""
    for number in rounds:
        found = record_of(manifest, number, roster, chain, store)
        if found is None:
            yield RoundLost(round=number, reason=_LOST)
        else:
            record, lead = found
            yield round_closed(record, manifest.heights(number), lead)
