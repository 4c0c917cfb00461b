"""The Substrate JSON-RPC methods that SDK, btcli and polkadot.js call: chain, state, author, system.

Answers have Substrate's shapes to the letter. There are no storage proofs, because there is no trie. Source:
`sc-rpc-api`.
"""

from typing import Any

from subnetlab.devnet.apis.chain import v14
from subnetlab.devnet.chain import version
from subnetlab.devnet.chain.block import hexed
from subnetlab.devnet.chain.extrinsic import digest
from subnetlab.devnet.node.node import BadArguments, UnknownApi
from subnetlab.devnet.pallets import system
from subnetlab.devnet.rpc.connection import Connection
from subnetlab.devnet.rpc.method import (
    METHODS,
    STATE_ERROR,
    Parameters,
    RpcError,
    bounded,
    invalid_params,
    method,
)
from subnetlab.devnet.rpc.service import Service

MAX_KEYS_PAGE = 1000


def _maybe(value: bytes | None) -> str | None:
    return None if value is None else hexed(value)


# -- chain


@method("chain_getHead", "chain_getFinalizedHead", "chain_getFinalisedHead")
def head(service: Service, _parameters: Parameters, _connection: Connection) -> str:
    """The newest block's hash; it is final."""
    return hexed(service.node.blocks.head.hash)


@method("chain_getBlockHash")
def block_hash(service: Service, parameters: Parameters, _connection: Connection) -> Any:
    """The hash at a height, at several heights, or of the head."""
    wanted = parameters.get(0)
    if wanted is None:
        return hexed(service.node.blocks.head.hash)
    if isinstance(wanted, list):
        return [_hash_at(service, number) for number in parameters.list(0)]
    return _hash_at(service, wanted)


def _hash_at(service: Service, number: Any) -> str | None:
    try:
        height = int(number, 16) if isinstance(number, str) else int(number)
    except (ValueError, TypeError, OverflowError) as error:
        raise invalid_params("expected a block number") from error
    block = service.node.blocks.at(height)
    return None if block is None else hexed(block.hash)


@method("chain_getHeader")
def header(service: Service, parameters: Parameters, _connection: Connection) -> dict[str, Any] | None:
    """A block's header, null where there is no such block."""
    wanted = parameters.block_hash(0)
    block = service.node.blocks.head if wanted is None else service.node.blocks.find(wanted)
    return None if block is None else block.header()


@method("chain_getBlock")
def get_block(service: Service, parameters: Parameters, _connection: Connection) -> dict[str, Any] | None:
    """A block with its body, null where there is no such block."""
    wanted = parameters.block_hash(0)
    block = service.node.blocks.head if wanted is None else service.node.blocks.find(wanted)
    return None if block is None else {"block": block.body(), "justifications": None}


# -- state


@method("state_getRuntimeVersion", "chain_getRuntimeVersion")
def runtime_version(service: Service, parameters: Parameters, _connection: Connection) -> dict[str, Any]:
    """The runtime's version, the same at every block."""
    service.block(parameters.block_hash(0))
    return version.json_value(service.node.codec)


@method("state_getMetadata")
def metadata(service: Service, parameters: Parameters, _connection: Connection) -> str:
    """The runtime's metadata of version 14, as this method always answers."""
    service.block(parameters.block_hash(0))
    return hexed(v14(service.node.codec.metadata_v15))


@method("state_getStorage", "state_getStorageAt")
def storage(service: Service, parameters: Parameters, _connection: Connection) -> str | None:
    """One raw value."""
    key = parameters.data(0)
    return _maybe(service.node.state.get(key, service.state_block(parameters.block_hash(1)).number))


@method("state_getStorageSize", "state_getStorageSizeAt")
def storage_size(service: Service, parameters: Parameters, _connection: Connection) -> int | None:
    """How many bytes a value has."""
    key = parameters.data(0)
    value = service.node.state.get(key, service.state_block(parameters.block_hash(1)).number)
    return None if value is None else len(value)


@method("state_getStorageHash", "state_getStorageHashAt")
def storage_hash(service: Service, parameters: Parameters, _connection: Connection) -> str | None:
    """The blake2 hash of a value."""
    key = parameters.data(0)
    value = service.node.state.get(key, service.state_block(parameters.block_hash(1)).number)
    return None if value is None else hexed(digest(value))


@method("state_queryStorageAt")
def query_storage_at(
    service: Service, parameters: Parameters, _connection: Connection
) -> list[dict[str, Any]]:
    """Several raw values at one block, every asked key in one group."""
    block = service.state_block(parameters.block_hash(1))
    keys = parameters.many(0)
    changes = bounded([hexed(key), _maybe(service.node.state.get(key, block.number))] for key in keys)
    return [{"block": hexed(block.hash), "changes": changes}]


@method("state_getKeys")
def keys(service: Service, parameters: Parameters, _connection: Connection) -> list[str]:
    """Every key below a prefix."""
    prefix = parameters.data(0)
    block = service.state_block(parameters.block_hash(1))
    return bounded(hexed(key) for key in service.node.state.keys(prefix, block.number))


@method("state_getKeysPaged", "state_getKeysPagedAt")
def keys_paged(service: Service, parameters: Parameters, _connection: Connection) -> list[str]:
    """A page of keys below a prefix, after a start key."""
    prefix, size = parameters.data(0), parameters.integer(1, low=1, high=MAX_KEYS_PAGE)
    block = service.state_block(parameters.block_hash(3))
    found = service.node.state.keys(prefix, block.number, parameters.optional_data(2))
    return [hexed(key) for key in found[:size]]


@method("state_call", "state_callAt")
def state_call(service: Service, parameters: Parameters, _connection: Connection) -> str:
    """A runtime API's answer in SCALE."""
    name, data = parameters.text(0), parameters.data(1)
    block = service.state_block(parameters.block_hash(2))
    try:
        return hexed(service.node.call_api(name, data, block))
    except UnknownApi as error:
        raise RpcError(
            STATE_ERROR, f"Client error: Execution failed: Other: Exported method {name} is not found"
        ) from error
    except BadArguments as error:
        raise RpcError(
            STATE_ERROR, f"Client error: Execution failed: Bad input data provided to {name}: {error}"
        ) from error


# -- author


@method("author_submitExtrinsic")
def submit(service: Service, parameters: Parameters, _connection: Connection) -> str:
    """Take an extrinsic into the pool."""
    return hexed(service.node.submit(parameters.data(0)))


@method("author_pendingExtrinsics")
def pending(service: Service, _parameters: Parameters, _connection: Connection) -> list[str]:
    """What is in the pool."""
    return bounded(hexed(waiting.extrinsic.raw) for waiting in service.node.transaction_pool)


@method("system_accountNextIndex", "account_nextIndex")
def next_index(service: Service, parameters: Parameters, _connection: Connection) -> int:
    """The next nonce of an account, the pool counted in."""
    who = parameters.text(0)
    try:
        nonce = system.nonce(service.node.settled(), who)
    except ValueError as error:
        raise invalid_params(f"not an address: {who}") from error
    return service.node.transaction_pool.next_nonce(who, nonce)


@method("payment_queryInfo")
def query_info(service: Service, parameters: Parameters, _connection: Connection) -> dict[str, Any]:
    """Weight, class and fee of an extrinsic, in JSON."""
    extrinsic = parameters.data(0)
    block = service.state_block(parameters.block_hash(1))
    name = "TransactionPaymentApi_query_info"
    answer = service.node.call_api(name, extrinsic + len(extrinsic).to_bytes(4, "little"), block)
    output = service.node.codec.apis["TransactionPaymentApi"]["query_info"]["output"]
    info = service.node.codec.decode(output, answer)
    return {
        "weight": info["weight"],
        "class": str(info["class"]).lower(),
        "partialFee": str(info["partial_fee"]),
    }


# -- system


@method("rpc_methods")
def rpc_methods(_service: Service, _parameters: Parameters, _connection: Connection) -> dict[str, Any]:
    """Every method there is."""
    return {"methods": METHODS.names()}


@method("system_chain", "system_chainType")
def chain_name(_service: Service, _parameters: Parameters, _connection: Connection) -> str:
    """The chain's name and type."""
    return "Development"


@method("system_name")
def node_name(_service: Service, _parameters: Parameters, _connection: Connection) -> str:
    """The node's name."""
    return "SubnetLab devnet"


@method("system_version")
def node_version(_service: Service, _parameters: Parameters, _connection: Connection) -> str:
    """The node's version."""
    from importlib.metadata import version as installed  # noqa: PLC0415 - slow, and seldom asked for

    return installed("subnetlab")


@method("system_properties")
def properties(_service: Service, _parameters: Parameters, _connection: Connection) -> dict[str, Any]:
    """Address format and token."""
    return {"isEthereum": False, "ss58Format": 42, "tokenDecimals": 9, "tokenSymbol": "TAO"}


@method("system_health")
def health(_service: Service, _parameters: Parameters, _connection: Connection) -> dict[str, Any]:
    """A node of its own: no peers, never syncing."""
    return {"peers": 0, "isSyncing": False, "shouldHavePeers": False}


@method("system_peers")
def peers(_service: Service, _parameters: Parameters, _connection: Connection) -> list[Any]:
    """No peers."""
    return []


@method("system_nodeRoles")
def roles(_service: Service, _parameters: Parameters, _connection: Connection) -> list[str]:
    """It builds every block itself."""
    return ["Authority"]


@method("system_syncState")
def sync_state(service: Service, _parameters: Parameters, _connection: Connection) -> dict[str, int]:
    """Always at the head."""
    number = service.node.blocks.head.number
    return {"startingBlock": 0, "currentBlock": number, "highestBlock": number}
