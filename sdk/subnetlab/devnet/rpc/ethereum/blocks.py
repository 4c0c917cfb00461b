"""`eth_` methods that read blocks, transactions and receipts, and send transactions."""

from importlib.metadata import version as installed
from typing import Any

from subnetlab.devnet.chain import transaction_error
from subnetlab.devnet.chain.transaction_error import TransactionError
from subnetlab.devnet.evm.keccak import keccak
from subnetlab.devnet.evm.transaction import Undecodable, decode
from subnetlab.devnet.node.ethereum_history import Full
from subnetlab.devnet.rpc.connection import Connection
from subnetlab.devnet.rpc.ethereum import answers
from subnetlab.devnet.rpc.ethereum.parameters import hash_of, height, internal, quantity
from subnetlab.devnet.rpc.method import Parameters, method
from subnetlab.devnet.rpc.service import Service

_REFUSALS = {
    transaction_error.STALE: "nonce too low",
    transaction_error.PAYMENT: "insufficient funds for gas * price + value",
    transaction_error.EXHAUSTS: "exceeds block gas limit",
    "Custom error: 0": "intrinsic gas too low",
    "Custom error: 1": "exceeds block gas limit",
    "Custom error: 2": "gas price less than block base fee",
    "Custom error: 3": "max priority fee per gas higher than max fee per gas",
    "Custom error: 8": "invalid chain id",
    "Custom error: 9": "invalid sender",
    "Custom error: 10": "authorization list cannot be empty",
    "Custom error: 11": "authorization list too large",
}


def refusal(error: TransactionError) -> str:
    """A refusal of the pool in Geth's words, as Frontier gives them."""
    match error.code:
        case transaction_error.ALREADY_IMPORTED | transaction_error.BANNED:
            return "already known"
        case transaction_error.TOO_LOW_PRIORITY:
            return "replacement transaction underpriced"
        case transaction_error.INVALID:
            return _REFUSALS.get(error.data or "", "unknown error")
        case _:
            return f"submit transaction to pool failed: {error}"


@method("eth_sendRawTransaction")
def send_raw_transaction(service: Service, parameters: Parameters, _connection: Connection) -> str:
    """Take a signed transaction into the pool; its hash."""
    data = parameters.data(0)
    if not data:
        raise internal("transaction data is empty")
    try:
        transaction = decode(data)
    except Undecodable as error:
        raise internal("decode transaction failed") from error
    try:
        service.node.submit_transaction(transaction)
    except TransactionError as error:
        raise internal(refusal(error)) from error
    return answers.hexed(transaction.hash)


@method("eth_sendTransaction")
def send_transaction(_service: Service, _parameters: Parameters, _connection: Connection) -> str:
    """Refuse: the node holds no keys."""
    raise internal("no signer available")


@method("eth_blockNumber")
def block_number(service: Service, _parameters: Parameters, _connection: Connection) -> str:
    """The newest height."""
    return hex(service.history.head)


def _full(service: Service, number: int | None) -> Full | None:
    return None if number is None else service.history.full(number)


@method("eth_getBlockByNumber")
def block_by_number(service: Service, parameters: Parameters, _connection: Connection) -> Any:
    """The block of a height or tag."""
    full = _full(service, height(service.history, parameters.get(0), 0))
    return None if full is None else answers.block(full, with_transactions=parameters.get(1) is True)


@method("eth_getBlockByHash")
def block_by_hash(service: Service, parameters: Parameters, _connection: Connection) -> Any:
    """The block of a hash."""
    full = _full(service, service.history.number_of(hash_of(parameters, 0)))
    return None if full is None else answers.block(full, with_transactions=parameters.get(1) is True)


@method("eth_getBlockTransactionCountByNumber")
def transaction_count_by_number(service: Service, parameters: Parameters, _connection: Connection) -> Any:
    """How many transactions the block of a height has."""
    full = _full(service, height(service.history, parameters.get(0), 0))
    return None if full is None else hex(len(full.block.transactions))


@method("eth_getBlockTransactionCountByHash")
def transaction_count_by_hash(service: Service, parameters: Parameters, _connection: Connection) -> Any:
    """How many transactions the block of a hash has."""
    full = _full(service, service.history.number_of(hash_of(parameters, 0)))
    return None if full is None else hex(len(full.block.transactions))


@method("eth_getBlockReceipts")
def block_receipts(service: Service, parameters: Parameters, _connection: Connection) -> Any:
    """Every receipt of a block."""
    full = _full(service, height(service.history, parameters.get(0), 0))
    return None if full is None else [answers.receipt(full, index) for index in range(len(full.receipts))]


@method("eth_getUncleCountByBlockHash", "eth_getUncleCountByBlockNumber")
def uncle_count(_service: Service, _parameters: Parameters, _connection: Connection) -> str:
    """No uncles."""
    return "0x0"


@method("eth_getUncleByBlockHashAndIndex", "eth_getUncleByBlockNumberAndIndex", "eth_getWork")
def no_uncle(_service: Service, _parameters: Parameters, _connection: Connection) -> None:
    """There is none."""


@method("eth_getTransactionByHash")
def transaction_by_hash(service: Service, parameters: Parameters, _connection: Connection) -> Any:
    """A transaction of a block or of the pool."""
    wanted = hash_of(parameters, 0)
    place = service.history.place_of(wanted)
    if place is None:
        pool = (one.transaction for one in service.node.transaction_pool)
        waiting = next((one for one in pool if one is not None and one.hash == wanted), None)
        return None if waiting is None else answers.transaction(waiting, waiting.sender or b"")
    full = service.history.full(place[0])
    return None if full is None else answers.sealed_transaction(full, place[1])


@method("eth_getTransactionByBlockHashAndIndex")
def transaction_by_block_hash(service: Service, parameters: Parameters, _connection: Connection) -> Any:
    """A transaction by its block's hash and its place."""
    full = _full(service, service.history.number_of(hash_of(parameters, 0)))
    return _at(full, quantity(parameters.get(1), 1))


@method("eth_getTransactionByBlockNumberAndIndex")
def transaction_by_block_number(service: Service, parameters: Parameters, _connection: Connection) -> Any:
    """A transaction by its block's height and its place."""
    full = _full(service, height(service.history, parameters.get(0), 0))
    return _at(full, quantity(parameters.get(1), 1))


def _at(full: Full | None, index: int) -> Any:
    if full is None or index >= len(full.block.transactions):
        return None
    return answers.sealed_transaction(full, index)


@method("eth_getTransactionReceipt")
def transaction_receipt(service: Service, parameters: Parameters, _connection: Connection) -> Any:
    """What became of a transaction; null while it waits."""
    place = service.history.place_of(hash_of(parameters, 0))
    full = None if place is None else service.history.full(place[0])
    return None if full is None or place is None else answers.receipt(full, place[1])


@method("eth_pendingTransactions")
def pending_transactions(service: Service, _parameters: Parameters, _connection: Connection) -> Any:
    """Every transaction of the pool."""
    waiting = (one.transaction for one in service.node.transaction_pool)
    return [answers.transaction(one, one.sender or b"") for one in waiting if one is not None]


# -- the node


@method("web3_clientVersion")
def client_version(_service: Service, _parameters: Parameters, _connection: Connection) -> str:
    """The node and its version."""
    return f"SubnetLab-devnet/{installed('subnetlab')}"


@method("web3_sha3")
def sha3(_service: Service, parameters: Parameters, _connection: Connection) -> str:
    """The Keccak hash of bytes."""
    return answers.hexed(keccak(parameters.data(0)))


@method("net_version")
def net_version(service: Service, _parameters: Parameters, _connection: Connection) -> str:
    """The chain id, as a decimal text."""
    return str(service.node.settled().get("EVMChainId", "ChainId"))


@method("eth_chainId")
def chain_id(service: Service, _parameters: Parameters, _connection: Connection) -> str:
    """The chain id that signatures are made for."""
    return hex(int(service.node.settled().get("EVMChainId", "ChainId")))


@method("net_listening")
def listening(_service: Service, _parameters: Parameters, _connection: Connection) -> bool:
    """It answers."""
    return True


@method("net_peerCount")
def peer_count(_service: Service, _parameters: Parameters, _connection: Connection) -> str:
    """No peers."""
    return "0x0"


@method("eth_protocolVersion")
def protocol_version(_service: Service, _parameters: Parameters, _connection: Connection) -> int:
    """That of Frontier."""
    return 1


@method("eth_syncing", "eth_mining")
def never(_service: Service, _parameters: Parameters, _connection: Connection) -> bool:
    """Always at the head, and not by mining."""
    return False


@method("eth_hashrate")
def hashrate(_service: Service, _parameters: Parameters, _connection: Connection) -> str:
    """No mining."""
    return "0x0"


@method("eth_submitHashrate", "eth_submitWork")
def no_work(_service: Service, _parameters: Parameters, _connection: Connection) -> bool:
    """No mining."""
    return False
