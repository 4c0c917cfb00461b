"""Every sealed block on disk before anybody is told of it, so that a killed node goes on where it stood.

`FILE` is a snapshot (`snapshot.save`), `FILE.journal` the blocks since, one JSON line each with the keys it
changed. The journal's first line names the snapshot it follows, so what belongs to an older one is left out.
Nothing is synced to the disk: what was written outlives the process in the system's cache, and a power cut
may cost the last blocks, never their order. The pool is not kept.
"""

import json
import logging
import os
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any, Final

from subnetlab.devnet.chain.block import Block, Blocks, chained_root, hexed
from subnetlab.devnet.chain.extrinsic import digest
from subnetlab.devnet.node.node import Changes, Node
from subnetlab.devnet.storage import snapshot
from subnetlab.errors import StateFileInvalid
from subnetlab.record.lock import try_lock

log = logging.getLogger("subnetlab.devnet")

FORMAT: Final = 1
FOLD_BYTES: Final = 8 * 2**20
"""A journal longer than this, and than twice the snapshot, becomes part of the snapshot."""
_RETRY_S: Final = 5.0
"""Between two attempts to write after the disk refused."""


class Journal:
    """A node's state file, kept up to date block by block."""

    def __init__(self, node: Node, path: Path) -> None:
        """Go on with what is in the file, if there is one, and keep every block from now on.

        Raises:
            StateFileInvalid: it is damaged, cannot be written, belongs to a running node, or its chain began
                with another genesis.
        """
        self.path = path
        self._node = node
        self._lines = path.with_name(f"{path.name}.journal")
        self._base, self._folded = node.blocks.genesis.hash, 0
        self._end, self._refused_at = 0, -1.0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._lines, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            raise StateFileInvalid(
                f"{self._lines} cannot be written: {error.strerror}.",
                hint="Make room on the disk, or give --state a file where you can write.",
            ) from error
        try:
            self._go_on()
        except BaseException:
            os.close(self._file)
            raise
        node.on_sealed.append(self._sealed)
        node.on_adopted.append(self._adopted)

    def _note_snapshot(self) -> None:
        data = self.path.read_bytes()
        self._base, self._folded = digest(data), len(data)

    # -- reading back

    def _go_on(self) -> None:
        """Load the snapshot and add the journal's blocks; what does not belong to it is dropped."""
        if not try_lock(self._file):
            raise StateFileInvalid(
                f"Another node keeps its chain in {self.path}.", hint="Stop that node first."
            )
        if self.path.exists():
            snapshot.load(self._node, self.path)
            self._note_snapshot()
        first, *lines = _whole_lines(self._lines) or [b""]
        header: Any = _parsed(first, self._lines) if first else {}
        if not first or header.get("base") != hexed(self._base):
            if not self.path.exists() and header.get("genesis", self._genesis) != self._genesis:
                raise StateFileInvalid(
                    f"{self._lines} holds a chain of another genesis.",
                    hint="Start the node with the options it was begun with, or give another file.",
                )
            self._begin()
            return
        self._end = len(first) + 1
        blocks, state = self._node.blocks, self._node.state
        for line in lines:
            block, changes = _entry(_parsed(line, self._lines))
            _check(block, changes, blocks, self._lines)
            for key, value in changes.items():
                state.put(key, value)
            state.seal(block.number)
            blocks.append(block)
            self._end += len(line) + 1
        os.ftruncate(self._file, self._end)
        if lines:
            self._node.resume()

    @property
    def _genesis(self) -> str:
        return hexed(self._node.blocks.genesis.hash)

    # -- writing

    def _begin(self) -> None:
        """Start an empty journal on top of the snapshot that is there."""
        os.ftruncate(self._file, 0)
        self._end = 0
        self._append({"format": FORMAT, "genesis": self._genesis, "base": hexed(self._base)})

    def _append(self, content: Any) -> None:
        line = json.dumps(content, separators=(",", ":")).encode() + b"\n"
        left = memoryview(line)
        try:
            while left:
                left = left[os.write(self._file, left) :]
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._file, self._end)
            raise
        self._end += len(line)

    def _sealed(self, block: Block, changes: Changes) -> None:
        if self._refused_at >= 0:
            self._try_again()
            return
        try:
            self._append(_row(block, changes))
        except OSError as error:
            self._refused(error)
        if self._end > max(FOLD_BYTES, 2 * self._folded):
            self._try_again()

    def _adopted(self) -> None:
        # Another chain has replaced this one: its blocks do not follow from the journal's.
        self._try_again(at_once=True)

    def _refused(self, error: OSError) -> None:
        if self._refused_at < 0:
            log.warning("The chain cannot be saved and goes on unsaved: %s", error.strerror)
        self._refused_at = monotonic()

    def _try_again(self, *, at_once: bool = False) -> None:
        if at_once or self._refused_at < 0 or monotonic() - self._refused_at >= _RETRY_S:
            try:
                self.fold()
            except OSError as error:
                self._refused(error)

    def fold(self) -> None:
        """Save the chain as it is as the snapshot, and begin an empty journal.

        Raises:
            OSError: the disk refuses; what was there still holds.
        """
        snapshot.save(self._node, self.path)
        self._note_snapshot()
        self._begin()
        self._refused_at = -1.0

    def close(self) -> None:
        """Save the chain whole and let the file go."""
        try:
            self.fold()
        finally:
            os.close(self._file)


def _whole_lines(path: Path) -> list[bytes]:
    """The lines that were written to their end; a torn last one is left out."""
    *lines, _ = path.read_bytes().split(b"\n")
    return lines


def _parsed(line: bytes, path: Path) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise StateFileInvalid(
            f"{path} cannot be read as a journal: {error}.",
            hint="Give --state another file; the chain begins anew there.",
        ) from error


def _row(block: Block, changes: Changes) -> list[Any]:
    changed = [[key.hex(), None if value is None else value.hex()] for key, value in changes.items()]
    return [snapshot.block_row(block), changed]


def _entry(row: Any) -> tuple[Block, Changes]:
    block, changed = row
    changes = {bytes.fromhex(key): None if value is None else bytes.fromhex(value) for key, value in changed}
    return snapshot.block(block), changes


def _check(block: Block, changes: Changes, blocks: Blocks, path: Path) -> None:
    """Prove that a block and what it changed follow from the chain so far."""
    head = blocks.head
    follows = block.parent_hash == head.hash and block.number == head.number + 1
    roots = (chained_root(head.state_root, changes), digest(b"".join(block.extrinsics)))
    if not follows or (block.state_root, block.extrinsics_root) != roots:
        raise StateFileInvalid(
            f"{path}: block {block.number} does not follow from the one before it.",
            hint=f"Without this file the node goes on from block {head.number} at most.",
        )
