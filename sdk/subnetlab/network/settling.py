"""Put right what the ledger calls unknown: look for it on the chain once its caller has stopped waiting.

A spend that was interrupted, or whose connection broke, keeps its estimated fee and counts as spent. The hash
under which it left tells later what became of it: done or refused, with what was really paid, or never sent,
because no block can hold it any more. Whatever cannot be told yet stays as it is.
"""

import os
import threading
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from subnetlab.errors import SubnetLabError
from subnetlab.network.ledger import Entry, Ledger
from subnetlab.network.receipt import Receipt, moved_from
from subnetlab.network.transport import hash_of
from subnetlab.network.undisturbed import undisturbed
from subnetlab.record.lock import try_lock

if TYPE_CHECKING:
    from subnetlab.network.client import NetworkClient

_PATIENCE_S: Final = 5.0
"""Of a reader of the ledger, for the chain."""
_AT_ONCE: Final = 64
"""Blocks that are looked through at one reading; the next goes on from there."""
_ALIVE_BLOCKS: Final = 256
"""After how many blocks an extrinsic of the SDK, which holds for 128, is in none of the later ones."""
_WEI_PER_RAO: Final = 10**9


@dataclass
class Settling:
    """Looks up the unknown spends of one chain; a `Ledger` calls it before it is read."""

    client: "NetworkClient"
    _next: dict[str, int] = field(default_factory=dict[str, int])
    """The next height to look at, by row."""
    _busy: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, ledger: Ledger) -> None:
        """Put right what can be told now; a chain that does not answer leaves everything as it is."""
        if not any(_open(entry) for entry in ledger.kept()) or not self._busy.acquire(blocking=False):
            return
        try:
            with closing(_File(ledger)) as file, suppress(SubnetLabError, OSError, TimeoutError):
                if try_lock(file.descriptor):  # another process puts it right
                    self._settle(ledger)
        finally:
            self._busy.release()

    def _settle(self, ledger: Ledger) -> None:
        wire = self.client.client
        with wire.patience(_PATIENCE_S):
            for entry in filter(_open, ledger.kept()):
                known = self._evm(entry) if entry.wallet.startswith("0x") else self._extrinsic(entry)
                if known is not None:
                    self._put(ledger, entry, known)

    def _put(self, ledger: Ledger, entry: Entry, known: Entry) -> None:
        more = known.counted_rao - entry.counted_rao
        with undisturbed():
            ledger.put(known)
            if more > 0:
                self.client.budget.count(more)
            else:
                self.client.budget.refund(-more)

    # -- of the EVM ----------------------------------------------------------------------------------------

    def _evm(self, entry: Entry) -> Entry | None:
        rpc = self.client.client.rpc
        done: Any = rpc("eth_getTransactionReceipt", entry.tx)
        if done is None:
            if self.client.development and rpc("eth_getTransactionByHash", entry.tx) is None:
                return _never(entry)
            return None
        fee = int(done["gasUsed"], 16) * int(done["effectiveGasPrice"], 16) // _WEI_PER_RAO
        block = int(done["blockNumber"], 16)
        if not int(done["status"], 16):
            return replace(entry, outcome="refused", amount_rao=0, fee_rao=fee, block=block)
        left = entry.amount_rao - entry.brings_rao
        return replace(entry, outcome="done", amount_rao=left, fee_rao=fee, block=block)

    # -- of the chain itself -------------------------------------------------------------------------------

    def _extrinsic(self, entry: Entry) -> Entry | None:
        rpc = self.client.client.rpc
        pool: list[str] = rpc("author_pendingExtrinsics") if self.client.development else []
        final: Any = rpc("chain_getHeader", rpc("chain_getFinalizedHead"))
        head = int(final["number"], 16)
        first = self._next.get(entry.row, entry.since)
        last = min(head, first + _AT_ONCE - 1)
        for number in range(first, last + 1):
            at = str(rpc("chain_getBlockHash", number))
            body = self._body(at)
            for index, raw in enumerate(body):
                if hash_of(raw) == entry.tx:
                    return self._landed(entry, number, at, index)
        self._next[entry.row] = last + 1
        expired = head > entry.since + _ALIVE_BLOCKS
        gone = self.client.development and entry.tx not in map(hash_of, pool)
        return _never(entry) if last == head and (expired or gone) else None

    def _body(self, at: str) -> list[str]:
        found: Any = self.client.client.rpc("chain_getBlock", at)
        return [str(raw) for raw in found["block"]["extrinsics"]]

    def _landed(self, entry: Entry, number: int, at: str, index: int) -> Entry | None:
        wire = self.client.client
        block: Any = wire.run(wire.substrate.get_block(block_hash=at))
        sent = block["extrinsics"][index]
        receipt, done = self._receipt(entry, number, at, index)
        if sent["call"]["call_module"] != "MevShield" or not done:
            return _known(entry, receipt, done=done)
        inner = self._inner(entry, number, int(sent["nonce"]) + 1)
        if inner is None:
            return None
        carried, done = inner
        return _known(entry, replace(carried, fee_rao=carried.fee_rao + receipt.fee_rao), done=done)

    def _inner(self, entry: Entry, first: int, nonce: int) -> tuple[Receipt, bool] | None:
        """What the chain decrypted of a shielded extrinsic: the next of the same account."""
        wire = self.client.client
        for number in range(first, first + _AT_ONCE):
            at = wire.rpc("chain_getBlockHash", number)
            if at is None:
                break
            block: Any = wire.run(wire.substrate.get_block(block_hash=str(at)))
            for index, sent in enumerate(block["extrinsics"]):
                if sent and sent.get("address") == entry.wallet and int(sent["nonce"]) == nonce:
                    return self._receipt(entry, number, str(at), index)
        return None

    def _receipt(self, entry: Entry, number: int, at: str, index: int) -> tuple[Receipt, bool]:
        """Its receipt, and whether it succeeded."""
        wire = self.client.client
        every: Any = wire.run(wire.substrate.events(at))
        told = [event for event in every if event.get("extrinsic_idx") == index]
        events = tuple(
            {"pallet": each["module_id"], "name": each["event_id"], "fields": each.get("attributes")}
            for each in told
        )
        fees = [each["fields"] for each in events if each["name"] == "TransactionFeePaid"]
        fee = sum(int(each["actual_fee"]) for each in fees if each["who"] == entry.wallet)
        receipt = Receipt(
            tx=hash_of(self._body(at)[index]), block=number, fee_rao=fee, summary=entry.summary, events=events
        )
        return receipt, any(each["name"] == "ExtrinsicSuccess" for each in events)


class _File:
    """The open file of a ledger, which is locked while it is put right."""

    def __init__(self, ledger: Ledger) -> None:
        self.descriptor = os.open(ledger.path, os.O_RDWR | os.O_CLOEXEC)

    def close(self) -> None:
        """Let go of it."""
        os.close(self.descriptor)


def _open(entry: Entry) -> bool:
    """Whether it is unknown and can be looked for."""
    return (
        entry.outcome == "unknown" and bool(entry.tx) and bool(entry.since or entry.wallet.startswith("0x"))
    )


def _known(entry: Entry, receipt: Receipt, *, done: bool) -> Entry:
    return replace(
        entry, outcome="done" if done else "refused", block=receipt.block, tx=receipt.tx,
        fee_rao=receipt.fee_rao, amount_rao=moved_from(receipt, entry.wallet) if done else 0,
    )  # fmt: skip


def _never(entry: Entry) -> Entry:
    return replace(entry, outcome="never sent", amount_rao=0, fee_rao=0)
