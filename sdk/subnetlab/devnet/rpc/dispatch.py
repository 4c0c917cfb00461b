"""One JSON-RPC frame in, one out: parsing, batches, and turning every failure into an error answer.

The one place of the node where any exception is caught: a bug in a pallet costs one answer, not the chain.
"""

import json
import logging
from typing import Any

from subnetlab.devnet.refusal import Refusal
from subnetlab.devnet.rpc.method import (
    INTERNAL_ERROR,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    METHODS,
    PARSE_ERROR,
    Parameters,
    RpcError,
    invalid_params,
)
from subnetlab.devnet.rpc.service import Peer, Service

log = logging.getLogger("subnetlab.devnet")
MAX_BATCH = 1000
Answer = dict[str, Any]


def answer_frame(service: Service, text: str | bytes, peer: Peer) -> Answer | list[Answer] | None:
    """The answer to one frame: a request or a batch; None where only notifications came."""
    try:
        request = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return _failed(None, RpcError(PARSE_ERROR, "Parse error"))
    if not isinstance(request, list):
        return answer(service, request, peer)
    if not request or len(request) > MAX_BATCH:
        return _failed(None, RpcError(INVALID_REQUEST, "Invalid request", f"A batch holds 1 to {MAX_BATCH}."))
    answers = [answer(service, one, peer) for one in request]
    return [one for one in answers if one is not None] or None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def answer(service: Service, request: Any, peer: Peer) -> Answer | None:
    """The answer to one request; None for a notification."""
    if not isinstance(request, dict) or not isinstance(request.get("method"), str):
        identifier = request.get("id") if isinstance(request, dict) else None
        return _failed(identifier, RpcError(INVALID_REQUEST, "Invalid request"))
    identifier = request.get("id")
    try:
        result = _call(service, request["method"], request.get("params"), peer)
    except RpcError as error:
        return _failed(identifier, error)
    except Refusal as error:
        return _failed(identifier, RpcError(error.code, error.message, error.data))
    except Exception as error:
        log.exception("%s failed", request["method"])
        return _failed(
            identifier, RpcError(INTERNAL_ERROR, "Internal error", f"{type(error).__name__}: {error}")
        )
    return {"jsonrpc": "2.0", "id": identifier, "result": result} if "id" in request else None


def _call(service: Service, name: str, params: Any, peer: Peer) -> Any:
    handler = METHODS.handlers.get(name)
    if handler is None:
        raise RpcError(METHOD_NOT_FOUND, "Method not found")
    if name.startswith("dev_") and not peer.privileged:
        raise RpcError(METHOD_NOT_FOUND, "RPC call is unsafe to be called externally")
    if params is not None and not isinstance(params, list):
        raise invalid_params("expected positional parameters")
    return handler(service, Parameters(params or []), peer)


def _failed(identifier: Any, error: RpcError) -> Answer:
    return {"jsonrpc": "2.0", "id": identifier, "error": error.member()}
