"""`eth_` methods that read an address: balance, nonce, code and storage, where the state is kept."""

from typing import Any

from subnetlab.devnet.chain.codec import array_of
from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.scale import Reader
from subnetlab.devnet.evm import fees
from subnetlab.devnet.evm.addresses import mirror
from subnetlab.devnet.pallets import balances, system
from subnetlab.devnet.rpc.connection import Connection
from subnetlab.devnet.rpc.ethereum.answers import hexed
from subnetlab.devnet.rpc.ethereum.parameters import address, height, internal, quantity
from subnetlab.devnet.rpc.method import Parameters, method
from subnetlab.devnet.rpc.service import Service


def ledger_at(service: Service, value: Any, index: int) -> Ledger | None:
    """The chain at the block that a parameter names; None where there is no such block.

    Raises:
        RpcError: the block's state is gone.
    """
    number = height(service.history, value, index)
    if number is None:
        return None
    found = service.history.ledger(number)
    if found is None:
        raise internal(f"State already discarded for block {number}")
    return found


@method("eth_getBalance")
def get_balance(service: Service, parameters: Parameters, _connection: Connection) -> str:
    """What an address can spend and stay alive, in wei."""
    who = mirror(address(parameters, 0))
    ledger = ledger_at(service, parameters.get(1), 1)
    if ledger is None:
        return "0x0"
    reducible = balances.free(ledger, who) - balances.EXISTENTIAL_DEPOSIT
    return hex(max(reducible, 0) * fees.WEI_PER_RAO)


@method("eth_getTransactionCount")
def get_transaction_count(service: Service, parameters: Parameters, _connection: Connection) -> str:
    """The nonce of an address; with `pending`, the next one that nothing in the pool uses."""
    who, at = mirror(address(parameters, 0)), parameters.get(1)
    ledger = ledger_at(service, at, 1)
    if ledger is None:
        return "0x0"
    nonce = system.nonce(ledger, who)
    return hex(service.node.transaction_pool.next_nonce(who, nonce) if at == "pending" else nonce)


@method("eth_getCode")
def get_code(service: Service, parameters: Parameters, _connection: Connection) -> str:
    """The code of an address."""
    who = hexed(address(parameters, 0))
    number = height(service.history, parameters.get(1), 1)
    node = service.node
    raw = None if number is None else node.state.get(node.codec.key("EVM", "AccountCodes", who), number)
    return hexed(b"" if raw is None else Reader(raw).prefixed())


@method("eth_getStorageAt")
def get_storage_at(service: Service, parameters: Parameters, _connection: Connection) -> str:
    """A word of an address's storage."""
    who, slot = hexed(address(parameters, 0)), quantity(parameters.get(1), 1)
    ledger = ledger_at(service, parameters.get(2), 2)
    if ledger is None:
        return hexed(bytes(32))
    return hexed(array_of(ledger.get("EVM", "AccountStorages", who, hexed(slot.to_bytes(32, "big")))))


@method("eth_accounts")
def accounts(_service: Service, _parameters: Parameters, _connection: Connection) -> list[str]:
    """None: the node holds no keys."""
    return []


@method("eth_coinbase")
def coinbase(service: Service, _parameters: Parameters, _connection: Connection) -> str:
    """Who gets the tips."""
    return hexed(fees.author(service.node.ledger))
