"""What attacks do to a run: three of ten miners hostile, each attack alone and the gross ones mixed.

A rehearsal in one process: final held-out loss beside that of the seven honest miners alone, the attackers'
share of the weights from the second round after they were first shut out, and how often an honest miner was
shut out. Weights decide pay; epochs of a chain are not played. Each attack trains from the same seed.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bittensor_core import Keypair

from subnetlab.record.events import RoundClosed, Scored, WeightsSet
from subnetlab.train import data, models, tasks
from subnetlab.train.attackers import ATTACKERS
from subnetlab.train.data.corpus import Corpus
from subnetlab.train.manifest import Manifest, ScoringConfig
from subnetlab.train.optimizer import AdamWConfig
from subnetlab.train.rehearsal import Rehearsal
from subnetlab.train.roster import Seat
from subnetlab.train.strategies import SparseLoCo
from tests.benchmarks.measure import Figure

HONEST, HOSTILE, VALIDATOR = 7, 3, 10
ROUNDS, QUICK_ROUNDS = 24, 6
GROSS = ("free_rider", "sign_flip", "poison", "garble", "late", "withheld", "copy", "replay")
MIXED = ("sign_flip", "free_rider", "poison")
LOSS_LIMIT, PAY_LIMIT = 0.02, 0.02
_SETTLED = 2
"""Rounds after which an attacker's weights count."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: held-out loss, attackers' share of weights, share of honest verdicts shut out."""

    loss: float
    pay: float
    honest_out: float


def measure(quick: bool, *, minutes: float = 60.0) -> Iterator[Figure]:
    """One clean run, then one for each attack, as many as can be begun in so many minutes."""
    corpus, began = data.stdlib(400_000).read(), time.monotonic()
    rounds = QUICK_ROUNDS if quick else ROUNDS
    clean = played((), corpus, rounds)
    yield Figure(name="clean: loss of 7 honest miners", value=clean.loss, unit="nats")
    words = MIXED[:1] if quick else [word for word, kind in ATTACKERS.items() if kind.role == "miner"]
    mixed = [("mixed: " + ", ".join(MIXED), MIXED)] if not quick else []
    for name, attack in [(word, (word,) * HOSTILE) for word in words] + mixed:
        if time.monotonic() - began > minutes * 60:
            return
        found, gross = played(attack, corpus, rounds), set(attack) <= set(GROSS)
        yield Figure(
            name=f"{name}: loss above clean", value=found.loss - clean.loss, unit="nats",
            limit=LOSS_LIMIT if gross and not quick else None,
        )  # fmt: skip
        yield Figure(
            name=f"{name}: attackers' share of weights", value=found.pay, unit="share",
            limit=PAY_LIMIT if gross and not quick else None,
            note=f"honest verdicts shut out {found.honest_out:.1%}",
        )  # fmt: skip


def played(attack: Sequence[str], corpus: Corpus, rounds: int) -> Outcome:
    """Play a run whose last miners attack."""
    model = models.TinyGPT("binder", n_embd=32, n_layer=1, n_head=2, seq_len=32)
    manifest = Manifest(
        run_id="attacked", netuid=1, model=model, task=tasks.of_model(model), data=corpus.manifest,
        strategy=SparseLoCo(inner_steps=5), rounds=rounds, first_block=3, batch_size=4,
        optimizer=AdamWConfig(lr=5e-3),
        scoring=ScoringConfig(validation_batches=4, validation_sequences=32),
    )  # fmt: skip
    keys = {
        uid: Keypair.create_from_uri(f"//Attacked//{uid}") for uid in (*range(HONEST + HOSTILE), VALIDATOR)
    }
    uids = [*range(HONEST + len(attack)), VALIDATOR]
    seats = [
        Seat.of(uid, keys[uid].ss58_address, "validator" if uid == VALIDATOR else "miner") for uid in uids
    ]
    run = Rehearsal(
        manifest, seats, corpus, lambda seat: lambda message: bytes(keys[seat.uid].sign(message)),
        roles={HONEST + i: ATTACKERS[word].load() for i, word in enumerate(attack)}, patience_s=600,
    )  # fmt: skip
    run.run()
    losses = {event.round: event.val_loss for event in run.events if isinstance(event, RoundClosed)}
    verdicts = [e.verdict for e in run.events if isinstance(e, Scored) and e.uid < HONEST]
    out = sum(verdict != "accepted" for verdict in verdicts) / len(verdicts)
    return Outcome(losses[rounds - 1], _pay(run), out)


def _pay(run: Rehearsal) -> float:
    """The attackers' mean share of the weights of the rounds that count."""
    shares: list[float] = []
    for event in run.events:
        if isinstance(event, WeightsSet) and event.round >= _SETTLED:
            hostile = sum(weight for uid, weight in event.weights.items() if int(uid) >= HONEST)
            shares.append(hostile / sum(event.weights.values()))
    return sum(shares) / len(shares) if shares else 0.0
