"""What attacks do to a run: three of ten miners hostile, each attack alone and the gross ones mixed.

For every seed a clean run of the seven honest miners, then one for each attack, which draws the same: final
held-out loss above the clean one's, the attackers' share of twenty epochs' pay from the second after they
were first shut out, how often an honest miner was shut out, and the pay of the worst paid honest miner.

`python -m tests.benchmarks.attacks --setting onebit --seeds 0,1,2 --attacks sybil,alie --jobs 2` prints the
table; `python -m tests.benchmarks --only attacks` measures one seed of `sparse`.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from statistics import fmean, median
from typing import Final

from subnetlab.train import data
from subnetlab.train.attackers import ATTACKERS
from subnetlab.train.manifest import EARLIER, ScoringConfig, audited
from tests.benchmarks.attacked import SETTINGS, Outcome, played
from tests.benchmarks.measure import Figure

HOSTILE: Final = 3
ROUNDS, QUICK_ROUNDS = 48, 6
GROSS: Final = ("free_rider", "sign_flip", "poison", "garble", "late", "withheld", "copy", "replay")
MIXED: Final = ("sign_flip", "free_rider", "poison")
LOSS_LIMIT, PAY_LIMIT, HONEST_LIMIT = 0.02, 0.02, 0.8
ATTACKS: Final = {
    **{word: (word,) * HOSTILE for word, kind in ATTACKERS.items() if kind.role == "miner"},
    "mixed": MIXED,
}


def measure(quick: bool, *, minutes: float = 60.0) -> Iterator[Figure]:
    """One clean run, then one for each attack, as many as can be begun in so many minutes."""
    began, rounds = time.monotonic(), QUICK_ROUNDS if quick else ROUNDS
    clean = one("sparse", rounds, 0, ())
    yield Figure(name="clean: loss of 7 honest miners", value=clean.loss, unit="nats")
    for name in ("sign_flip",) if quick else ATTACKS:
        if time.monotonic() - began > minutes * 60:
            return
        found, gross = one("sparse", rounds, 0, ATTACKS[name]), set(ATTACKS[name]) <= set(GROSS)
        yield Figure(
            name=f"{name}: loss above clean", value=found.loss - clean.loss, unit="nats",
            limit=LOSS_LIMIT if gross and not quick else None,
        )  # fmt: skip
        yield Figure(
            name=f"{name}: attackers' share of pay", value=found.hostile_pay, unit="share",
            limit=PAY_LIMIT if gross and not quick else None,
            note=f"honest verdicts shut out {found.honest_out:.1%}",
        )  # fmt: skip


def one(
    setting: str, rounds: int, seed: int, attack: Sequence[str], *, earlier: bool = False, audits: float = 0.0
) -> Outcome:
    """One run, on the standard library's text.

    Args:
        setting: what is trained.
        rounds: for how long.
        seed: of draws and weights.
        attack: a word for each attacker.
        earlier: whether it is judged as before the evidence of several rounds.
        audits: share of the rounds that are trained again.
    """
    corpus = data.stdlib().read() if setting == "demo" else data.stdlib(400_000).read()
    scoring = replace(ScoringConfig(), **EARLIER) if earlier else audited(audits)
    return played(
        attack, corpus, setting=SETTINGS[setting], rounds=rounds, seed=seed, scoring=scoring
    )  # fmt: skip


def row(name: str, clean: Sequence[Outcome], found: Sequence[Outcome]) -> str:
    """A line of the table: means over seeds, with the worst seed beside."""
    above = [attacked.loss - plain.loss for plain, attacked in zip(clean, found, strict=True)]
    pay = [outcome.hostile_pay for outcome in found]
    return (
        f"| `{name}` | {fmean(above):+.3f} ({max(above):+.3f}) | {fmean(pay):.1%} ({max(pay):.1%})"
        f" | {fmean(o.hostile_in for o in found):.0%} | {fmean(o.honest_out for o in found):.1%}"
        f" | {min(map(least, found)):.2f} | {min(map(kept, clean, found)):.2f} |"
    )


def least(found: Outcome) -> float:
    """The pay of the worst paid honest miner, beside the median one's."""
    return min(found.honest_pay) / (median(found.honest_pay) or 1)


def kept(clean: Outcome, found: Outcome) -> float:
    """The least share of its pay in the clean run that an honest miner keeps under attack."""
    pairs = zip(clean.honest_pay, found.honest_pay, strict=True)
    return min(attacked / plain if plain else 1.0 for plain, attacked in pairs)


def main() -> None:
    """Parse, play, and print a row as soon as its runs are through."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.attacks", description=__doc__)
    parser.add_argument("--setting", default="sparse", choices=SETTINGS)
    parser.add_argument("--attacks", default=",".join(ATTACKS), help="words of attackers, and `mixed`")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--audits", type=float, default=0.0, help="share of rounds that are trained again")
    parser.add_argument("--earlier", action="store_true", help="judge as runs were judged before")
    options = parser.parse_args()
    seeds = [int(seed) for seed in options.seeds.split(",")]
    play = partial(one, options.setting, options.rounds, earlier=options.earlier, audits=options.audits)
    print(
        "| attack | loss above clean (worst) | pay (worst) | taken | honest out"
        " | least honest pay, of the median | of the same miner's in the clean run |"
    )
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        clean = [pool.submit(play, seed, ()) for seed in seeds]
        runs = {
            name: [pool.submit(play, seed, ATTACKS[name]) for seed in seeds]
            for name in filter(None, options.attacks.split(","))
        }
        plain = [run.result() for run in clean]
        print(f"clean: {', '.join(f'{outcome.loss:.3f}' for outcome in plain)}", flush=True)
        print(row("none", plain, plain), flush=True)
        for name, found in runs.items():
            print(row(name, plain, [run.result() for run in found]), flush=True)


if __name__ == "__main__":
    main()
