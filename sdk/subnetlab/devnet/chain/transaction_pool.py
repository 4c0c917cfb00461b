"""Extrinsics waiting for a block: one per signer and nonce, in nonce order, better tips first.

An extrinsic whose nonce lies ahead waits as `future` until the gap is filled. Mortal ones leave when their
era ends. Source: Substrate's transaction pool, without banning and without peers.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from subnetlab.devnet.chain.extrinsic import Extrinsic
from subnetlab.devnet.chain.fees import CallWeight
from subnetlab.devnet.chain.transaction_error import already_imported, pool_full, too_low_priority
from subnetlab.devnet.evm.transaction import Transaction

Status = str | dict[str, Any]
Watch = Callable[[Status], None]
LIMIT = 8192
"""Most extrinsics the pool holds, as Substrate's default for ready ones."""
LIMIT_BYTES = 20 * 2**20
"""Most bytes of them, likewise."""


def _unwatched(_: Status) -> None:
    """The client asked for no news of its extrinsic."""


@dataclass(slots=True, kw_only=True)
class Pending:
    """An admitted extrinsic with what admission found out about it."""

    extrinsic: Extrinsic
    call: dict[str, Any]
    weight: CallWeight
    fee: int
    payer: str
    dies_at: int | None
    transaction: Transaction | None = None
    """The Ethereum transaction that the extrinsic carries."""
    watch: Watch = field(default=_unwatched)


class TransactionPool:
    """What has been submitted and is not yet in a block."""

    def __init__(self) -> None:
        """Start empty."""
        self._by_tag: dict[tuple[str, int], Pending] = {}
        self._hashes: set[bytes] = set()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._by_tag)

    def __iter__(self) -> Iterator[Pending]:
        return iter(list(self._by_tag.values()))

    def add(self, pending: Pending) -> None:
        """Take an admitted extrinsic in, in place of one that pays a smaller tip.

        Raises:
            TransactionError: 1013 it is here already, 1014 the other one pays as well, 1016 the pool is full.
        """
        extrinsic = pending.extrinsic
        if extrinsic.hash in self._hashes:
            raise already_imported(extrinsic.hash)
        held = self._by_tag.get(extrinsic.tag)
        if held is not None and held.extrinsic.tip >= extrinsic.tip:
            raise too_low_priority(extrinsic.tip, held.extrinsic.tip)
        full = len(self._by_tag) >= LIMIT or self._bytes + len(extrinsic.raw) > LIMIT_BYTES
        if held is None and full:
            raise pool_full()
        if held is not None:
            self.remove(held)
            held.watch({"usurped": "0x" + extrinsic.hash.hex()})
        self._keep(pending)

    def remove(self, pending: Pending) -> bool:
        """Let an extrinsic go; whether it was here."""
        if self._by_tag.get(pending.extrinsic.tag) is not pending:
            return False
        del self._by_tag[pending.extrinsic.tag]
        self._bytes -= len(pending.extrinsic.raw)
        self._hashes.discard(pending.extrinsic.hash)
        return True

    def restore(self, pending: Pending) -> None:
        """Take back what a block that never was had taken out."""
        if pending.extrinsic.tag not in self._by_tag:
            self._keep(pending)

    def _keep(self, pending: Pending) -> None:
        self._by_tag[pending.extrinsic.tag] = pending
        self._hashes.add(pending.extrinsic.hash)
        self._bytes += len(pending.extrinsic.raw)

    def next_nonce(self, signer: str, nonce: int) -> int:
        """The first nonce from `nonce` on that nothing here uses."""
        while (signer, nonce) in self._by_tag:
            nonce += 1
        return nonce

    def is_ready(self, pending: Pending, nonce: int) -> bool:
        """Whether an extrinsic in the pool can go into the next block, where its signer's nonce is this."""
        signer = pending.extrinsic.signer
        return all((signer, before) in self._by_tag for before in range(nonce, pending.extrinsic.nonce))

    def any_ready(self, nonce_of: Callable[[str], int]) -> bool:
        """Whether anything can go into the next block."""
        signers = {signer for signer, _ in self._by_tag}
        return any((signer, nonce_of(signer)) in self._by_tag for signer in signers)

    @property
    def ref_time(self) -> int:
        """The reference time of everything that waits, future ones too."""
        return sum(pending.weight.ref_time for pending in self._by_tag.values())

    def ready(self, nonce_of: Callable[[str], int]) -> list[Pending]:
        """What can go into the next block, in the order it should."""
        order = {id(p): n for n, p in enumerate(self._by_tag.values())}
        rows: list[tuple[int, int, int, Pending]] = []
        for signer in dict.fromkeys(tag[0] for tag in self._by_tag):
            nonce, tip, arrived = nonce_of(signer), None, 0
            while (pending := self._by_tag.get((signer, nonce))) is not None:
                # A follower can go no earlier than what it follows.
                tip = pending.extrinsic.tip if tip is None else min(tip, pending.extrinsic.tip)
                arrived = max(arrived, order[id(pending)])
                rows.append((-tip, arrived, nonce, pending))
                nonce += 1
        return [row[3] for row in sorted(rows, key=lambda row: row[:3])]

    def expired(self, height: int) -> list[Pending]:
        """Mortal extrinsics that no block after `height` may include."""
        return [p for p in self._by_tag.values() if p.dies_at is not None and p.dies_at <= height + 1]

    def clear(self) -> None:
        """Drop everything, telling who watches."""
        for pending in self:
            self.remove(pending)
            pending.watch("dropped")
