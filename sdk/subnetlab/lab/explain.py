"""Why a uid earned what it earned: work, score, weights, consensus, incentive, emission, one step at a time.

Every number is recorded or recomputed from recorded ones by the same Yuma that the devnet runs; where the two
differ, the explanation says by how much. Roles are used for the last sentence only: a validator never sees
them, and the steps must make sense without.
"""

from dataclasses import dataclass
from statistics import median

from subnetlab.errors import RunNotFinished, UnknownUid
from subnetlab.lab.consensus import Recomputed, recompute
from subnetlab.lab.tally import MinerTally, Tally
from subnetlab.lab.words import amount_alpha, bytes_text, count_word, percent
from subnetlab.text import plain_lines

_TOLERANCE = 0.01
"""A recomputed share this close to the chain's counts as the same; weights may move in the epoch's block."""

REASONS = {
    "missing": "nothing was uploaded",
    "late": "it came after the deadline",
    "wrong_hash": "it was not what had been committed",
    "not_finite": "it held numbers that are not finite",
    "gated": "it did not lower the loss on its own data more than on other data",
}
"""The record's short words, said in a sentence; others are shown as they are."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step from work to pay: who acts, what it is called, one or two sentences, and its number."""

    name: str
    who: str
    sentence: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The steps for one uid and the answer in a sentence."""

    uid: int
    role: str
    steps: tuple[Step, ...]
    answer: str

    def __str__(self) -> str:
        lines = [f"Why uid {self.uid} earned what it earned", ""]
        for number, step in enumerate(self.steps, 1):
            lines += [f"{number}. {step.name} ({step.who}): {step.value}", f"   {step.sentence}"]
        return plain_lines("\n".join([*lines, "", self.answer]))

    __repr__ = __str__


def explain(tally: Tally, uid: int) -> Explanation:
    """Explain one uid's pay from the record.

    Raises:
        UnknownUid: the run gave nobody this uid.
        RunNotFinished: no epoch has paid anyone yet.
    """
    seats = tally.uids("owner", "miner", "free_rider", "validator", "other", "unknown")
    if uid not in seats:
        known = ", ".join(map(str, seats)) or "none yet"
        raise UnknownUid(f"Nobody in this run holds uid {uid}.", hint=f"The run's uids: {known}.")
    if not tally.epochs:
        raise RunNotFinished("No epoch has paid anyone yet.", hint="Ask again after the first tempo.")
    role = tally.role(uid)
    if role in ("validator", "owner", "other", "unknown"):
        return _explain_voter(tally, uid, role)
    yuma = next((found for epoch in reversed(tally.epochs) if (found := recompute(epoch))), None)
    miner = tally.miners.get(uid, MinerTally(uid))
    steps = (
        _work(tally, miner),
        _score(tally, miner),
        *((_weights(tally, uid, yuma), _consensus(uid, yuma), _incentive(uid, yuma)) if yuma else ()),
        _emission(tally, uid),
    )
    return Explanation(uid=uid, role=role, steps=steps, answer=_answer(tally, miner, role))


# -- the steps of a miner --------------------------------------------------------------------------


def _work(tally: Tally, miner: MinerTally) -> Step:
    sizes = list(miner.wire_bytes.values())
    if not sizes:
        return Step("work", "the miner", "The record holds no payload of it.", "nothing")
    sentence = (
        f"It sent {len(sizes)} payloads of about {bytes_text(median(sizes))}; the median miner's are"
        f" {bytes_text(tally.wire_bytes_per_round)}. From the outside honest work and noise look alike: size"
        " says nothing."
    )
    return Step("work", "the miner", sentence, f"{len(sizes)} payloads")


def _score(tally: Tally, miner: MinerTally) -> Step:
    verdicts = miner.verdicts
    if not verdicts:
        return Step("score", "each validator", "No validator has judged it yet.", "–")
    others = [m.mean_score for m in tally.miners.values() if m.uid != miner.uid and m.scores]
    beside = f" The other miners' median is {percent(median(others))}." if others else ""
    refused = [v for v in verdicts if v.verdict != "accepted"]
    why = ""
    if refused:
        last = refused[-1]
        reason = last.reason or REASONS.get(last.verdict, last.verdict)
        why = f' It was refused {len(refused)} times out of {len(verdicts)}, the last time so: "{reason}"'
    sentence = (
        "Each validator put the payload into the model and measured the loss on text nobody had trained on:"
        f" on average that removed {percent(miner.mean_score)} of the loss.{beside}{why}"
    )
    return Step("score", "each validator", sentence, percent(miner.mean_score))


def _weights(tally: Tally, uid: int, yuma: Recomputed) -> Step:
    given = {validator: row.get(uid, 0.0) for validator, row in yuma.weight.items()}
    miners = [m for m in tally.uids("miner", "free_rider") if m != uid]
    usual = median([row.get(m, 0.0) for row in yuma.weight.values() for m in miners] or [0.0])
    said = ", ".join(f"validator {v} gave it {percent(share)}" for v, share in sorted(given.items()))
    sentence = (
        "A validator turns its ratings into weights that sum to one and puts them on the chain:"
        f" {said} (the others' median is {percent(usual)})."
    )
    mean = sum(given.values()) / len(given) if given else 0.0
    return Step("weight", "each validator", sentence, percent(mean))


def _consensus(uid: int, yuma: Recomputed) -> Step:
    agreed = yuma.consensus[uid]
    cut = [v for v, row in yuma.weight.items() if row.get(uid, 0.0) > agreed + 1e-6]
    clipped = (
        f" {_voters(cut)} had given more, and that part was cut off."
        if cut
        else " Nobody had given more, so nothing was cut off."
    )
    sentence = (
        "The chain takes the highest weight that validators with more than half of the stake support:"
        f" {percent(agreed)}.{clipped} So one validator alone cannot lift a friend."
    )
    return Step("consensus", "the chain", sentence, percent(agreed))


def _voters(uids: list[int]) -> str:
    names = " and ".join(map(str, sorted(uids)))
    return f"Validator {names}" if len(uids) == 1 else f"Validators {names}"


def _incentive(uid: int, yuma: Recomputed) -> Step:
    share, stored = yuma.incentive[uid], yuma.chain_incentive[uid]
    if abs(share - stored) <= _TOLERANCE:
        agrees = "which is what the chain stored"
    else:
        agrees = f"while the chain stored {percent(stored)}: weights moved in the epoch's own block"
    sentence = (
        "Those weights, each counted by its validator's stake and divided by the sum over all miners, are its"
        f" incentive: {percent(share)}, {agrees}."
    )
    return Step("incentive", "the chain", sentence, percent(stored))


def _emission(tally: Tally, uid: int) -> Step:
    pay, paid = tally.pay_by_epoch(uid), tally.paid(uid)
    sentence = (
        f"At the end of each of {len(pay)} tempos the chain paid new tokens by incentive; summed over the run"
        f" that is {amount_alpha(paid)}. The median honest miner got {amount_alpha(tally.honest_median_pay)}."
    )
    return Step("emission", "the chain", sentence, amount_alpha(paid))


def _answer(tally: Tally, miner: MinerTally, role: str) -> str:
    paid, usual = tally.paid(miner.uid), tally.honest_median_pay
    share = percent(paid / usual) if usual else "–"
    if role == "free_rider":
        early = " What it did get, it got before the validators had seen enough of it." if paid else ""
        return (
            f"In short: uid {miner.uid} sent noise. Noise lowers nobody's loss, so it scored nothing, so no"
            f" validator gave it weight, so consensus was zero, so the chain paid it {share} of what an"
            f" honest miner got.{early}"
        )
    if miner.uid in tally.gone:
        return f"In short: uid {miner.uid} left the run ({tally.gone[miner.uid]}), and pay follows work."
    refused = sum(v.verdict != "accepted" for v in miner.verdicts)
    often = f" It was refused {count_word(refused)} times." if refused else ""
    return (
        f"In short: uid {miner.uid} trained on the text it was assigned, its updates lowered the loss, and it"
        f" was paid for that: {share} of the honest median.{often}"
    )


# -- validators and the owner ----------------------------------------------------------------------


def _explain_voter(tally: Tally, uid: int, role: str) -> Explanation:
    last = tally.epochs[-1]
    if uid not in last.uids:
        raise UnknownUid(f"The last epoch knows no uid {uid}.", hint="It may have been replaced.")
    i = last.uids.index(uid)
    stake, trust = last.stake_alpha_rao[i], last.validator_trust[i] / 65535
    dividends = last.dividends[i] / (sum(last.dividends) or 1)
    total = (
        sum(s for s, permit in zip(last.stake_alpha_rao, last.validator_permit, strict=True) if permit) or 1
    )
    behind = f"{amount_alpha(stake)} stand behind it: its vote counts by that."
    bonded = "Its share of what validators earn, by its bonds to miners that proved good."
    steps = (
        Step("stake", "its backers", behind, percent(stake / total)),
        Step("trust", "the chain", "What consensus left of the weights it set.", percent(trust)),
        Step("dividends", "the chain", bonded, percent(dividends)),
        _emission(tally, uid),
    )
    if role == "owner":
        answer = (
            f"In short: uid {uid} belongs to the subnet's owner, who neither mined nor judged here. The"
            " owner's cut of the emission is taken before the epoch shares out the rest."
        )
    elif role in ("other", "unknown"):
        answer = (
            f"In short: uid {uid} holds a seat on this subnet but takes no part in this run: it neither"
            " mined nor judged here."
        )
    else:
        answer = f"In short: uid {uid} judges. It is paid for stake put behind judgements that others share."
    return Explanation(uid=uid, role=role, steps=steps, answer=answer)
