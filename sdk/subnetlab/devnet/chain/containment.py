"""The edge at which a fault inside a block stays inside: it is logged, and what it met alone is left out.

On the chain, what a call or a hook does unforeseen traps the runtime; here it must not end the chain.
"""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

log = logging.getLogger("subnetlab.devnet")


@dataclass(slots=True)
class Outcome:
    """How the body of `contained` went."""

    failed: bool = False


@contextmanager
def contained(what: str, *, passes: tuple[type[Exception], ...] = ()) -> Generator[Outcome]:
    """Log whatever the body raises, apart from what `passes`, and go on behind it."""
    outcome = Outcome()
    try:
        yield outcome
    except passes:
        raise
    except Exception:
        log.exception("%s failed", what)
        outcome.failed = True
