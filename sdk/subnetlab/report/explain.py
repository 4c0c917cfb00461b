"""Why a uid earned what it earned: work, score, weights, consensus, incentive, emission, step by step.

Every sentence is computed from the verdicts, weights and pay on record, and every number of a sentence is of
the same rounds or epochs. Roles decide nothing but which steps are shown: a validator never sees them.
"""

from collections import Counter
from dataclasses import dataclass
from statistics import median

from subnetlab.errors import RunNotFinished, UnknownUid
from subnetlab.record.verdicts import Judgement, MinerView, Standing
from subnetlab.record.view import RunView
from subnetlab.report import answers, html
from subnetlab.report.consensus import Recomputed, recompute
from subnetlab.report.format import amount_alpha, bytes_text, counted, listed, percent
from subnetlab.report.merit import Merit, merits
from subnetlab.report.voting import Voting, voting, voting_stake
from subnetlab.text import plain_lines, with_article
from subnetlab.train.attackers import noun

_TOLERANCE = 0.01
"""A recomputed share this close to the chain's counts as the same; weights may move in the epoch's block."""
_SAME_SIZE = 0.05
_MAJORITY = 0.5


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

    def _repr_html_(self) -> str:
        words = [
            html.paragraph(f"{number}. {step.name} ({step.who}). {step.sentence}")
            for number, step in enumerate(self.steps, 1)
        ]
        return html.block(
            html.paragraph(f"Why uid {self.uid} earned what it earned", bold=True),
            html.table([step.name for step in self.steps], [[step.value for step in self.steps]], words=0),
            *words,
            html.paragraph(self.answer, bold=True),
        )


def explain(view: RunView, uid: int) -> Explanation:
    """Explain one uid's pay from the record.

    Raises:
        UnknownUid: the run's record names no such seat.
        RunNotFinished: no epoch has paid anyone yet.
    """
    seats = sorted(seat for seat in view.seats if seat >= 0)
    if uid not in seats:
        known = ", ".join(map(str, view.peers)) or "none yet"
        raise UnknownUid(f"No peer of this run holds uid {uid}.", hint=f"The run's uids: {known}.")
    if view.pay.last is None:
        raise RunNotFinished("No epoch has paid anyone yet.", hint="Ask again after the first tempo.")
    role = view.role(uid)
    if view.seated_as(uid) == "validator" or uid not in view.peers:
        return _explain_voter(view, uid, role)
    miner = view.miners.get(uid, MinerView(uid))
    votes = voting(view, uid)
    work, score = _work(view, miner), _score(view, miner)
    if not view.trains:
        work = Step("work", "the miner", *answers.worked(miner))
        score = Step("score", "each validator", *answers.scored(view, miner))
    steps = (
        work,
        score,
        *((_weights(votes), _consensus(votes), _incentive(view, uid, votes)) if votes else ()),
        _emission(view, uid),
    )
    answer = _answer(view, miner, votes) if view.trains else answers.in_short(view, miner)
    return Explanation(uid=uid, role=role, steps=steps, answer=answer)


# -- the steps of a miner --------------------------------------------------------------------------


def _work(view: RunView, miner: MinerView) -> Step:
    sizes = [mined.wire_bytes for mined in miner.mined.values()]
    if not sizes:
        return Step("work", "the miner", "The record holds no payload of it.", "nothing")
    size, usual = median(sizes), view.wire_bytes_per_round
    sent = counted(len(sizes), "payload")
    if abs(size - usual) <= _SAME_SIZE * usual:
        alike = "From the outside honest work, noise and sabotage look alike: size says nothing."
        beside = f"as large as the median miner's. {alike}"
    else:
        beside = f"while the median miner's are {bytes_text(usual)}."
    return Step("work", "the miner", f"It sent {sent} of about {bytes_text(size)}, {beside}", sent)


def _score(view: RunView, miner: MinerView) -> Step:
    judged = miner.judgements
    if not judged:
        return Step("score", "each validator", "No validator has judged it yet.", "–")
    sentence = " ".join(filter(None, (_measured(view, miner, judged), _refused(judged))))
    return Step("score", "each validator", sentence, "–" if miner.score is None else percent(miner.score))


def _measured(view: RunView, miner: MinerView, judged: list[Judgement]) -> str:
    tried = sum(one.tried for one in judged)
    if miner.score is None:
        rounds = counted(len(judged), "round")
        return f"In {rounds} no payload of it was opened and tried on data, so nothing was measured."
    where = "each" if tried == len(judged) else f"{tried} of {len(judged)}"
    rounds = "round" if where == "each" else "rounds"
    others = [
        other.score for uid, other in view.miners.items() if uid != miner.uid and other.score is not None
    ]
    beside = f" The other miners' median is {percent(median(others))}." if others else ""
    found = merits(view)
    return (
        f"In {where} {rounds} validators put the payload into the model and measured the loss on data"
        f" no miner had seen: on average that {_removed(miner.score)}.{beside}{_noise(found.get(miner.uid))}"
    )


def _removed(score: float) -> str:
    if score < 0:
        return f"added {percent(-score)} to the loss"
    return f"removed {percent(score)} of the loss" if score else "removed nothing of the loss"


def _noise(merit: Merit | None) -> str:
    if merit is None or merit.mean <= 0 or merit.differs_from_median:
        return ""
    return " The difference is within the noise of its rounds."


def _refused(judged: list[Judgement]) -> str:
    said: list[str] = []
    refused = [one for one in judged if not one.accepted and not one.missed]
    missed = [one for one in judged if one.missed]
    of = f"of {counted(len(judged), 'round')}"
    if refused:
        times = f"in {len(refused)} {of}"
        last = ', the last time so: "' if len(refused) > 1 else ': "'
        said.append(f'It was refused {times}{last}{refused[-1].reason}"')
    if missed:
        common = Counter(one.reason for one in missed).most_common(1)[0][0]
        said.append(f'In {len(missed)} {of} nothing of it was there in time: "{common}"')
    if unpaid := [one for one in judged if one.accepted and one.reason]:
        said.append(
            f'In {len(unpaid)} {of} it was taken and earned nothing, the last time so: "{unpaid[-1].reason}"'
        )
    return " ".join(said)


def _weights(votes: Voting) -> Step:
    said = listed([f"validator {v} gave it {percent(share)}" for v, share in sorted(votes.given.items())])
    sentence = (
        "A validator turns its ratings into weights that sum to one and puts them on the chain. On average"
        f" over {_epochs(votes.epochs)} {said or 'no validator with a permit gave weights'}; the others'"
        f" median is {percent(votes.usual)}."
    )
    mean = sum(votes.given.values()) / len(votes.given) if votes.given else 0.0
    return Step("weight", "each validator", sentence, percent(mean))


def _epochs(number: int) -> str:
    return "the one tempo that paid" if number == 1 else f"the {number} tempos that paid"


def _consensus(votes: Voting) -> Step:
    if votes.cut:
        who = listed([str(voter) for voter in votes.cut])
        times = max(votes.cut.values())
        names = "Validator" if len(votes.cut) == 1 else "Validators"
        clipped = f" {names} {who} had given more in {times} of them, and that part was cut off."
    else:
        clipped = " No validator had given more, so nothing was cut off."
    sentence = (
        "The chain takes the highest weight that validators with at least half of the stake support: on"
        f" average {percent(votes.agreed)} over the same tempos.{clipped}{_strongest(votes)}"
    )
    return Step("consensus", "the chain", sentence, percent(votes.agreed))


def _strongest(votes: Voting) -> str:
    if votes.strongest is None:
        return ""
    uid, share = votes.strongest
    if share > _MAJORITY:
        return f" Validator {uid} holds {percent(share)} of the voting stake: here it decides alone."
    held = f"The largest validator, {uid}, holds {percent(share)} of the voting stake"
    return f" {held}, so none alone can lift a friend."


def _incentive(view: RunView, uid: int, votes: Voting) -> Step:
    newest = next((found for epoch in reversed(view.pay.epochs) if (found := recompute(epoch))), None)
    sentence = (
        "Those weights, each counted by its validator's stake and divided by the sum over all miners, are its"
        f" incentive: on average {percent(votes.incentive)}.{_checked(uid, newest)}"
    )
    return Step("incentive", "the chain", sentence, percent(votes.incentive))


def _checked(uid: int, newest: Recomputed | None) -> str:
    if newest is None or uid not in newest.incentive:
        return ""
    share, stored = newest.incentive[uid], newest.chain_incentive[uid]
    if abs(share - stored) <= _TOLERANCE:
        return f" Computed again for the last tempo it is {percent(share)}, which is what the chain stored."
    return (
        f" Computed again for the last tempo it is {percent(share)}, while the chain stored"
        f" {percent(stored)}: weights moved in the epoch's own block."
    )


def _emission(view: RunView, uid: int) -> Step:
    paid, tempos = view.pay.total(uid), len(view.pay.epochs)
    sentence = (
        f"At the end of each of {counted(tempos, 'tempo')} the chain paid new tokens; over the run that"
        f" is {amount_alpha(paid)}. The median honest miner got {amount_alpha(view.honest_median_pay)}."
    )
    return Step("emission", "the chain", sentence, amount_alpha(paid))


# -- the answer ------------------------------------------------------------------------------------


def _answer(view: RunView, miner: MinerView, votes: Voting | None) -> str:
    standing, paid, usual = view.standing(miner.uid), view.pay.total(miner.uid), view.honest_median_pay
    share = f"{percent(paid / usual)} of the honest median" if usual else amount_alpha(paid)
    start = f"In short: uid {miner.uid}"
    judged = counted(miner.judged, "round")
    if standing is Standing.GONE:
        return f"{start} left the run ({view.gone[miner.uid]}), and pay follows work: {share}."
    if standing is Standing.NOT_JUDGED:
        return f"{start} was judged by no validator, and was paid {share}."
    if standing is Standing.WORKS:
        often = "" if miner.accepted == miner.judged else f" in {miner.accepted} of {judged}"
        helped = "its updates lowered the loss" if (miner.score or 0) > 0 else "its updates were accepted"
        pay = "and it was paid for that" if paid else "and it was paid nothing yet"
        return f"{start} sent work that validators took{often}: {helped}, {pay}: {share}."
    weight = votes.agreed if votes else 0.0
    so = f"the validators agreed on a weight of {percent(weight)}" if weight else "no weight was agreed on"
    early = (
        " What it did get, it got before the validators had seen enough of it." if paid and not weight else ""
    )
    if standing is Standing.MISSED:
        return (
            f"{start} had nothing there in time in {miner.missed} of {judged}. What is not there lowers no"
            f" loss, so {so}, so the chain paid it {share}.{early}"
        )
    refused = miner.judged - miner.accepted
    why = f"{start} was refused in {refused} of {judged}: {_because(miner)}"
    return f"{why} So {so}, so the chain paid it {share}.{early}"


def _because(miner: MinerView) -> str:
    """Why most of the refused rounds were refused, in the words of the last of them."""
    refused = [one for one in miner.judgements if not one.accepted]
    common = Counter(one.verdict for one in refused).most_common(1)[0][0]
    return next(one.reason for one in reversed(refused) if one.verdict == common).rstrip(".") + "."


# -- validators and other seats --------------------------------------------------------------------


def _explain_voter(view: RunView, uid: int, role: str) -> Explanation:
    last = view.pay.last
    if last is None or uid not in last.uids:
        raise UnknownUid(f"The last epoch knows no uid {uid}.", hint="It may have been replaced.")
    i = last.uids.index(uid)
    stake, trust = last.stake_alpha_rao[i], last.validator_trust[i] / 65535
    dividends = last.dividends[i] / (sum(last.dividends) or 1)
    shares = voting_stake(last)
    behind = f"{amount_alpha(stake)} back it."
    if uid in shares:
        behind += " Its vote counts by that: the value is its share of the stake that votes."
    part = percent(shares[uid]) if uid in shares else "no vote"
    steps = (
        Step("stake", "its backers", behind, part),
        Step("trust", "the chain", "What consensus left of the weights it set.", percent(trust)),
        Step(
            "dividends",
            "the chain",
            "Its share of what validators earn, by its bonds to miners that proved good.",
            percent(dividends),
        ),
        _emission(view, uid),
    )
    return Explanation(uid=uid, role=role, steps=steps, answer=_in_short(view, uid))


def _in_short(view: RunView, uid: int) -> str:
    role, plays = view.seated_as(uid), view.role(uid)
    if role == "validator" and plays != role:
        return f"In short: uid {uid} judges, and not honestly: it was started as {with_article(noun(plays))}."
    if role == "validator":
        return f"In short: uid {uid} judges. It is paid for stake put behind judgements that others share."
    if role == "owner":
        return (
            f"In short: uid {uid} belongs to the subnet's owner, who neither mined nor judged here. The"
            " owner's cut of the emission is taken before the epoch shares out the rest."
        )
    return f"In short: uid {uid} takes no part in this run; its seat is not one that the run started."
