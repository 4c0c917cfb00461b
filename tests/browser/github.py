"""A saved notebook as GitHub shows it, as near as one comes offline: no script, no style, an allow list.

The list is that of GitHub's published HTML sanitiser, and `data:` images, which its notebook viewer keeps.
What GitHub's own style sheet does to tables and images is imitated, so that a picture of the page tells
something.
"""

from html import escape
from typing import Any

import bleach

TAGS = [
    *(
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "p",
        "div",
        "span",
        "br",
        "hr",
        "b",
        "i",
        "strong",
        "em",
        "a",
        "img",
    ),
    *(
        "pre",
        "code",
        "tt",
        "kbd",
        "samp",
        "var",
        "ins",
        "del",
        "s",
        "strike",
        "sup",
        "sub",
        "q",
        "blockquote",
    ),
    *("ol", "ul", "li", "dl", "dt", "dd", "table", "thead", "tbody", "tfoot", "tr", "td", "th", "caption"),
    *("summary", "details", "figure"),
]
ATTRIBUTES = {
    "*": [
        "align",
        "alt",
        "border",
        "colspan",
        "height",
        "lang",
        "name",
        "rowspan",
        "title",
        "valign",
        "width",
    ],
    "a": ["href"],
    "img": ["src"],
}
SHEET = """
body{font:16px/1.5 system-ui,sans-serif;color:#1f2328;max-width:1010px;margin:24px auto;padding:0 24px}
pre{font:12px ui-monospace,monospace;background:#f6f8fa;padding:12px;border-radius:6px;overflow:auto}
img{max-width:100%;background:#fff} table{border-collapse:collapse;margin:0 0 16px}
th,td{border:1px solid #d1d9e0;padding:6px 13px} tr:nth-child(2n){background:#f6f8fa}
"""


def render(notebook: dict[str, Any]) -> str:
    """The page of a notebook: sources, and of every output the richest form that survives."""
    parts: list[str] = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        parts.append(f"<pre>{escape(source)}</pre>" if cell["cell_type"] == "code" else escape(source))
        parts += [shown(output.get("data", {})) for output in cell.get("outputs", [])]
    return f"<!doctype html><meta charset=utf-8><style>{SHEET}</style><body>{''.join(parts)}"


def shown(data: dict[str, Any]) -> str:
    """One output: its HTML if it has any, else its text."""
    if "text/html" in data:
        return f"<div>{sanitised(''.join(data['text/html']))}</div>"
    return f"<pre>{escape(''.join(data['text/plain']))}</pre>" if "text/plain" in data else ""


def sanitised(html: str) -> str:
    """What is left of an output's HTML; a `<style>` or `<script>` goes with what it holds."""
    for tag in ("style", "script"):
        while f"<{tag}" in html:
            before, _, rest = html.partition(f"<{tag}")
            html = before + rest.partition(f"</{tag}>")[2]
    return bleach.clean(
        html, tags=TAGS, attributes=ATTRIBUTES, protocols={"http", "https", "data"}, strip=True
    )
