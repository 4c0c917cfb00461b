"""A run of answers in memory: every role in a thread, its functions in processes of their own."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

from bittensor_core import Keypair

from subnetlab.answers.calls import Calls
from subnetlab.answers.draw import TASKS
from subnetlab.answers.functions import takes_random
from subnetlab.answers.manifest import AnswersManifest
from subnetlab.answers.miner import ANSWER, AnsweringMiner
from subnetlab.answers.peer import AnswersPeer
from subnetlab.answers.validator import JUDGE, JudgingValidator
from subnetlab.record.events import RoundClosed, Scored
from subnetlab.store.places import fleet_places
from subnetlab.train.peer import Peer
from subnetlab.train.rehearsal import Rehearsal
from subnetlab.train.roster import FixedRoster, Seat
from subnetlab.train.tasks.code import Code
from subnetlab.train.tasks.travel import code_of

from .adding import ADDING

Function = Callable[..., Any]


def keypair(uid: int) -> Keypair:
    return Keypair.create_from_uri(f"//Test//{uid}")


class Stage(Rehearsal):
    """One run; `classes` says whose seats another class plays."""

    def __init__(
        self, answers: Sequence[Function], judge: Function, *, validators: int = 1,
        tasks: Sequence[Any] | Function = ADDING, classes: dict[int, type[AnswersPeer]] | None = None,
        places: bool = True, judges: dict[int, Function] | None = None, **options: Any,
    ) -> None:  # fmt: skip
        roles = ["miner"] * len(answers) + ["validator"] * validators
        seats = [Seat.of(uid, keypair(uid).ss58_address, role) for uid, role in enumerate(roles)]
        self.answers, self.classes = [code_of(one, "answer") for one in answers], classes or {}
        self.judges = {uid: code_of(one, "judge") for uid, one in (judges or {}).items()}
        self.places = places
        told = {"run_id": "test", "netuid": 1, "rounds": 2, "first_block": 3, "tasks_per_round": 3, **options}
        self.told = AnswersManifest(
            tasks=code_of(tasks, "tasks") if callable(tasks) else tuple(tasks), judge=code_of(judge, "judge"),
            takes_random=takes_random(judge), **told,
        )  # fmt: skip
        super().__init__(
            manifest=cast("Any", self.told), seats=seats, corpus=cast("Any", None),
            sign=lambda seat: lambda message: bytes(keypair(seat.uid).sign(message)),
        )  # fmt: skip

    def peer(self, seat: Seat) -> Peer:
        honest = AnsweringMiner if seat.role == "miner" else JudgingValidator
        kind = self.classes.get(seat.uid, honest)
        own = self.answers[seat.uid] if seat.role == "miner" else self.judges.get(seat.uid, self.told.judge)
        functions = {(ANSWER if seat.role == "miner" else JUDGE): own.to_json()}
        if isinstance(self.told.tasks, Code):
            functions[TASKS] = self.told.tasks.to_json()
        store = fleet_places(self.store, seat.uid) if self.places else self.store
        made = kind(
            self.told, FixedRoster(tuple(self.seats)), self.net.chain(seat.hotkey), store, self._report,
            self.sign(seat), hotkey=seat.hotkey, patience_s=self.patience_s,
            calls=Calls(functions, Path(tempfile.mkdtemp(prefix="sl-answers-"))),
        )  # fmt: skip
        return cast("Any", made)

    def play(self) -> "Stage":
        self.run()
        return self

    def verdicts(self, uid: int) -> list[Scored]:
        found = cast("list[Scored]", self.of(Scored))
        return sorted((one for one in found if one.uid == uid), key=lambda one: (one.round, one.validator))

    def closed(self) -> list[RoundClosed]:
        return sorted(cast("list[RoundClosed]", self.of(RoundClosed)), key=lambda one: one.round)
