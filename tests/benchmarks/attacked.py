"""One run under attack, in one process: the product's own roles on a chain in memory, and Yuma for pay.

Miners and validators are those of every run; what is missing is processes, a node and its blocks. Draws are
deterministic, so a run without its attackers is the same run, and two losses differ by the attack alone. An
epoch is two rounds, as on the embedded chain; one validator decides.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from bittensor_core import Keypair

from subnetlab.record.events import RoundClosed, Scored, WeightsSet
from subnetlab.record.reasons import UNTRIED
from subnetlab.train import models, tasks
from subnetlab.train.attackers import ATTACKERS
from subnetlab.train.data.corpus import Corpus
from subnetlab.train.manifest import Manifest, ScoringConfig
from subnetlab.train.optimizer import AdamWConfig, MuonConfig, OptimizerConfig
from subnetlab.train.peer import Peer
from subnetlab.train.rehearsal import Rehearsal
from subnetlab.train.roster import Seat
from subnetlab.train.strategies import MuLoCo, SparseLoCo
from subnetlab.train.strategies.base import Strategy
from subnetlab.yuma.epoch import EpochInput, Neuron, run_epoch
from subnetlab.yuma.fixed import I64F64

HONEST, VALIDATOR = 7, 99
ROUNDS_OF_EPOCH: Final = 2
EPOCHS_PAID: Final = 20
"""Pay is summed over so many epochs, from the second after a miner was first shut out."""
_EMISSION: Final = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is trained, and how."""

    model: models.TinyGPT
    strategy: Strategy
    optimizer: OptimizerConfig
    batch_size: int = 4


SETTINGS: Final = {
    "sparse": Setting(
        model=models.TinyGPT("binder", n_embd=32, n_layer=1, n_head=2, seq_len=32),
        strategy=SparseLoCo(inner_steps=5),
        optimizer=AdamWConfig(lr=5e-3),
    ),
    "onebit": Setting(
        model=models.TinyGPT("demo", n_embd=32, n_layer=1, n_head=2, seq_len=32),
        strategy=MuLoCo(inner_steps=6),
        optimizer=MuonConfig(),
    ),
    "demo": Setting(
        model=models.TinyGPT("demo"), strategy=MuLoCo(inner_steps=12), optimizer=MuonConfig(), batch_size=2
    ),
}
"""By name: 22 thousand parameters with SparseLoCo, 80 thousand with MuLoCo, and the demonstration's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended; shares are of all emission to miners."""

    loss: float
    hostile_pay: float
    """The attackers' share over their twenty epochs."""
    honest_pay: tuple[float, ...]
    """Every honest miner's share of the whole run's emission."""
    honest_out: float
    """Share of the verdicts on honest miners that were not `accepted`; to be left out untried is none."""
    hostile_in: float
    """Share of the verdicts on attackers that were."""
    wall_s: float


def played(
    attack: Sequence[str],
    corpus: Corpus,
    *,
    setting: Setting,
    rounds: int,
    seed: int,
    scoring: ScoringConfig | None = None,
    roles: dict[int, type[Peer]] | None = None,
    honest: int = HONEST,
) -> Outcome:
    """Play a run of so many honest miners and one attacker for each word."""
    began, run = time.monotonic(), rehearsal(attack, corpus, setting, rounds, seed, scoring, honest=honest)
    run.roles.update(roles or {})
    run.run()
    losses = {event.round: event.val_loss for event in run.events if isinstance(event, RoundClosed)}
    scored = [event for event in run.events if isinstance(event, Scored)]
    epochs = paid(run, honest + len(attack))
    earned = [sum(epoch[uid] for epoch in epochs) for uid in range(honest)]
    judged = [one for one in scored if one.verdict != UNTRIED]
    return Outcome(
        loss=losses[max(losses)],
        hostile_pay=_hostile_pay(epochs, judged, honest),
        honest_pay=tuple(one / (sum(map(sum, epochs)) or 1) for one in earned),
        honest_out=_share([one.verdict != "accepted" for one in judged if one.uid < honest]),
        hostile_in=_share([one.verdict == "accepted" for one in scored if one.uid >= honest]),
        wall_s=time.monotonic() - began,
    )


def rehearsal(  # noqa: PLR0917 - what fixes a run, in the order of `played`
    attack: Sequence[str],
    corpus: Corpus,
    setting: Setting,
    rounds: int,
    seed: int,
    scoring: ScoringConfig | None = None,
    *,
    honest: int = HONEST,
) -> Rehearsal:
    """The run of `played`, ready."""
    options: dict[str, Any] = {} if scoring is None else {"scoring": scoring}
    manifest = Manifest(
        run_id="attacked", netuid=1, model=setting.model, task=tasks.of_model(setting.model),
        data=corpus.manifest, strategy=setting.strategy, rounds=rounds, first_block=3,
        batch_size=setting.batch_size, optimizer=setting.optimizer, seed=seed, deterministic=True, **options,
    )  # fmt: skip
    uids = [*range(honest + len(attack)), VALIDATOR]
    keys = {uid: Keypair.create_from_uri(f"//Attacked//{uid}") for uid in uids}
    seats = [
        Seat.of(uid, keys[uid].ss58_address, "validator" if uid == VALIDATOR else "miner") for uid in uids
    ]
    return Rehearsal(
        manifest, seats, corpus, lambda seat: lambda message: bytes(keys[seat.uid].sign(message)),
        roles={honest + i: ATTACKERS[word].load() for i, word in enumerate(attack)}, patience_s=600,
    )  # fmt: skip


def paid(run: Rehearsal, miners: int) -> list[list[int]]:
    """What Yuma pays every miner in each epoch, for the weights that stand at its end."""
    standing: dict[int, dict[str, int]] = {
        event.round: event.weights for event in run.events if isinstance(event, WeightsSet)
    }
    last: dict[str, int] = {}
    epochs: list[list[int]] = []
    for round_ in range(run.manifest.rounds):
        last = standing.get(round_, last)
        if (round_ + 1) % ROUNDS_OF_EPOCH == 0:
            epochs.append(_epoch(last, miners))
    return epochs


def _epoch(weights: dict[str, int], miners: int) -> list[int]:
    votes = tuple((int(uid), weight) for uid, weight in weights.items())
    neurons = [Neuron(stake=0, last_update=9, registered_at=0) for _ in range(miners)]
    judge = Neuron(stake=I64F64.of(10_000), last_update=9, registered_at=0, permit=True, weights=votes)
    given = EpochInput(block=10, fresh_since=0, emission=_EMISSION, neurons=(*neurons, judge))
    return run_epoch(given).server_emission[:miners]


def _hostile_pay(epochs: list[list[int]], scored: list[Scored], honest: int) -> float:
    """The attackers' share of the emission, each from the second epoch after it was first shut out."""
    hostile = range(honest, len(epochs[0]))
    got = whole = 0.0
    for uid in hostile:
        out = [one.round for one in scored if one.uid == uid and one.verdict != "accepted"]
        first = (min(out) // ROUNDS_OF_EPOCH if out else 0) + 2
        counted = epochs[first : first + EPOCHS_PAID]
        got += sum(epoch[uid] for epoch in counted)
        whole += sum(map(sum, counted)) / len(hostile)
    return got / whole if whole else 0.0


def _share(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags) if flags else 0.0
