"""What the page draws of a run's attacks, in JSON types, bounded: of many the first, and the rest counted."""

from math import isfinite
from typing import Any, Final

from subnetlab.report.attacks import Attacks, MinerRounds, Seen
from subnetlab.text import NAME, REASON, plain
from subnetlab.train.attackers import ATTACKERS, noun
from subnetlab.units import RAO_PER_TAO

MOST_MINERS: Final = 24
MOST_ROUNDS: Final = 60
"""The newest rounds of each miner; the frame has them all."""
_MARKS: Final = {"taken": "t", "shut out": "o", "refused": "r", "missed": "m", "untried": "u"}


def state_of(found: Attacks) -> dict[str, Any]:
    """Everything the page needs, numbers rounded to six decimals, pay in whole alpha."""
    shown = _shown(found)
    first = max(1, max((one.seen[-1].round for one in found.miners if one.seen), default=0) - MOST_ROUNDS + 1)
    return {
        "run": plain(found.run, NAME),
        "ended": found.ended,
        "trains": found.trains,
        "gate": found.gate,
        "headline": found.headline,
        "round": found.rounds,
        "first": first,
        "miners": [_miner(found, one, first) for one in shown],
        "hidden": len(found.miners) - len(shown),
        "medians": {
            str(number): round(value, 6)
            for number, value in found.medians.items()
            if number >= first and isfinite(value)
        },
        "judges": [
            [uid, noun(word), ATTACKERS[word].what if word in ATTACKERS else "", _alpha(paid)]
            for uid, word, paid in found.judges
        ],
    }


def _shown(found: Attacks) -> list[MinerRounds]:
    """The attackers, then those that were shut out most, then the rest."""
    order = sorted(found.miners, key=lambda one: (not one.attacks, one.taken - one.judged, one.uid))
    kept = {one.uid for one in order[:MOST_MINERS]}
    return [one for one in found.miners if one.uid in kept]


def _miner(found: Attacks, one: MinerRounds, first: int) -> dict[str, Any]:
    share = found.share(one)
    return {
        "uid": one.uid,
        "bad": one.attacks,
        "role": noun(one.role) if one.attacks else "miner",
        "does": ATTACKERS[one.role].what if one.role in ATTACKERS else "",
        "taken": one.taken,
        "judged": one.judged,
        "out": one.first_out,
        "last": one.last_taken,
        "reason": plain(one.reason, REASON),
        "paid": _alpha(one.paid_alpha_rao),
        "share": None if share is None else round(share, 4),
        "rounds": [_round(each) for each in one.seen if each.round >= first],
    }


def _round(each: Seen) -> list[Any]:
    return [
        each.round, _MARKS[each.mark], _number(each.removed), _number(each.noise), _number(each.own_work),
        plain(each.reason, REASON) if each.mark in ("shut out", "refused") else each.mark,
    ]  # fmt: skip


def _number(value: float | None) -> float | None:
    return None if value is None or not isfinite(value) else round(value, 6)


def _alpha(rao: int) -> float:
    return round(rao / RAO_PER_TAO, 6)
