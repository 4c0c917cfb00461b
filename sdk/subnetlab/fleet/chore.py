"""One question for a forked process that has torch loaded, so that the supervisor itself stays small.

The answer is JSON; an error comes back as the sentence a person can act on.
"""

import contextlib
import json
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from typing import Any

from subnetlab.errors import FleetError, NodeUnreachable
from subnetlab.fleet.peer import sentence

Answer = dict[str, Any]


def ask(
    context: ForkServerContext, function: Callable[..., Answer], *args: Any, timeout_s: float = 60.0
) -> Answer:
    """Call `function(*args)` in a fork and return what it answers.

    Raises:
        FleetError: it failed, said nothing within the limit, or died.
        NodeUnreachable: it needed the chain, which does not answer.
    """
    reading, writing = context.Pipe(duplex=False)
    process = context.Process(target=_do, args=(function, args, writing), name=function.__name__, daemon=True)
    with reading:
        try:
            process.start()
        except (EOFError, OSError) as error:
            raise FleetError(f"The process that loads torch did not come up: {error}.") from error
        finally:
            writing.close()
        data = b""
        with contextlib.suppress(EOFError):
            if reading.poll(timeout_s):
                data = reading.recv_bytes()
        process.kill()
        process.join()
    if not data:
        raise FleetError(f"{function.__name__} died or said nothing within {timeout_s:g} s.")
    answer: Answer = json.loads(data)
    if "error" in answer:
        raise (NodeUnreachable if answer.get("away") else FleetError)(answer["error"], hint="")
    return answer["answer"]


def _do(function: Callable[..., Answer], args: tuple[Any, ...], pipe: Connection) -> None:
    with _Edge(pipe):
        pipe.send_bytes(json.dumps({"answer": function(*args)}).encode())


class _Edge(contextlib.AbstractContextManager["_Edge"]):
    """Sends an exception's sentence before the process ends with its traceback."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is not None:
            away = isinstance(error, NodeUnreachable)
            self._pipe.send_bytes(json.dumps({"error": sentence(error), "away": away}).encode())
