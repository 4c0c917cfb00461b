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
    begun = begin_frame(service, text, connection)
    return await begun if isinstance(begun, Awaitable) else begun


def begin_frame(
    service: Service, text: str | bytes, connection: Connection
) -> str | Awaitable[str | None] | None:
    """The same where nothing has to be waited for; else the rest of it."""
    try:
        request = _DECODER.decode(text if isinstance(text, str) else text.removeprefix(BOM_UTF8).decode())
    except (ValueError, RecursionError):
        return json.dumps(_failed(None, RpcError(PARSE_ERROR, "Parse error")))
    if isinstance(request, list):
        return _answer_batch(service, request, connection)
    begun = _begin(service, request, connection)
    return _written_later(begun) if isinstance(begun, Awaitable) else _written(begun)


async def _answer_batch(service: Service, requests: list[Any], connection: Connection) -> str | None:
    if not requests or len(requests) > MAX_BATCH:
        refused = RpcError(INVALID_REQUEST, "Invalid request", f"A batch holds 1 to {MAX_BATCH}.")
        return json.dumps(_failed(None, refused))
    answers: list[str] = []
    size = 0
    for one in requests:
        text = _written(await answer(service, one, connection))
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


async def _written_later(begun: Awaitable["Answer | None"]) -> str | None:
    return _written(await begun)


def _written(reply: "Answer | None") -> str | None:
    if reply is None:
        return None
    text = json.dumps(reply)
    return text if len(text) <= MAX_ANSWER_BYTES else json.dumps(_failed(reply["id"], too_large()))


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


async def answer(service: Service, request: Any, connection: Connection) -> Answer | None:
    """The answer to one request; None for a notification."""
    begun = _begin(service, request, connection)
    return await begun if isinstance(begun, Awaitable) else begun


def _begin(
    service: Service, request: Any, connection: Connection
) -> Answer | Awaitable[Answer | None] | None:
    if not isinstance(request, dict) or not isinstance(request.get("method"), str):
        identifier = request.get("id") if isinstance(request, dict) else None
        return _failed(identifier, RpcError(INVALID_REQUEST, "Invalid request"))
    try:
        result = _call(service, request["method"], request.get("params"), connection)
    except (RpcError, TransactionError) as error:
        return _refused(request, error)
    except Exception as error:
        log.exception("%s failed", request["method"])
        return _broken(request, error)
    return _finish(request, result) if isinstance(result, Awaitable) else _succeeded(request, result)


async def _finish(request: dict[str, Any], result: Awaitable[Any]) -> Answer | None:
    try:
        return _succeeded(request, await result)
    except (RpcError, TransactionError) as error:
        return _refused(request, error)
    except Exception as error:
        log.exception("%s failed", request["method"])
        return _broken(request, error)


def _succeeded(request: dict[str, Any], result: Any) -> Answer | None:
    return {"jsonrpc": "2.0", "id": request["id"], "result": result} if "id" in request else None


def _refused(request: dict[str, Any], error: RpcError | TransactionError) -> Answer:
    if isinstance(error, TransactionError):
        error = RpcError(error.code, error.message, error.data)
    return _failed(request.get("id"), error)


def _broken(request: dict[str, Any], error: Exception) -> Answer:
    said = f"{type(error).__name__}: {error}"
    return _failed(request.get("id"), RpcError(INTERNAL_ERROR, "Internal error", said))


def _call(service: Service, name: str, params: Any, connection: Connection) -> Any:
    handler = METHODS.find(name)
    if handler is None:
        raise RpcError(METHOD_NOT_FOUND, "Method not found")
    if name.startswith("dev_") and not connection.privileged:
        raise RpcError(METHOD_NOT_FOUND, "RPC call is unsafe to be called externally")
    if name.startswith("dev_") and name not in _BESIDE_A_BLOCK:
        service.node.finish()
    if params is not None and not isinstance(params, list):
        raise invalid_params("expected positional parameters")
    return handler(service, Parameters(params or []), connection)


def _failed(identifier: Any, error: RpcError) -> Answer:
    return {"jsonrpc": "2.0", "id": identifier, "error": error.member()}
