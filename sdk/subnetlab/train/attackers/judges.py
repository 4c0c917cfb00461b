"""Validators that vote for their own good: by copying what others vote, for accomplices, against the best.

Stake decides how far such a vote carries; the chain's consensus, which takes the median of stake, has to cut
it off.
"""

from subnetlab.errors import PayloadRejected
from subnetlab.train.judging import Judged
from subnetlab.train.manifest import RoundHeights
from subnetlab.train.roster import validators
from subnetlab.train.validator import Validator, weights_set


class WeightCopier(Validator):
    """Judges nothing and publishes nothing: votes as the first other validator voted in the round before."""

    def take_part(self, heights: RoundHeights) -> None:
        """Read the weights that stand, and set the same."""
        self.done("ready", heights)
        self.wait(heights.beacon)
        standing = self.chain.weights()
        others = (seat.hotkey for seat in validators(self.seats) if seat.hotkey != self.hotkey)
        copied = next((standing[hotkey] for hotkey in others if hotkey in standing), {})
        if copied:
            self.chain.set_weights(copied)
            self.report(weights_set(self.seat.uid, heights, copied))
        self.done("scored", heights)


class Framer(Validator):
    """Judges honestly but for the best miner, of which it says that an audit refuted its work."""

    def judge(self, heights: RoundHeights) -> Judged:
        """Take the best miner out as if its work were not its own."""
        judged = super().judge(heights)
        if judged.removed:
            best = max(judged.removed, key=lambda uid: (judged.removed[uid].held_out, uid))
            said = "Trained again from its own state on its assigned items, the update is another."
            judged.rejected[best] = PayloadRejected(said, reason="not_its_work")
            judged.audits[best] = "not_its_work"
            del judged.received[best], judged.removed[best]
            judged.gated.pop(best, None)
        return judged


class Colluder(Validator):
    """Judges and publishes honestly, so that its records hold, and gives its whole vote to accomplices.

    Its accomplices are the miners whom it had to shut out; where there are none, it votes honestly.
    """

    def vote(self, judged: Judged) -> dict[int, float]:
        """Everything on those whom honest validators pay nothing."""
        honest = super().vote(judged)
        friends = {*judged.gated, *judged.rejected}
        return {uid: float(uid in friends) for uid in honest} if friends else honest
