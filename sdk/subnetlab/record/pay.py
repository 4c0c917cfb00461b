"""What the chain paid: by uid, epoch by epoch, in alpha-rao, as the record's epochs say.

An epoch recorded twice counts once, as it was recorded last. Shares are floats of one, for reading only.
"""

from dataclasses import dataclass, field

from subnetlab.record.events import EpochPaid


@dataclass(slots=True)
class Pay:
    """The epochs of a run."""

    by_block: dict[int, EpochPaid] = field(default_factory=dict[int, EpochPaid])
    _totals: dict[int, int] = field(default_factory=dict[int, int])
    _forgotten: int = -1

    def add(self, event: EpochPaid) -> None:
        """Take in an epoch; one at a block that was forgotten changes nothing."""
        if event.block <= self._forgotten:
            return
        if event.block in self.by_block:
            self._count(self.by_block[event.block], -1)
        self.by_block[event.block] = event
        self._count(event, 1)

    def forget(self, keep: int) -> None:
        """Drop all but the newest `keep` epochs; what was paid stays counted."""
        for block in sorted(self.by_block)[:-keep]:
            self._forgotten = max(self._forgotten, block)
            del self.by_block[block]

    @property
    def epochs(self) -> list[EpochPaid]:
        """Oldest first."""
        return [self.by_block[block] for block in sorted(self.by_block)]

    @property
    def last(self) -> EpochPaid | None:
        """The newest epoch."""
        return self.by_block[max(self.by_block)] if self.by_block else None

    def total(self, uid: int) -> int:
        """What a uid was paid over the whole run, alpha-rao."""
        return self._totals.get(uid, 0)

    def by_epoch(self, uid: int) -> list[int]:
        """What a uid was paid, epoch by epoch, alpha-rao."""
        return [epoch.paid_to(uid) for epoch in self.epochs]

    def incentive(self, uid: int) -> float:
        """A uid's share of what miners earned in the newest epoch, 0 to 1."""
        last = self.last
        if last is None or uid not in last.uids:
            return 0.0
        total = sum(last.incentive)
        return last.incentive[last.uids.index(uid)] / total if total else 0.0

    def _count(self, event: EpochPaid, by: int) -> None:
        for uid in event.uids:
            self._totals[uid] = self._totals.get(uid, 0) + by * event.paid_to(uid)
