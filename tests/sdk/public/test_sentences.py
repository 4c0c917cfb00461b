"""What an operator reads at a terminal: counts with their nouns, and one full stop a sentence."""

from subnetlab.public.log import _sentence
from subnetlab.public.status import PublicStatus
from subnetlab.record.events import Scored


def test_a_status_counts_one_miner_as_one() -> None:
    status = PublicStatus(
        run_id="plan-1", manifest_hash="", store="", block=9, round=2, rounds=6, over=False, miners=[1],
        validators=[2, 3], left_s=16.0,
    )  # fmt: skip
    assert "taking part: 1 miner and 2 validators; " in str(status)


def test_a_reason_that_is_a_sentence_ends_with_one_full_stop() -> None:
    scored = Scored(
        validator=1, uid=2, round=2, verdict="missing", score=0.0, loss_removed_assigned=0.0,
        loss_removed_held_out=0.0, rating=0.0, weight=0.0, norm=0.0,
        reason="No commitment of this round is on chain.",
    )  # fmt: skip
    assert _sentence(scored) == (
        "Round 3: uid 2 missing, weight 0.000: No commitment of this round is on chain."
    )
