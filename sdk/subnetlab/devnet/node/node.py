"""The node: genesis, the pool, building and sealing blocks, answering runtime APIs.

Knows nothing of JSON-RPC and nothing of time but a clock it is given; what drives it is `sealing`, what
speaks for it is `rpc`. Finality is the head: what is sealed never changes.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from subnetlab.devnet.apis import validity
from subnetlab.devnet.chain import admission, executive, genesis
from subnetlab.devnet.chain.block import ZERO_HASH, Block, Blocks, aura_log, chained_root, hexed
from subnetlab.devnet.chain.codec import Codec
from subnetlab.devnet.chain.containment import contained
from subnetlab.devnet.chain.extrinsic import digest
from subnetlab.devnet.chain.fees import MOST_BLOCK_REF_TIME
from subnetlab.devnet.chain.ledger import Ledger, go_on
from subnetlab.devnet.chain.registry import APIS, RAW_APIS
from subnetlab.devnet.chain.scale import Truncated
from subnetlab.devnet.chain.shield import unseal
from subnetlab.devnet.chain.state import State
from subnetlab.devnet.chain.transaction_error import INVALID, TransactionError
from subnetlab.devnet.chain.transaction_pool import Pending, TransactionPool, Watch
from subnetlab.devnet.evm.transaction import Transaction
from subnetlab.devnet.node.clock import Clock
from subnetlab.devnet.node.turns import Turns
from subnetlab.devnet.pallets import balances, ethereum, mev_shield, system
from subnetlab.units import U64_MAX

log = logging.getLogger("subnetlab.devnet")
Changes = dict[bytes, bytes | None]
PRUNE_EVERY = 256
HEAVY_REF_TIME = 30_000_000_000
"""Reference time of a block that is built in turns: that of some hundred transfers."""
TURN_S = 0.01
"""How long others wait for a block that is being built."""
REFUSED_APIS = frozenset(
    {
        "BlockBuilder",
        "ContractsApi",
        "BabeApi",
        "Core_execute_block",
        "Core_initialize_block",
        "EthereumRuntimeRPCApi_call",
        "EthereumRuntimeRPCApi_create",
        "GenesisBuilder_build_state",
        "ConvertTransactionRuntimeApi_convert_transaction",
    }
)
"""Runtime APIs whose zero would say that something was done: they answer as a runtime without them does."""


class UnknownApi(LookupError):
    """The runtime has no such API method."""


class BadArguments(ValueError):
    """A runtime API's arguments do not decode."""


@dataclass(slots=True)
class Built:
    """The content of a block before it is sealed."""

    number: int
    now_ms: int
    body: list[bytes] = field(default_factory=list[bytes])
    included: list[Pending] = field(default_factory=list[Pending])
    refused: list[tuple[Pending, str]] = field(default_factory=list[tuple[Pending, str]])
    """What was ready and is in no block, and what its watcher is told."""


class Node:
    """One chain in one process."""

    def __init__(self, codec: Codec, clock: Clock) -> None:
        """Build the genesis block."""
        self.codec, self.clock = codec, clock
        self.state = State()
        self.kept = ethereum.kept(codec)
        """What of old blocks' states stays: their Ethereum transactions."""
        self.ledger = Ledger(codec, self.state)
        self.transaction_pool = TransactionPool()
        self.pruned_before = 0
        """Blocks below this height have lost their state."""
        self.on_sealed: list[Callable[[Block, Changes], None]] = []
        self.on_adopted: list[Callable[[], None]] = []
        self.on_ready: list[Callable[[], None]] = []
        self.on_admitted: list[Callable[[Pending], None]] = []
        self._zeros_told: set[str] = set()
        self._building: Turns[Built] | None = None
        self.slot_ms = int(codec.constant("Aura", "SlotDuration"))
        self.blocks = Blocks(self._genesis())

    def _genesis(self) -> Block:
        genesis.build(self.ledger)
        self.ledger.events = []
        changes = self.state.seal(0)
        root = chained_root(digest(self.codec.metadata_v15), changes)
        return Block(
            number=0, parent_hash=ZERO_HASH, state_root=root, extrinsics_root=digest(b""), logs=(),
            extrinsics=(),
        ).sealed()  # fmt: skip

    def adopt(self, state: State, blocks: Blocks, pruned_before: int, now_ms: int) -> None:
        """Go on from another chain's state and blocks."""
        self.finish()
        self.state = self.ledger.state = state
        self.blocks, self.pruned_before = blocks, pruned_before
        self.ledger.block_number, self.ledger.now_ms = blocks.head.number, now_ms
        for listener in self.on_adopted:
            listener()

    def resume(self) -> None:
        """Take height and time from the head, after blocks were added that this node did not build."""
        view = self.ledger.at(self.blocks.head.number)
        self.ledger.block_number, self.ledger.now_ms = view.block_number, view.now_ms

    # -- extrinsics

    def submit(self, raw: bytes, watch: Watch | None = None) -> bytes:
        """Take a signed extrinsic into the pool and return its hash.

        Raises:
            TransactionError: it can never be included as it is.
        """
        pending = admission.admit(raw, self.settled(), self.blocks)
        if watch is not None:
            pending.watch = watch
        return self._take(pending)

    def submit_transaction(self, transaction: Transaction) -> bytes:
        """Take an Ethereum transaction into the pool and return the hash of the extrinsic that carries it.

        Raises:
            TransactionError: it can never be included as it is.
        """
        return self._take(admission.admit_transaction(transaction, self.settled()))

    def _take(self, pending: Pending) -> bytes:
        self.transaction_pool.add(pending)
        nonce = system.nonce(self.settled(), pending.extrinsic.signer)
        pending.watch("ready" if self.transaction_pool.is_ready(pending, nonce) else "future")
        for told in list(self.on_admitted):
            told(pending)
        for listener in self.on_ready:
            listener()
        return pending.extrinsic.hash

    def ready(self) -> list[Pending]:
        """What the next block would include."""
        settled = self.settled()
        return self.transaction_pool.ready(lambda who: system.nonce(settled, who))

    @property
    def is_ready(self) -> bool:
        """Whether the next block would include anything."""
        settled = self.settled()
        return self.transaction_pool.any_ready(lambda who: system.nonce(settled, who))

    def settled(self) -> Ledger:
        """What the next block begins with; while one is being built, what the head left behind."""
        return self.ledger if self._building is None else self.ledger.at(self.blocks.head.number)

    def endow(self, who: str, amount: int) -> None:
        """Issue rao to an account in the block being built.

        Raises:
            ValueError: not an address, or more than the chain can count.
            DispatchError: below the existential deposit.
        """
        self.finish()
        if balances.issuance(self.ledger) + amount > U64_MAX:
            raise ValueError("the issuance would be out of range")
        with self.ledger.transaction():
            balances.deposit(self.ledger, who, amount)
            balances.issue(self.ledger, amount)

    # -- blocks

    def seal(self) -> Block:
        """Build the next block from what is ready in the pool and make it final.

        A block that is being built in turns is finished before.
        """
        self.finish()
        return self._complete(self._build())

    def begin(self) -> None:
        """Begin the next block; nothing happens where one is being built. `work` builds it in turns."""
        if self._building is None:
            self._building = Turns(self._build, TURN_S)
            self.ledger.pause = self._building.pause

    def work(self) -> bool:
        """Carry on the block that is being built; whether none is now."""
        if self._building is not None and self._building.step():
            self.finish()
        return self._building is None

    def finish(self) -> None:
        """Finish the block that is being built, if there is one."""
        if self._building is None:
            return
        try:
            built = self._building.result()
        finally:
            self._building = None
            self.ledger.pause = go_on
        self._complete(built)

    @property
    def heavy(self) -> bool:
        """Whether the next block would hold others up, so that it is to be built in turns."""
        if self.transaction_pool.ref_time <= HEAVY_REF_TIME:
            return False
        return sum(pending.weight.ref_time for pending in self.ready()) > HEAVY_REF_TIME

    def _build(self) -> Built:
        parent = self.blocks.head
        before_ms = self.ledger.now_ms
        built = Built(parent.number + 1, self.clock.next(before_ms))
        try:
            with self.state.layer():
                self.ledger.state_root = parent.state_root
                self.ledger.initialize_block(built.number, built.now_ms)
                system.open_block(self.ledger, parent.hash)
                self._fill(built)
                self.ledger.finalize_block()
                system.close_block(self.ledger)
        except BaseException:
            for pending in built.included:  # the block never was; only what broke it stays out of the pool
                self.transaction_pool.restore(pending)
            self.ledger.block_number, self.ledger.now_ms = parent.number, before_ms
            raise
        return built

    def _complete(self, built: Built) -> Block:
        parent, changes = self.blocks.head, self.state.seal(built.number)
        block = Block(
            number=built.number, parent_hash=parent.hash,
            state_root=chained_root(parent.state_root, changes),
            extrinsics_root=digest(b"".join(built.body)), extrinsics=tuple(built.body),
            logs=(aura_log(built.now_ms, self.slot_ms), *self.ledger.digests),
        ).sealed()  # fmt: skip
        self.blocks.append(block)
        self._forget(built.number)
        self._announce(block, changes, built)
        return block

    def _fill(self, built: Built) -> None:
        built.body.append(executive.apply_inherent(self.ledger, 0, "Timestamp", "set", now=built.now_ms))
        most = self.ledger.ref_time + MOST_BLOCK_REF_TIME
        for pending in self.transaction_pool.ready(lambda who: system.nonce(self.ledger, who)):
            if self.ledger.ref_time + pending.weight.with_base().ref_time > most:
                return  # the rest waits for the next block
            if self.transaction_pool.remove(pending):
                self._include(pending, built)

    def _include(self, pending: Pending, built: Built) -> None:
        try:
            with contained("An extrinsic", passes=(TransactionError,)) as outcome, self.ledger.transaction():
                executive.apply_extrinsic(self.ledger, len(built.body), pending)
        except TransactionError:
            built.refused.append((pending, "invalid"))
            return
        except BaseException:  # the process ends
            pending.watch("dropped")
            raise
        if outcome.failed:  # not even its fee could be taken
            built.refused.append((pending, "dropped"))
            return
        built.body.append(pending.extrinsic.raw)
        built.included.append(pending)
        inner = self._unsealed(pending)
        if inner is not None:
            self._include(inner, built)

    def _unsealed(self, carrier: Pending) -> Pending | None:
        """The extrinsic a MEV-shield carrier brings, where it can be opened and is valid."""
        call = carrier.call
        if (call["call_module"], call["call_function"]) != mev_shield.CARRIER:
            return None
        raw = unseal(mev_shield.sealed_bytes(carrier.extrinsic.call))
        if raw is None:
            return None
        try:
            return admission.admit(raw, self.ledger, self.blocks)
        except TransactionError as error:
            log.info("a sealed extrinsic was refused: %s", error)
            return None

    def _announce(self, block: Block, changes: Changes, built: Built) -> None:
        for pending, status in built.refused:
            pending.watch(status)
        for pending in built.included:
            pending.watch({"inBlock": hexed(block.hash)})
            pending.watch({"finalized": hexed(block.hash)})
        for pending in self.transaction_pool.expired(block.number):
            self.transaction_pool.remove(pending)
            pending.watch("invalid")
        for listener in self.on_sealed:
            listener(block, changes)

    def _forget(self, number: int) -> None:
        if number % PRUNE_EVERY == 0 and number > system.BLOCK_HASH_COUNT:
            self.pruned_before = number - system.BLOCK_HASH_COUNT
            self.state.prune(self.pruned_before, self.kept)

    # -- runtime APIs

    def call_api(self, name: str, data: bytes, block: Block) -> bytes:
        """Answer a runtime API at a block: `name` is `Api_method`, data and answer are SCALE.

        Raises:
            UnknownApi: the runtime has no such method.
            BadArguments: the arguments do not decode.
        """
        api, method = self._resolve(name)
        if name == validity.VALIDATE:
            return self._validate(data)
        view = self.ledger.at(block.number)
        raw = RAW_APIS.get((api, method))
        if raw is not None:
            try:
                return raw(view, data)
            except Truncated as error:
                raise BadArguments(str(error)) from error
        described = self.codec.apis[api][method]
        function = APIS.get((api, method))
        if function is None:
            if api in REFUSED_APIS or name in REFUSED_APIS:
                raise UnknownApi(name)
            self._tell_zero(name)
            return self.codec.encode(described["output"], self.codec.zero(described["output"]))
        return self.codec.encode(
            described["output"], function(view, *self._arguments(described["inputs"], data))
        )

    def _validate(self, data: bytes) -> bytes:
        """What the pool would say of an extrinsic at the head, whatever block is asked about."""
        try:
            raw = validity.extrinsic_of(data)
        except ValueError as error:
            raise BadArguments(str(error)) from error
        try:
            pending = admission.admit(raw, self.settled(), self.blocks)
        except TransactionError as refused:
            if refused.code != INVALID:
                raise BadArguments(refused.message) from refused
            return validity.invalid(refused)
        nonce = system.nonce(self.settled(), pending.extrinsic.signer)
        return validity.valid(pending, nonce, self.blocks.head.number)

    def _resolve(self, name: str) -> tuple[str, str]:
        for api, methods in self.codec.apis.items():
            method = name.removeprefix(f"{api}_")
            if method != name and method in methods:
                return api, method
        raise UnknownApi(name)

    def _arguments(self, inputs: list[tuple[str, str]], data: bytes) -> list[Any]:
        types = [type_name for _, type_name in inputs]
        try:
            match types:
                case []:
                    return []
                case [only]:
                    return [self.codec.decode(only, data)]
                case _:
                    return list(self.codec.decode(f"({','.join(types)},)", data))
        except ValueError as error:
            raise BadArguments(str(error)) from error

    def _tell_zero(self, name: str) -> None:
        if name not in self._zeros_told:
            self._zeros_told.add(name)
            log.warning("%s is not implemented: it answers its type's zero value", name)
