"""py-evm's account database over the chain's ledger: balances, nonces, code and storage are storage items.

Its checkpoints are layers of the one state, so what a frame reverts is undone in pallets and contracts alike.
Wei are rao times 10⁹, and what is less than a rao is dropped, as Subtensor's balance converter does. Holds
nothing but what a transaction needs until its end: warm addresses, and storage as it was before.
"""

import sys
from hashlib import blake2b

from eth.abc import AccountDatabaseAPI, MetaWitnessAPI
from eth.constants import BLANK_ROOT_HASH
from eth.typing import JournalDBCheckpoint
from eth_typing import Hash32

from subnetlab.devnet.chain.ledger import Ledger, Mark
from subnetlab.devnet.chain.scale import Reader
from subnetlab.devnet.evm.addresses import mirror
from subnetlab.devnet.evm.fees import WEI_PER_RAO
from subnetlab.devnet.evm.keccak import EMPTY_CODE_HASH, keccak
from subnetlab.devnet.pallets import balances, system

RECURSION_LIMIT = 12_288
"""Frames of Python that a thousand frames of contracts take. py-evm sets eight times as many when it is
loaded, and then a request of brackets alone runs through the end of the stack."""
sys.setrecursionlimit(RECURSION_LIMIT)
_FIRST_CHECKPOINT = 1 << 60
"""Above the numbers that py-evm's own journals count."""


class AccountDatabase(AccountDatabaseAPI):
    """The accounts that one transaction sees."""

    def __init__(self, ledger: Ledger, state_root: bytes = BLANK_ROOT_HASH) -> None:  # noqa: ARG002
        """Read and write a ledger; there is no state trie, so the root is always blank."""
        self.ledger = ledger
        self._mirrors: dict[bytes, str] = {}
        self._warm: dict[bytes | tuple[bytes, int], None] = {}
        self._before: dict[tuple[bytes, int], int] = {}
        self._marks: dict[int, tuple[Mark, int]] = {}
        self._next = _FIRST_CHECKPOINT
        self._slots = ledger.codec.key("EVM", "AccountStorages")

    def account(self, address: bytes) -> str:
        """The account (ss58) that holds what an address owns."""
        found = self._mirrors.get(address)
        if found is None:
            found = self._mirrors[address] = mirror(address)
        return found

    # -- storage

    def _slot_key(self, address: bytes, slot: int) -> bytes:
        return self._slots + _concat_hashed(address) + _concat_hashed(slot.to_bytes(32, "big"))

    def get_storage(self, address: bytes, slot: int, from_journal: bool = True) -> int:
        """A word of an address's storage, now or as the transaction found it."""
        if not from_journal and (address, slot) in self._before:
            return self._before[address, slot]
        return int.from_bytes(self.ledger.state.get(self._slot_key(address, slot)) or b"", "big")

    def set_storage(self, address: bytes, slot: int, value: int) -> None:
        """Write a word; zero removes it."""
        self._before.setdefault((address, slot), self.get_storage(address, slot))
        self.ledger.state.put(self._slot_key(address, slot), value.to_bytes(32, "big") if value else None)

    def delete_storage(self, address: bytes) -> None:
        """Remove every word of an address."""
        for key in self.ledger.state.keys(self._slots + _concat_hashed(address)):
            self.ledger.state.put(key, None)

    # -- balances, in wei

    def get_balance(self, address: bytes) -> int:
        """What an address can move, the existential deposit included."""
        return balances.free(self.ledger, self.account(address)) * WEI_PER_RAO

    def get_reducible(self, address: bytes) -> int:
        """What an address can spend and stay alive: what contracts and clients are told."""
        free = balances.free(self.ledger, self.account(address))
        return max(free - balances.EXISTENTIAL_DEPOSIT, 0) * WEI_PER_RAO

    def set_balance(self, address: bytes, balance: int) -> None:
        """Not used: money moves by `transfer` and by fees, which the pallets book."""
        raise NotImplementedError

    def transfer(self, source: bytes, target: bytes, wei: int) -> None:
        """Move whole rao between two addresses; the source may end.

        Raises:
            DispatchError: the source has too little, or the target would stay below the existential deposit.
        """
        rao = wei // WEI_PER_RAO
        if rao:
            with self.ledger.transaction():
                balances.transfer(
                    self.ledger, self.account(source), self.account(target), rao, keep_alive=False
                )

    # -- nonces

    def get_nonce(self, address: bytes) -> int:
        """The nonce of the address's account."""
        return system.nonce(self.ledger, self.account(address))

    def set_nonce(self, address: bytes, nonce: int) -> None:
        """Not used: nonces only count up."""
        raise NotImplementedError

    def increment_nonce(self, address: bytes) -> None:
        """Count one transaction or creation of the address."""
        system.increment_nonce(self.ledger, self.account(address))

    # -- code

    def get_code(self, address: bytes) -> bytes:
        """The code of an address, empty where it is no contract."""
        raw = self.ledger.state.get(self.ledger.codec.key("EVM", "AccountCodes", _hexed(address)))
        return b"" if raw is None else _unprefixed(raw)

    def get_code_hash(self, address: bytes) -> Hash32:
        """The Keccak hash of the code."""
        code = self.get_code(address)
        return Hash32(keccak(code) if code else EMPTY_CODE_HASH)

    def set_code(self, address: bytes, code: bytes) -> None:
        """Make an address a contract."""
        if not code:
            return
        if not self.ledger.has("EVM", "AccountCodes", _hexed(address)):
            system.add_sufficient(self.ledger, self.account(address), 1)
        self._put_code(address, code)

    def set_delegation(self, address: bytes, code: bytes | None) -> None:
        """Write or remove what an account's authorization delegates to; it makes no contract of it."""
        if code is None:
            self.delete_code(address)
        else:
            self._put_code(address, code)

    def _put_code(self, address: bytes, code: bytes) -> None:
        key = _hexed(address)
        self.ledger.put("EVM", "AccountCodes", key, value=code)
        metadata = {"size": len(code), "hash": _hexed(keccak(code))}
        self.ledger.put("EVM", "AccountCodesMetadata", key, value=metadata)

    def delete_code(self, address: bytes) -> None:
        """Remove the code of an address."""
        key = _hexed(address)
        if self.ledger.has("EVM", "AccountCodes", key):
            system.add_sufficient(self.ledger, self.account(address), -1)
        self.ledger.remove("EVM", "AccountCodes", key)
        self.ledger.remove("EVM", "AccountCodesMetadata", key)

    # -- accounts

    def account_has_code_or_nonce(self, address: bytes) -> bool:
        """Whether an address was ever used as a sender or is a contract."""
        return self.get_nonce(address) != 0 or bool(self.get_code(address))

    def account_is_empty(self, address: bytes) -> bool:
        """Whether an address has no spendable balance, no nonce and no code."""
        return not (self.get_reducible(address) or self.account_has_code_or_nonce(address))

    def account_exists(self, address: bytes) -> bool:
        """Whether an address is not empty: the chain keeps no empty accounts."""
        return not self.account_is_empty(address)

    def delete_account(self, address: bytes) -> None:
        """Remove a contract's code and storage; its balance has gone before."""
        self.delete_code(address)
        self.delete_storage(address)

    def touch_account(self, address: bytes) -> None:
        """Nothing: the chain keeps no empty accounts."""

    # -- what the transaction has touched

    def is_address_warm(self, address: bytes) -> bool:
        """Whether the transaction has touched an address."""
        return address in self._warm

    def mark_address_warm(self, address: bytes) -> None:
        """Note that the transaction has touched an address."""
        self._warm[address] = None

    def is_storage_warm(self, address: bytes, slot: int) -> bool:
        """Whether the transaction has touched a word of storage."""
        return (address, slot) in self._warm

    def mark_storage_warm(self, address: bytes, slot: int) -> None:
        """Note that the transaction has touched a word of storage."""
        self._warm[address, slot] = None

    # -- frames

    def record(self) -> JournalDBCheckpoint:
        """Begin a frame."""
        self._next += 1
        self._marks[self._next] = self.ledger.begin(), len(self._warm)
        return JournalDBCheckpoint(self._next)

    def discard(self, checkpoint: int) -> None:
        """Undo a frame: storage, pallets, events, and what it warmed."""
        mark, warm = self._marks.pop(checkpoint)
        self.ledger.rollback(mark)
        while len(self._warm) > warm:
            self._warm.popitem()

    def commit(self, checkpoint: int) -> None:
        """Keep a frame."""
        mark, _ = self._marks.pop(checkpoint)
        self.ledger.commit(mark)

    def lock_changes(self) -> None:
        """Nothing: a database lives for one transaction."""

    # -- roots

    @property
    def state_root(self) -> Hash32:
        """Always blank."""
        return BLANK_ROOT_HASH

    @state_root.setter
    def state_root(self, value: Hash32) -> None:
        """Nothing: there is no state trie."""

    def has_root(self, state_root: bytes) -> bool:
        """Whether it is the blank root."""
        return state_root == BLANK_ROOT_HASH

    def make_state_root(self) -> Hash32:
        """Always blank."""
        return BLANK_ROOT_HASH

    def persist(self) -> MetaWitnessAPI:
        """Not used: the ledger keeps what is written."""
        raise NotImplementedError


def _hexed(data: bytes) -> str:
    return "0x" + data.hex()


def _concat_hashed(key: bytes) -> bytes:
    """A key as `Blake2_128Concat` stores it."""
    return blake2b(key, digest_size=16).digest() + key


def _unprefixed(raw: bytes) -> bytes:
    return Reader(raw).prefixed()
