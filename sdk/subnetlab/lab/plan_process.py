"""The process that plans a run for a kernel without torch: `python -m subnetlab.lab.plan_process`.

Reads lines of JSON from its input, a plan and then where it is written, and answers each with a line.
`planning` starts it and says what lines hold. Ends when its input ends, or after an error.
"""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from subnetlab.errors import SubnetLabError
from subnetlab.lab.first_loss import measure
from subnetlab.lab.plan import Plan, plan
from subnetlab.train import data, models, optimizer, strategies


def main() -> int:
    """Plan, then write the plan; the process's exit status."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints goes to stderr
    made: Plan | None = None
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        try:
            if made is None:
                made = plan(**_read(asked["plan"]))
                answer: Any = {"note": made.note, "parameters": made.parameters}
            else:
                folder = Path(asked["write"].pop("folder"))
                made = replace(made, deterministic=asked["deterministic"])
                answer = made.write(folder, **asked["write"])
                measure(folder, parameters=made.parameters)
        except SubnetLabError as error:
            _answer(answers, error=type(error).__name__, message=error.args[0], hint=error.hint)
            return 1
        _answer(answers, answer=answer)
    return 0


def _answer(answers: Any, **said: object) -> None:
    answers.write(json.dumps(said).encode() + b"\n")
    answers.flush()


def _read(words: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `plan` from JSON types."""
    readers = {
        "model": models.from_json, "data": data.from_json, "strategy": strategies.from_json,
        "optimizer": optimizer.from_json,
    }  # fmt: skip
    return {
        name: readers[name](value) if isinstance(value, dict) and name in readers else value
        for name, value in words.items()
    }


if __name__ == "__main__":
    sys.exit(main())
