"""Where a public run is, from the chain alone: which round, and who takes part in it."""

from dataclasses import asdict, dataclass
from typing import Any

from subnetlab.public.found_run import FoundRun
from subnetlab.public.joining import duration
from subnetlab.public.subnet_reads import SubnetReads
from subnetlab.report.format import counted
from subnetlab.train.anchors import Anchor


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicStatus:
    """A run at a block."""

    run_id: str
    manifest_hash: str
    store: str
    block: int
    round: int
    """The round at hand, counted from 0; -1 before the first."""
    rounds: int
    over: bool
    miners: list[int]
    """Uids that committed a payload in the round at hand or the one before."""
    validators: list[int]
    """Uids that anchored a record in the round at hand or the one before."""
    left_s: float
    """Seconds until the last round closes."""

    def to_json(self) -> dict[str, Any]:
        """The same in JSON types."""
        return asdict(self)

    def __str__(self) -> str:
        if self.over:
            return f"Run {self.run_id} is over: {self.rounds} rounds, and the chain is at block {self.block}."
        if self.round < 0:
            return f"Run {self.run_id} has not begun; the chain is at block {self.block}."
        return (
            f"Run {self.run_id}: round {self.round + 1} of {self.rounds}, block {self.block}; "
            f"taking part: {counted(len(self.miners), 'miner')} and "
            f"{counted(len(self.validators), 'validator')}; "
            f"{duration(self.left_s)} left."
        )


def status_of(reads: SubnetReads, found: FoundRun) -> PublicStatus:
    """Read where a run is.

    Raises:
        NodeUnreachable: the node does not answer.
    """
    head = reads.head().number
    length = int(found.manifest["blocks_per_round"])
    round_ = min((head - found.opens(0)) // length, found.rounds - 1) if head >= found.opens(0) else -1
    miners, validators = list[int](), list[int]()
    since = found.opens(max(round_ - 1, 0))
    for hotkey, committed in reads.commitments().items():
        anchor, neuron = Anchor.from_bytes(committed.data), found.seats.by_hotkey(hotkey)
        if anchor is not None and neuron is not None and committed.block > since:
            (miners if anchor.who == "miner" else validators).append(neuron.uid)
    return PublicStatus(
        run_id=found.run_id, manifest_hash=found.hash, store=found.where, block=head, round=round_,
        rounds=found.rounds, over=found.rounds < 1 or head >= found.closes,
        miners=sorted(miners), validators=sorted(validators),
        left_s=max(0.0, (found.closes - head) * reads.block_s()),
    )  # fmt: skip
