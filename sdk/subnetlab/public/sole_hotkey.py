"""Two processes that take part with one hotkey: the second is refused, or the first that notices ends.

A hotkey has one commitment on a subnet, so each would overwrite what the other needs for its round. What a
process has committed is kept beside its record; an anchor of the run that is not among it is another's.
Within one machine the lock of the record decides before this.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from subnetlab.errors import HotkeyInUse, RecordError
from subnetlab.network.chain import Chain, Commitment
from subnetlab.record.files import open_log
from subnetlab.train.anchors import Anchor
from subnetlab.train.hashing import digest
from subnetlab.train.manifest import Manifest


@dataclass(slots=True, kw_only=True)
class SoleHotkey:
    """Whether a hotkey's commitments in a run all come from here.

    Args:
        hotkey: its address (ss58).
        file: the hashes of what was committed from here, a line each.
        committed: reads the hotkey's commitment from the chain.
    """

    hotkey: str
    file: Path
    committed: Callable[[], Commitment | None]
    _known: set[str]

    @staticmethod
    def of(hotkey: str, file: Path, committed: Callable[[], Commitment | None]) -> "SoleHotkey":
        """With what was committed from here before."""
        lines = file.read_text(encoding="ascii").split() if file.exists() else []
        return SoleHotkey(hotkey=hotkey, file=file, committed=committed, _known=set(lines))

    def begin(
        self, manifest: Manifest, chain: Chain, patience_s: float, tell: Callable[[str], None]
    ) -> None:  # fmt: skip
        """Look before the first round whether another process is at work; wait for a round where one was.

        Raises:
            HotkeyInUse: it still is.
            NodeUnreachable: the chain seals no more blocks.
        """
        found = self._anchored(self.committed())
        if found is None:
            return
        anchor, committed = found
        head = chain.wait_for(0, 0).number
        at_hand = min((head - manifest.first_block) // manifest.blocks_per_round, manifest.rounds - 1)
        is_recent = anchor.round >= at_hand - 1 and committed.block >= manifest.first_block
        if is_recent and _hash(committed.data) not in self._known:
            awaited = min(max(anchor.round + 1, at_hand), manifest.rounds - 1)
            tell(
                f"The hotkey {self.hotkey} has committed in round {anchor.round + 1} from elsewhere. This "
                f"peer waits for the end of round {awaited + 1}, to see whether another process uses it."
            )
            chain.wait_for(manifest.heights(awaited).close, patience_s)
            self._refuse_another(committed.data)
        self._known.add(_hash(committed.data))

    def commits(self, data: bytes) -> None:
        """Take note of a commitment before it is sent.

        Raises:
            RecordError: the note cannot be kept.
            HotkeyInUse: the chain holds an anchor of this hotkey that does not come from here.
        """
        found = self._anchored(self.committed())
        if found is not None and _hash(found[1].data) not in self._known:
            self._refuse(found[1])
        try:
            with os.fdopen(open_log(self.file), "a", encoding="ascii") as file:
                file.write(f"\n{_hash(data)}\n")  # a line that a full disk tore ends here
        except OSError as error:  # what is not kept here would count as another process's after a restart
            raise RecordError(
                f"{self.file} cannot be written: {error.strerror or error}.",
                hint="Make room on the disk, or let the folder be written.",
            ) from error
        self._known.add(_hash(data))

    def _refuse_another(self, before: bytes) -> None:
        found = self._anchored(self.committed())
        if found is not None and found[1].data != before:
            self._refuse(found[1])

    def _refuse(self, committed: Commitment) -> None:
        raise HotkeyInUse(
            f"Another process takes part in this run with the hotkey {self.hotkey}: block {committed.block} "
            "holds a commitment that this one did not make."
        )

    @staticmethod
    def _anchored(committed: Commitment | None) -> tuple[Anchor, Commitment] | None:
        anchor = Anchor.from_bytes(committed.data) if committed else None
        return (anchor, committed) if anchor is not None and committed is not None else None


def _hash(data: bytes) -> str:
    return digest("committed", data).hex()
