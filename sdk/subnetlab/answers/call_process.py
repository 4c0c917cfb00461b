"""The process in which a person's functions run: reads calls from its input, writes what they returned.

`python -m subnetlab.answers.call_process`, started by `calls.Calls`, which says what lines look like. What a
function prints goes to the log. Ends when its input ends, whatever a function does just then.
"""

import importlib
import json
import linecache
import os
import queue
import random
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any

from subnetlab.answers.values import NotAValue, written

_FAILURES = (Exception, SystemExit)


def main() -> int:
    """Answer calls until the input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(lines,), daemon=True).start()
    functions: dict[str, Callable[..., Any]] = {}
    while True:
        asked = json.loads(lines.get())
        try:
            answer = _answer(functions, asked)
        except _FAILURES as error:
            traceback.print_exc()
            said = str(error).strip().splitlines()
            answer = json.dumps(
                {"raised": type(error).__name__, "said": said[0][:300] if said else ""}
            ).encode()
        answers.write(answer + b"\n")
        answers.flush()


def _read(lines: "queue.SimpleQueue[bytes]") -> None:
    for line in sys.stdin.buffer:
        lines.put(line)
    os._exit(0)


def _answer(functions: dict[str, Callable[..., Any]], asked: dict[str, Any]) -> bytes:
    """Define functions, or call one; one line of JSON."""
    if "define" in asked:
        for name, code in asked["define"].items():
            functions[name] = _defined(name, code)
            if not callable(functions[name]):
                raise TypeError(f"{code['name']} is no function")
        return b'{"defined":true}'
    named = {"random": random.Random(asked["random"])} if "random" in asked else {}  # noqa: S311 - drawn again by others
    value = functions[asked["call"]](*asked["given"], **named)
    if asked.get("number"):
        value = float(value)
    try:
        return b'{"value":' + written(value, asked["limit"]) + b"}"
    except NotAValue as error:
        return json.dumps({"unfit": str(error)}).encode()


def _defined(called: str, code: dict[str, Any]) -> Callable[..., Any]:
    """A function from its import path or its source."""
    if "path" in code:
        module, _, name = code["path"].partition(":")
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
        return found
    # By its place as well: where two were given without a name, a traceback would show the other's source.
    filename = f"<{called}: {code['name']}>"
    linecache.cache[filename] = (len(code["text"]), None, code["text"].splitlines(keepends=True), filename)
    namespace: dict[str, Any] = {"__name__": f"subnetlab_function_{code['name']}"}
    exec(compile(code["text"], filename, "exec", dont_inherit=True), namespace)  # noqa: S102 - its owner's, or trusted
    return namespace[code["defines"]]


if __name__ == "__main__":
    sys.exit(main())
