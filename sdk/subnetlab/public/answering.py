"""A miner or validator of a public run of answers: the same life as a training peer's, with other roles.

A miner brings a function of its own, which no manifest names; a validator runs the judge of a trusted owner.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from subnetlab.answers.attackers import ATTACKERS
from subnetlab.answers.calls import Calls, FunctionFailed
from subnetlab.answers.draw import TASKS
from subnetlab.answers.manifest import AnswersManifest
from subnetlab.answers.miner import ANSWER, AnsweringMiner
from subnetlab.answers.peer import AnswersPeer
from subnetlab.answers.validator import JUDGE, JudgingValidator
from subnetlab.errors import ArgumentInvalid, ManifestInvalid
from subnetlab.network.chain import Chain
from subnetlab.public.found_run import FoundRun
from subnetlab.public.peer import PublicPeer, own_verdicts
from subnetlab.train.roster import Roster
from subnetlab.train.tasks.code import Code

_FUNCTIONS_FOLDER: Final = "functions"


@dataclass(slots=True, kw_only=True)
class AnsweringPeer(PublicPeer):
    """One seat of a public run of answers, from now to the run's end."""

    answers: str = ""
    """Of a miner: `module:function`, imported from the folder in which the command was started."""

    def _read(self) -> tuple[Any, Any]:
        """The run's manifest; there is no data."""
        return read_answers(self.found), None

    def _made(
        self, manifest: Any, corpus: Any, roster: Roster, chain: Chain, report: Any, **options: Any
    ) -> Any:
        """The role, ready to run."""
        del corpus
        peer = self._plays()(
            manifest, roster, chain, self.store, report, self.key.sign, hotkey=self.key.ss58_address,
            calls=self._calls(manifest), leaves_out=True, **options,
        )  # fmt: skip
        if isinstance(peer, JudgingValidator):
            peer.recall(own_verdicts(self.folder, self.uid))
        return peer

    def _plays(self) -> type[AnswersPeer]:
        if self.attack and self.attack not in ATTACKERS:
            raise ArgumentInvalid(
                f"The attacker {self.attack!r} attacks training.", hint=f"Give one of {', '.join(ATTACKERS)}."
            )
        honest = AnsweringMiner if self.role == "miner" else JudgingValidator
        return ATTACKERS[self.attack] if self.attack else honest

    def _calls(self, manifest: AnswersManifest) -> Calls:
        """This peer's functions, in a folder of its own; the miner's is found from where it was started.

        Raises:
            ArgumentInvalid: one of them does not run by itself.
        """
        here = str(Path.cwd())
        if here not in sys.path:
            sys.path.insert(0, here)
        functions = {TASKS: manifest.tasks.to_json()} if isinstance(manifest.tasks, Code) else {}
        if self.role == "validator":
            functions[JUDGE] = manifest.judge.to_json()
        else:
            functions[ANSWER] = Code(name=self.answers.rpartition(":")[2], path=self.answers).to_json()
        calls = Calls(functions, self.folder / _FUNCTIONS_FOLDER)
        try:
            calls.start()
        except FunctionFailed as error:
            calls.close()
            raise ArgumentInvalid(
                f"A function of this {self.role} cannot be used: {error}.",
                hint="Import it in the folder where the command is started, to see where it fails.",
            ) from error
        return calls

    @staticmethod
    def _rounds_of(peer: Any) -> int:
        """How many rounds are behind a peer."""
        return int(peer.rounds_over)

    def _say_the_end(self, peer: Any) -> None:
        rounds = self._rounds_of(peer)
        what = "Left the run" if self._leaving else f"Run {self.found.run_id} is over"
        self.log.note(f"{what} after round {rounds}.", rounds=rounds)


def read_answers(found: FoundRun) -> AnswersManifest:
    """The manifest of a run of answers that was found.

    Raises:
        ManifestInvalid: it contradicts itself, or this version reads it otherwise than its author did.
    """
    manifest = AnswersManifest.from_json(found.manifest)
    if manifest.hash != found.hash:
        raise ManifestInvalid(
            "This version of SubnetLab reads the announced manifest otherwise than its author did.",
            hint="Use the version that wrote it.",
        )
    return manifest
