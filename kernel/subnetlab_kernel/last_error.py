"""`%explain`: the last error of this notebook, in sentences: what it means, what to do, what lies below it.

The traceback is there, folded: in a page behind a line that opens, on a terminal by `%explain --traceback`.
"""

import html
import inspect
import traceback
from dataclasses import dataclass

from subnetlab.errors import RemoteFailed, SubnetLabError
from subnetlab.text import plain_lines

_MOST_CAUSES = 5


@dataclass(frozen=True, slots=True)
class ExplainedError:
    """An error as paragraphs, and its traceback."""

    paragraphs: tuple[str, ...]
    traceback: str
    unfolded: bool = False

    def __repr__(self) -> str:
        shown = [*self.paragraphs, self.traceback] if self.unfolded else self.paragraphs
        return "\n\n".join(shown)

    def _repr_html_(self) -> str:
        said = "".join(f"<p>{html.escape(text)}</p>" for text in self.paragraphs)
        opened = " open" if self.unfolded else ""
        folded = f"<pre>{html.escape(self.traceback)}</pre>"
        return f"<div>{said}<details{opened}><summary>Traceback</summary>{folded}</details></div>"


def explained(error: BaseException, *, unfolded: bool = False) -> ExplainedError:
    """Say what an error means, what to do next, and what caused it."""
    kind = type(error)
    paragraphs = [f"{kind.__name__}: {_said(error)}"]
    meaning = _meaning(kind)
    if meaning:
        paragraphs.append(f"What it means: {meaning}")
    if isinstance(error, SubnetLabError):
        if error.hint:
            paragraphs.append(f"What to do: {plain_lines(error.hint)}")
        family = " < ".join(base.__name__ for base in kind.__mro__ if issubclass(base, SubnetLabError))
        paragraphs.append(f"To catch it: except sl.errors.{kind.__name__} ({family})")
    paragraphs += [f"Below it lies {type(cause).__name__}: {_said(cause)}" for cause in _causes(error)]
    trace = "".join(traceback.format_exception(error))
    if isinstance(error, RemoteFailed) and error.traceback:
        trace += f"\nIn the remote kernel:\n{error.traceback}"
    return ExplainedError(tuple(paragraphs), plain_lines(trace), unfolded)


def _said(error: BaseException) -> str:
    """An error's own sentence, without the hint, which gets a paragraph of its own."""
    text = str(error.args[0]) if isinstance(error, SubnetLabError) and error.args else str(error)
    return plain_lines(text.strip()) or "it says no more."


def _meaning(kind: type[BaseException]) -> str:
    """The first paragraph of what a class says of itself; what it inherits says nothing of it."""
    said = inspect.cleandoc(vars(kind).get("__doc__") or "")
    return " ".join(said.split("\n\n")[0].split())


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    while len(found) < _MOST_CAUSES:
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if cause is None or cause in found:
            break
        found.append(cause)
        error = cause
    return found
