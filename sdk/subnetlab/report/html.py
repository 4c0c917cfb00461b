"""The few pieces of HTML our saved outputs are made of: escaped text, a plain table, a drawing, a badge.

Made for the strictest reader: GitHub drops every `style` and every `<svg>`, JupyterLab the second where it
does not trust a notebook. What must survive is a tag or an attribute (`<strong>`, `align`, `<img>`); inline
styles only improve on it. Colours come from the page (`currentColor`) or from the notebook's theme.
"""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape

_CELL = "padding:2px 10px 2px 0;border:0;border-bottom:1px solid rgba(128,128,128,.25);background:none"


def paragraph(content: str, *, faint: bool = False, bold: bool = False) -> str:
    """A paragraph of plain text."""
    style = "margin:0 0 6px 0;max-width:46em;font-size:14px" + (";opacity:.7" if faint else "")
    words = f"<strong>{escape(content)}</strong>" if bold else escape(content)
    return f'<p style="{style}">{words}</p>'


def drawing(svg: str, words: str, *, width: int) -> str:
    """An SVG document as an image: the form of a drawing that every viewer of notebooks keeps."""
    source = f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"
    return f'<img src="{source}" alt="{escape(words)}" width="{width}" style="max-width:100%">'


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, words: int = 1) -> str:
    """A plain table; the first `words` columns are words, aligned left; the others are numbers."""

    def cell(tag: str, i: int, content: str) -> str:
        side = "left" if i < words else "right"
        return f'<{tag} align="{side}" style="{_CELL};text-align:{side}">{escape(content)}</{tag}>'

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


def block(*parts: str) -> str:
    """Parts below each other."""
    return f'<div style="max-width:900px">{"".join(parts)}</div>'
