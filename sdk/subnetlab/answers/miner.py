"""A miner of answers: asks its function, seals what it answered, commits, and reveals after the deadline."""

import time
from math import nan
from typing import Any, ClassVar, Final

from subnetlab.answers.calls import FunctionFailed
from subnetlab.answers.draw import tasks_of
from subnetlab.answers.payload import Answer, encode
from subnetlab.answers.peer import AnswersPeer
from subnetlab.record.events import Mined, Role
from subnetlab.store.places import locator_of
from subnetlab.train import object_paths
from subnetlab.train.anchors import NOTHING, Anchor
from subnetlab.train.manifest import RoundHeights
from subnetlab.train.payload.seal import Binding, Sealed, seal, signed_text
from subnetlab.train.publishing import put_reveal

ANSWER: Final = "answer"
"""What a miner's function is called among its functions."""


class AnsweringMiner(AnswersPeer):
    """One miner's process."""

    role: ClassVar[Role] = "miner"
    previous: bytes = NOTHING
    """The commitment of the round before."""

    def take_part(self, heights: RoundHeights) -> None:
        """Answer, commit before the deadline, reveal after it."""
        began = time.perf_counter()
        payload = encode(self.answers(heights), self.manifest.answer_bytes)
        binding = Binding(run=self.run_hash, round=heights.round, hotkey=self.hotkey)
        answered = time.perf_counter()
        sealed = self.sealed(payload, binding)
        self.store.put(object_paths.sealed(heights.round, self.seat.uid, sealed.commitment), sealed.data)
        stored = time.perf_counter()
        self.commit(sealed, heights)
        submitted = time.perf_counter()
        self.done("committed", heights)
        wait_s = self.wait(heights.commit)
        self.reveal(sealed, binding, heights)
        self.done("revealed", heights)
        self.report(
            Mined(
                uid=self.seat.uid,
                round=heights.round,
                loss=nan,
                wire_bytes=len(sealed.data),
                dense_bytes=0,
                commitment=sealed.commitment.hex(),
                compute_s=answered - began,
                compress_s=nan,
                store_s=stored - answered,
                wait_s=wait_s,
                chain_s=submitted - stored,
            )
        )

    def answers(self, heights: RoundHeights) -> list[Answer]:
        """What the function makes of the round's tasks, within the time limit for all of them."""
        opened = self.chain.block_hash(heights.open)
        tasks = tasks_of(self.manifest, heights.round, self.seat.uid, opened, self.calls)
        deadline = time.monotonic() + self.manifest.time_limit_s
        return [self._answer(task, deadline) for task in tasks]

    def _answer(self, task: Any, deadline: float) -> Answer:
        if time.monotonic() >= deadline:
            return Answer(why_not="there was no time left for it")
        limit = self.manifest.answer_bytes
        try:
            return Answer(self.calls.call(ANSWER, task, deadline=deadline, limit=limit))
        except FunctionFailed as error:
            return Answer(why_not=str(error))

    def sealed(self, payload: bytes, binding: Binding) -> Sealed:
        """Seal the answers for this round and hotkey."""
        return seal(payload, binding)

    def commit(self, sealed: Sealed, heights: RoundHeights) -> None:
        """Put the commitment on chain, linked to the one before."""
        place = locator_of(self.store)
        anchor = Anchor("miner", heights.round, sealed.commitment, self.previous, locator=place)
        self.chain.commit(anchor.to_bytes())
        self.previous = sealed.commitment

    def reveal(self, sealed: Sealed, binding: Binding, heights: RoundHeights) -> None:
        """Publish salt and key, signed."""
        signature = self.sign(signed_text(sealed.commitment, binding))
        prefix = object_paths.reveals(heights.round, self.seat.uid, self.chain.block_hash(heights.commit))
        put_reveal(self.store, prefix, sealed, signature)
