"""Every attacker that a fleet can start, by its word: `LocalFleet(attackers={"sign_flip": 2})`.

Here are the words alone; the classes, one attack each, are imported when a process plays one. On chain and
for validators an attacker is a miner, or a validator, like any other; only the record says which one it is.
Standard library only, so that describing a fleet loads no torch.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from subnetlab.train.peer import Peer

_HERE: Final = "subnetlab.train"


@dataclass(frozen=True, slots=True)
class Attacker:
    """One kind of attacker: where its class is, whose seat it takes, what people call it and what it does."""

    path: str
    """`module:class` below `subnetlab.train`."""
    role: Literal["miner", "validator"]
    noun: str
    what: str

    def load(self) -> "type[Peer]":
        """The class that plays it; loads torch."""
        module, _, name = self.path.partition(":")
        return getattr(import_module(f"{_HERE}.{module}"), name)


def _miner(path: str, noun: str, what: str) -> Attacker:
    return Attacker(path, "miner", noun, what)


def _validator(path: str, noun: str, what: str) -> Attacker:
    return Attacker(path, "validator", noun, what)


ATTACKERS: Final[dict[str, Attacker]] = {
    "free_rider": _miner("free_rider:FreeRider", "free rider", "sends noise of honest size, does no work"),
    "sign_flip": _miner("attackers.updates:SignFlip", "sign flipper", "trains, and sends the opposite"),
    "poison": _miner("attackers.updates:Poisoner", "poisoner", "trains, and sends the opposite tenfold"),
    "alie": _miner(
        "attackers.updates:Alie", "ALIE attacker", "shifts every parameter a little against honest training"
    ),
    "label_poison": _miner(
        "attackers.updates:LabelPoisoner", "label poisoner", "trains on targets of other inputs"
    ),
    "backdoor": _miner(
        "attackers.updates:Backdoor", "backdoor planter", "teaches one answer to a trigger beside its work"
    ),
    "stale": _miner("attackers.updates:Stale", "stale miner", "trains from the model of four rounds ago"),
    "copy": _miner(
        "attackers.copies:Copycat", "copycat", "commits to another's payload, which is still sealed"
    ),
    "late_copy": _miner(
        "attackers.copies:DelayedCopycat", "delayed copycat", "sends what another revealed a round before"
    ),
    "replay": _miner("attackers.delivery:Replayer", "replayer", "sends its first payload in every round"),
    "sybil": _miner("attackers.copies:Sybil", "sybil", "sends one work under each of its hotkeys"),
    "garble": _miner("attackers.delivery:Garbler", "garbler", "commits to bytes that are no payload"),
    "late": _miner("attackers.delivery:Latecomer", "latecomer", "commits one block after the deadline"),
    "withheld": _miner("attackers.delivery:Withholder", "withholder", "commits, and keeps the key"),
    "squat": _miner("attackers.delivery:Squatter", "squatter", "trains, and puts junk under others' names"),
    "weight_copier": _validator(
        "attackers.judges:WeightCopier", "weight copier", "judges nothing and votes as another voted before"
    ),
    "framer": _validator(
        "attackers.judges:Framer", "framer", "says of the best miner that its work is not its own"
    ),
    "colluder": _validator(
        "attackers.judges:Colluder", "colluder", "votes for the miners that honest validators shut out"
    ),
}
"""Word to attacker, the words of `LocalFleet(attackers=)` and of the record."""


def noun(word: str) -> str:
    """What people call an attacker, or any other role, of which the record gives the word."""
    known = ATTACKERS.get(word)
    return known.noun if known else word.replace("_", " ")


def refused(word: object) -> str:
    """Why a word names no attacker, with those that do."""
    known = "\n".join(f"  {name}: {attacker.what}" for name, attacker in ATTACKERS.items())
    return f"No attacker is called {word!r}. Known are:\n{known}"
