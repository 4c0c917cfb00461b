"""Why a payload was not taken, as the short words of a record and as sentences for a person.

The words are those of `Scored.verdict`. Which of them mean that nothing arrived in time, and which that the
payload was opened and tried on data, is said here once, so that no page claims a measurement that was not
made.
"""

from typing import Final

from subnetlab.record.events import Scored

ACCEPTED: Final = "accepted"
GATED: Final = "gated"
COPIED: Final = "copied"
UNTRIED: Final = "untried"
NO_ANSWER: Final = "no_answer"
NO_SCORE: Final = "no_score"
JUDGE_FAILED: Final = "judge_failed"

IN_WORDS: Final[dict[str, str]] = {
    "missing": "No commitment of this round is on chain.",
    "late": "The commitment came after the deadline.",
    "no_payload": "The committed payload is not in the store.",
    "unreachable": "The miner's place in the store did not answer.",
    "too_large": "The payload is larger than this model allows.",
    "no_reveal": "The payload was committed but never revealed.",
    "bad_signature": "The reveal is not signed by the miner's hotkey.",
    "wrong_key": "The revealed key does not open the payload.",
    "wrong_hash": "The payload is not what was committed: copied, altered, or from another round.",
    "malformed": "The payload is not written as the run's strategy writes it.",
    "bad_index": "The payload names a parameter that does not exist.",
    "not_finite": "The payload holds NaN or infinity.",
    "huge": "The payload holds an absurdly large value.",
    "not_its_work": "Trained again, the work this miner was assigned does not make this payload.",
    "no_state": "Its round was drawn to be audited, and there is no state to train it again from.",
    "unlinked": "The memory that the work begins with is not what the miner had when the round before ended.",
    "stale": "The payload was trained from the model of an earlier round.",
    "foreign": "The payload was trained from a model that is none of this run.",
    "excluded": "The miner is shut out for some rounds, because it sent what only a cheat can.",
    COPIED: "The payload equals, or nearly, one that was committed no later, in this round or before.",
    GATED: "Tried on data, the update did not lower the loss, or by too little beside the median miner's.",
    NO_ANSWER: "No task of the round was answered.",
    NO_SCORE: "The answers were judged, and were worth nothing.",
    JUDGE_FAILED: "The judge failed on an answer.",
    UNTRIED: "The payload was sound, but not drawn to be tried on data, and not taken on earlier trials.",
}
"""Every word a validator refuses with, as a sentence."""

MEASURED: Final = frozenset({ACCEPTED, GATED, NO_SCORE})
"""Verdicts on a payload that was opened and tried on data, unless it was accepted untried; all others were
refused before that, or left out."""

FORGED: Final = frozenset({
    "bad_signature", "wrong_key", "wrong_hash", "malformed", "bad_index", "huge", "too_large",
    "not_its_work", "no_state",
})  # fmt: skip
"""Verdicts on what no program sends that follows the protocol: cheating, not failing."""

PARTICULAR: Final = frozenset({"not_its_work", "stale", "foreign", "excluded"})
"""Verdicts whose validator says more than their sentence: which step, how many rounds behind, until when."""

MISSED: Final = frozenset({"missing", "late", "no_payload", "unreachable", "no_reveal", NO_ANSWER})
"""Verdicts on a round in which no payload was there in time."""


_RETRACTED: Final = (": it did not come from training.", ": an update that does harm is left out.")
"""What earlier versions said of every harmful update; the opposite of honest work does come from training."""


def measured(event: Scored) -> bool:
    """Whether a verdict rests on a trial on data."""
    return event.verdict in MEASURED and event.tried


def in_words(event: Scored) -> str:
    """Why a payload was not taken, in the validator's own words where it left any.

    Of one that was taken, why it earns nothing all the same; empty for every other.
    """
    if event.verdict == ACCEPTED:
        return event.reason
    return event.reason.replace(*_RETRACTED) or IN_WORDS.get(event.verdict, event.verdict)
