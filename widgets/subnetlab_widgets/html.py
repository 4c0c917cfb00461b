"""The few pieces of HTML our saved outputs are made of: escaped text, a plain table, a badge.

Styles are inline, because a saved notebook, GitHub and an exported page keep nothing else; colours come from
the page (`currentColor`) or from the notebook's theme.
"""

from collections.abc import Iterable, Sequence
from html import escape

_CELL = "padding:2px 10px 2px 0;border:0;border-bottom:1px solid rgba(128,128,128,.25);background:none"


def paragraph(content: str, *, faint: bool = False, bold: bool = False) -> str:
    """A paragraph of plain text."""
    style = (
        "margin:0 0 6px 0;max-width:46em;font-size:14px"
        + (";opacity:.7" if faint else "")
        + (";font-weight:600" if bold else "")
    )
    return f'<p style="{style}">{escape(content)}</p>'


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, words: int = 1) -> str:
    """A plain table; the first `words` columns are words and stand left, the others are numbers."""

    def cell(tag: str, i: int, content: str) -> str:
        side = "left" if i < words else "right"
        return f'<{tag} style="{_CELL};text-align:{side}">{escape(content)}</{tag}>'

    head = "".join(cell("th", i, content) for i, content in enumerate(header))
    body = "".join(
        "<tr>" + "".join(cell("td", i, content) for i, content in enumerate(row)) + "</tr>" for row in rows
    )
    return (
        '<table style="border-collapse:collapse;font-size:13px;margin:6px 0;'
        'font-variant-numeric:tabular-nums">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def badge(content: str, *, real: bool = False) -> str:
    """What kind of money this is: a dashed outline for play money, solid and loud for real."""
    look = (
        "background:var(--jp-warn-color1,#c25700);color:#fff;font-weight:600"
        if real
        else "border:1px dashed currentColor;opacity:.75"
    )
    return f'<span style="{look};border-radius:9px;padding:1px 8px;font-size:12px">{escape(content)}</span>'


def block(*parts: str, run: str = "") -> str:
    """Parts below each other; where they picture a run, a live dashboard of it hides them while it lives."""
    mark = f' data-subnetlab-run="{escape(run)}"' if run else ""
    return f'<div{mark} style="max-width:900px">{"".join(parts)}</div>'
