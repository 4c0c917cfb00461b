"""Ratings that keep a share of the median beside OpenSkill, on the same attacks, seeds, trials and gate.

OpenSkill as in Gauntlet: Plackett-Luce with beta 7 and tau 0.1 over the miners that a round judged, ranked by
the loss removed on held-out data, shut-out miners last; the ordinal, mean less three deviations, is worth
something above 0. Worth is paid in proportion, or in proportion to its square. Everything else of a validator
is the product's own, so what differs is the rating alone.

`python -m tests.benchmarks.ratings --seeds 0,1,2 --attacks mixed,label_poison` prints the table; the library
is one of the tests' dependencies, not of the product.
"""

import argparse
from collections.abc import Container, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, partial
from multiprocessing import get_context
from statistics import fmean, median, pstdev
from typing import Final

from openskill.models import PlackettLuce, PlackettLuceRating

from subnetlab.record.events import WeightsSet
from subnetlab.train import data
from subnetlab.train.manifest import ScoringConfig, audited
from subnetlab.train.scoring.rating import Ratings
from subnetlab.train.scoring.readings import Reading
from subnetlab.train.validator import Validator
from tests.benchmarks.attacked import HONEST, SETTINGS, VALIDATOR, paid, rehearsal
from tests.benchmarks.attacks import ATTACKS, ROUNDS

RATINGS: Final = ("share", "openskill", "openskill squared")


@dataclass(slots=True)
class OpenSkill(Ratings):
    """Ratings as Gauntlet's validators keep them."""

    power: float = 1.0
    model: PlackettLuce = field(default_factory=lambda: PlackettLuce(beta=7, tau=0.1))
    skills: dict[int, PlackettLuceRating] = field(default_factory=dict[int, PlackettLuceRating])

    def update(
        self,
        scores: Mapping[int, float],
        own_work: Mapping[int, bool],
        known: Mapping[int, Reading] | None = None,
    ) -> None:
        """Rate the round as a game that each miner plays alone."""
        del own_work, known
        uids = sorted(scores)
        if len(uids) > 1:
            teams = [[self.skills.get(uid) or self.model.rating()] for uid in uids]
            for uid, (skill,) in zip(
                uids, self.model.rate(teams, scores=[max(0.0, scores[uid]) for uid in uids]), strict=True
            ):
                self.skills[uid] = skill
                self.of[uid] = max(0.0, skill.ordinal()) ** self.power

    def slash(self, uids: Iterable[int], kept: float) -> None:
        """Begin anew."""
        for uid in uids:
            self.skills.pop(uid, None)
            self.of[uid] = kept * self.of.get(uid, 0.0)

    def weights(self, unpaid: Container[int] = ()) -> dict[int, float]:
        """Without a floor: the ordinal has one."""
        worth = {uid: 0.0 if uid in unpaid else rating for uid, rating in self.of.items()}
        total = sum(worth.values())
        return {uid: rating / total if total > 0 else 0.0 for uid, rating in worth.items()}


class SkillValidator(Validator):
    """A validator that pays by OpenSkill."""

    power = 1.0

    @cached_property
    def ratings(self) -> Ratings:
        """OpenSkill's."""
        return OpenSkill(0.0, 0.0, power=self.power)


class SquaredSkillValidator(SkillValidator):
    """The same, by the square."""

    power = 2.0


_KINDS: Final[dict[str, type[Validator]]] = dict(
    zip(RATINGS, (Validator, SkillValidator, SquaredSkillValidator), strict=True)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """What a rating paid in one run."""

    least: float
    """The worst paid honest miner, of the median honest miner's pay."""
    spread: float
    """Standard deviation of honest pay, of its mean."""
    hostile: float
    """The attackers' share of all pay."""
    rounds: float
    """Until an attacker's vote is 0 for good, the mean over attackers; as many as the run has, if never."""


def one(
    setting: str,
    rounds: int,
    seed: int,
    attack: Sequence[str],
    rating: str,
    *,
    scoring: ScoringConfig | None = None,
) -> Paid:
    """Play a run and read its votes and its pay."""
    corpus = data.stdlib(400_000).read()
    run = rehearsal(attack, corpus, SETTINGS[setting], rounds, seed, scoring)
    run.roles[VALIDATOR] = _KINDS[rating]
    run.run()
    epochs = paid(run, HONEST + len(attack))
    earned = [sum(epoch[uid] for epoch in epochs) for uid in range(HONEST + len(attack))]
    honest, whole = earned[:HONEST], sum(earned) or 1
    votes = {event.round: event.weights for event in run.events if isinstance(event, WeightsSet)}
    until = [
        max((round_ + 1 for round_, given in votes.items() if given.get(str(uid), 0) > 0), default=0)
        for uid in range(HONEST, HONEST + len(attack))
    ]
    return Paid(
        least=min(honest) / (median(honest) or 1), spread=pstdev(honest) / (fmean(honest) or 1),
        hostile=sum(earned[HONEST:]) / whole, rounds=fmean(until) if until else 0.0,
    )  # fmt: skip


def row(attack: str, rating: str, found: Sequence[Paid]) -> str:
    """A line of the table: worst seeds of what should be high or low, means of the rest."""
    least, spread = min(one.least for one in found), fmean(one.spread for one in found)
    return (
        f"| `{attack}` | {rating} | {least:.2f} | {spread:.2f}"
        f" | {fmean(one.hostile for one in found):.1%} ({max(one.hostile for one in found):.1%})"
        f" | {fmean(one.rounds for one in found):.1f} |"
    )


def main() -> None:
    """Parse, play, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.ratings", description=__doc__)
    parser.add_argument("--setting", default="sparse", choices=SETTINGS)
    parser.add_argument("--attacks", default="none,mixed,label_poison,stale,backdoor")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--audits", type=float, default=0.0, help="share of rounds that are trained again")
    options = parser.parse_args()
    scoring = audited(options.audits)
    play, seeds = (
        partial(one, options.setting, options.rounds),
        [int(seed) for seed in options.seeds.split(",")],
    )
    print(
        "| attack | rating | least honest pay, of the median (worst) | spread of honest pay"
        " | attackers' pay (worst) | rounds until 0 |"
    )
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        runs = {
            (attack, rating): [
                pool.submit(play, seed, ATTACKS.get(attack, ()), rating, scoring=scoring) for seed in seeds
            ]
            for attack in options.attacks.split(",")
            for rating in RATINGS
        }
        for (attack, rating), found in runs.items():
            print(row(attack, rating, [run.result() for run in found]), flush=True)


if __name__ == "__main__":
    main()
