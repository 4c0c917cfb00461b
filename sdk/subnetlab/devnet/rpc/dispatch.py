"""One JSON-RPC frame in, one out: parsing, batches, and turning every failure into an error answer.

Any exception is caught here: a bug in a method costs one answer, not the node. Between the requests of a
batch other clients get their turn.
"""

import asyncio
import json
import logging
from codecs import BOM_UTF8
from collections.abc import Awaitable
from typing import Any

from subnetlab.devnet.chain.transaction_error import TransactionError
from subnetlab.devnet.rpc.connection import Connection
from subnetlab.devnet.rpc.method import (
    BATCH_TOO_LARGE,
    INTERNAL_ERROR,
    INVALID_REQUEST,
    MAX_ANSWER_BYTES,
    METHOD_NOT_FOUND,
    METHODS,
    PARSE_ERROR,
    Parameters,
    RpcError,
    invalid_params,
    too_large,
)
from subnetlab.devnet.rpc.service import Service

log = logging.getLogger("subnetlab.devnet")
MAX_BATCH = 1000
_BESIDE_A_BLOCK = frozenset({"dev_seal", "dev_info"})
"""The methods of the owner that may run while a block is being built; the others change what it reads."""
Answer = dict[str, Any]


async def answer_frame(service: Service, text: str | bytes, connection: Connection) -> str | None:
    """The answer to one frame, a request or a batch, as JSON; None where only notifications came."""
    try:
        request = _DECODER.decode(text if isinstance(text, str) else text.removeprefix(BOM_UTF8).decode())
    except (ValueError, RecursionError):
        return json.dumps(_failed(None, RpcError(PARSE_ERROR, "Parse error")))
    if isinstance(request, list):
        return await _answer_batch(service, request, connection)
    return await _answer_text(service, request, connection)


async def _answer_batch(service: Service, requests: list[Any], connection: Connection) -> str | None:
    if not requests or len(requests) > MAX_BATCH:
        refused = RpcError(INVALID_REQUEST, "Invalid request", f"A batch holds 1 to {MAX_BATCH}.")
        return json.dumps(_failed(None, refused))
    answers: list[str] = []
    size = 0
    for one in requests:
        text = await _answer_text(service, one, connection)
        if text is not None:
            answers.append(text)
            size += len(text)
        if size > MAX_ANSWER_BYTES:
            limit = f"Exceeded max limit of {MAX_ANSWER_BYTES}"
            return json.dumps(
                _failed(None, RpcError(BATCH_TOO_LARGE, "The batch response was too large", limit))
            )
        await asyncio.sleep(0)
    return f"[{', '.join(answers)}]" if answers else None


async def _answer_text(service: Service, request: Any, connection: Connection) -> str | None:
    reply = await answer(service, request, connection)
    if reply is None:
        return None
    text = json.dumps(reply)
    return text if len(text) <= MAX_ANSWER_BYTES else json.dumps(_failed(reply["id"], too_large()))


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


async def answer(service: Service, request: Any, connection: Connection) -> Answer | None:
    """The answer to one request; None for a notification."""
    if not isinstance(request, dict) or not isinstance(request.get("method"), str):
        identifier = request.get("id") if isinstance(request, dict) else None
        return _failed(identifier, RpcError(INVALID_REQUEST, "Invalid request"))
    identifier = request.get("id")
    try:
        result = await _call(service, request["method"], request.get("params"), connection)
    except RpcError as error:
        return _failed(identifier, error)
    except TransactionError as error:
        return _failed(identifier, RpcError(error.code, error.message, error.data))
    except Exception as error:
        log.exception("%s failed", request["method"])
        return _failed(
            identifier, RpcError(INTERNAL_ERROR, "Internal error", f"{type(error).__name__}: {error}")
        )
    return {"jsonrpc": "2.0", "id": identifier, "result": result} if "id" in request else None


async def _call(service: Service, name: str, params: Any, connection: Connection) -> Any:
    handler = METHODS.find(name)
    if handler is None:
        raise RpcError(METHOD_NOT_FOUND, "Method not found")
    if name.startswith("dev_") and not connection.privileged:
        raise RpcError(METHOD_NOT_FOUND, "RPC call is unsafe to be called externally")
    if name.startswith("dev_") and name not in _BESIDE_A_BLOCK:
        service.node.finish()
    if params is not None and not isinstance(params, list):
        raise invalid_params("expected positional parameters")
    result = handler(service, Parameters(params or []), connection)
    return await result if isinstance(result, Awaitable) else result


def _failed(identifier: Any, error: RpcError) -> Answer:
    return {"jsonrpc": "2.0", "id": identifier, "error": error.member()}
