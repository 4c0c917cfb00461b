"""EthereumRuntimeRPCApi: what Frontier's node asks the runtime, so what any client may ask by `state_call`.

Calls and creations are refused: `eth_call` runs them, in turns. Source: Subtensor's `runtime/src/lib.rs`.
"""

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import raw_api
from subnetlab.devnet.chain.scale import Reader, prefixed
from subnetlab.devnet.evm import fees
from subnetlab.devnet.evm.addresses import mirror
from subnetlab.devnet.evm.scale import u64, u256
from subnetlab.devnet.pallets import balances, system
from subnetlab.devnet.pallets.base_fee import base_fee

API = "EthereumRuntimeRPCApi"
_CURRENT = ("CurrentBlock", "CurrentReceipts", "CurrentTransactionStatuses")


@raw_api(API, "chain_id")
def chain_id(ledger: Ledger, _data: bytes) -> bytes:
    """The chain id."""
    return u64(int(ledger.get("EVMChainId", "ChainId")))


@raw_api(API, "account_basic")
def account_basic(ledger: Ledger, data: bytes) -> bytes:
    """What an address can spend, and its nonce."""
    who = mirror(Reader(data).take(20))
    reducible = max(balances.free(ledger, who) - balances.EXISTENTIAL_DEPOSIT, 0)
    return u256(reducible * fees.WEI_PER_RAO) + u256(system.nonce(ledger, who))


@raw_api(API, "gas_price")
def gas_price(ledger: Ledger, _data: bytes) -> bytes:
    """The base fee."""
    return u256(base_fee(ledger))


@raw_api(API, "account_code_at")
def account_code_at(ledger: Ledger, data: bytes) -> bytes:
    """The code of an address."""
    return _stored(ledger, "EVM", "AccountCodes", "0x" + Reader(data).take(20).hex()) or prefixed(b"")


@raw_api(API, "author")
def author(ledger: Ledger, _data: bytes) -> bytes:
    """Who gets the tips."""
    return fees.author(ledger)


@raw_api(API, "storage_at")
def storage_at(ledger: Ledger, data: bytes) -> bytes:
    """A word of an address's storage."""
    reader = Reader(data)
    address, slot = reader.take(20), reader.integer(32).to_bytes(32, "big")
    found = _stored(ledger, "EVM", "AccountStorages", "0x" + address.hex(), "0x" + slot.hex())
    return found or bytes(32)


@raw_api(API, "current_block")
def current_block(ledger: Ledger, _data: bytes) -> bytes:
    """The Ethereum block."""
    return _maybe(ledger, "CurrentBlock")


@raw_api(API, "current_receipts")
def current_receipts(ledger: Ledger, _data: bytes) -> bytes:
    """Its receipts."""
    return _maybe(ledger, "CurrentReceipts")


@raw_api(API, "current_transaction_statuses")
def current_transaction_statuses(ledger: Ledger, _data: bytes) -> bytes:
    """Who its transactions were from and to."""
    return _maybe(ledger, "CurrentTransactionStatuses")


@raw_api(API, "current_all")
def current_all(ledger: Ledger, _data: bytes) -> bytes:
    """Block, receipts and statuses."""
    return b"".join(_maybe(ledger, item) for item in _CURRENT)


@raw_api(API, "elasticity")
def elasticity(ledger: Ledger, _data: bytes) -> bytes:
    """How fast the base fee moves."""
    return b"\x01" + int(ledger.get("BaseFee", "Elasticity")).to_bytes(4, "little")


@raw_api(API, "gas_limit_multiplier_support")
def gas_limit_multiplier_support(_ledger: Ledger, _data: bytes) -> bytes:
    """It may be asked with more gas than a block has."""
    return b""


def _stored(ledger: Ledger, pallet: str, item: str, *keys: str) -> bytes | None:
    return ledger.raw(ledger.codec.key(pallet, item, *keys))


def _maybe(ledger: Ledger, item: str) -> bytes:
    found = _stored(ledger, "Ethereum", item)
    return b"\x00" if found is None else b"\x01" + found
