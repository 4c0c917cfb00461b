"""Why a seat was paid what it was paid, from the chain alone: the last epoch's weights, consensus and pay.

What a run's record knows (work, scores, reasons of refusal) the chain does not know; `explain` tells that.
"""

from statistics import median

from subnetlab.network.metagraph import MetagraphSnapshot
from subnetlab.report.evaluation import Evaluation
from subnetlab.report.explain import Explanation, Step
from subnetlab.report.format import amount_alpha, listed, percent
from subnetlab.units import U16_MAX


def explain_seat(found: Evaluation, after: MetagraphSnapshot, uid: int, *, ran: bool) -> Explanation:
    """Explain one uid's last pay.

    Args:
        found: the epoch, evaluated again.
        after: the metagraph with what the chain made of it.
        uid: of a neuron of the subnet.
        ran: whether the chain evaluated exactly this; else it is what the next epoch would do.
    """
    neuron = after.neurons[uid]
    paid = int(neuron.emission_alpha_rao)
    if uid in found.validators:
        return Explanation(
            uid=uid, role="validator", steps=_voting(found, uid, paid), answer=_voter(uid, paid, ran=ran)
        )
    if uid in found.miners:
        steps = _mining(found, after, uid, paid)
        return Explanation(uid=uid, role="miner", steps=steps, answer=_miner(found, uid, paid, ran=ran))
    owner = neuron.hotkey == after.owner_hotkey
    role = "owner" if owner else "seat"
    why = (
        "It belongs to the subnet's owner, whose cut is taken before the epoch shares out the rest."
        if owner
        else "No validator whose vote counts gave it any weight, and it gave none itself."
    )
    steps = (Step("emission", "the chain", why, amount_alpha(paid)),)
    return Explanation(uid=uid, role=role, steps=steps, answer=f"In short: uid {uid} took no part. {why}")


def _mining(found: Evaluation, after: MetagraphSnapshot, uid: int, paid: int) -> tuple[Step, ...]:
    given = {v: found.weights[v][uid] for v in found.validators}
    others = [found.incentive[miner] for miner in found.miners if miner != uid]
    beside = f" The other miners' median is {percent(median(others))}." if others else ""
    agreed, cut = (
        found.consensus[uid],
        [v for v in found.validators if given[v] > found.consensus[uid] + 1e-4],
    )
    clipped = (
        f" What {_named('validator', cut)} gave above it was cut off." if cut else " No weight was above it."
    )
    said = listed([f"validator {v} gave it {percent(share)}" for v, share in given.items()])
    total = sum(neuron.incentive for neuron in after.neurons)
    stored = after.neurons[uid].incentive / (total or U16_MAX)
    return (
        Step(
            "weight",
            "each validator",
            f"Of all it had to give, {said}.",
            percent(sum(given[v] * found.stake[v] for v in given)),
        ),
        Step(
            "consensus",
            "the chain",
            f"Validators with at least half of the stake support {percent(agreed)}.{clipped}",
            percent(agreed),
        ),
        Step(
            "incentive",
            "the chain",
            "Counted by stake and divided by the sum over all miners."
            f" The chain stored {percent(stored)}.{beside}",
            percent(found.incentive[uid]),
        ),
        Step("emission", "the chain", "Its part of what the epoch paid miners.", amount_alpha(paid)),
    )


def _voting(found: Evaluation, uid: int, paid: int) -> tuple[Step, ...]:
    kept = found.epoch.validator_trust[uid] / 2**32
    return (
        Step(
            "stake",
            "its backers",
            "Its vote counts by its share of the stake that votes.",
            percent(found.stake[uid]),
        ),
        Step("trust", "the chain", "What consensus left of the weights it set.", percent(kept)),
        Step(
            "dividends",
            "the chain",
            "Its share of what validators earn, by its stake and its bonds to miners that earned.",
            percent(found.dividends[uid]),
        ),
        Step("emission", "the chain", "Its part of what the epoch paid validators.", amount_alpha(paid)),
    )


def _miner(found: Evaluation, uid: int, paid: int, *, ran: bool) -> str:
    share = found.incentive[uid]
    if not share:
        return f"In short: the validators agreed on nothing for uid {uid}, so it is paid nothing."
    verb = "was paid" if ran else "would be paid by the next epoch; the last one paid it"
    return (
        f"In short: the validators agreed that uid {uid} is worth {percent(share)} of the miners' pay, and it"
        f" {verb} {amount_alpha(paid)}."
    )


def _voter(uid: int, paid: int, *, ran: bool) -> str:
    when = "" if ran else " by the last epoch"
    return (
        f"In short: uid {uid} judges, and was paid {amount_alpha(paid)}{when} for stake behind judgements"
        " that others share."
    )


def _named(word: str, uids: list[int]) -> str:
    return f"{word}{'s' if len(uids) > 1 else ''} {listed([str(uid) for uid in uids])}"
