"""The few marks our drawings are made of: text, lines and paths as SVG strings.

Ink is `currentColor`, so a drawing follows a light or a dark page; the two hues (work, flag) take the
notebook's theme where there is one. No library, no script.
"""

from collections.abc import Sequence
from html import escape

WORK = "var(--jp-brand-color1, #1976d2)"
FLAG = "var(--jp-warn-color1, #c25700)"
INK = "currentColor"
FONT = "var(--jp-ui-font-family, Inter, system-ui, sans-serif)"

Point = tuple[float, float]


def text(
    x: float, y: float, content: str, *, size: int = 12, fill: str = INK, bold: bool = False,
    anchor: str = "start", opacity: float = 1.0,
) -> str:  # fmt: skip
    """A line of text; `anchor` is start, middle or end."""
    weight = ' font-weight="600"' if bold else ""
    faint = f' opacity="{opacity}"' if opacity < 1 else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{fill}" text-anchor="{anchor}"'
        f"{weight}{faint}>{escape(content)}</text>"
    )


def polyline(
    points: Sequence[Point], *, stroke: str = INK, width: float = 1.4, dash: str = "", opacity: float = 1.0
) -> str:
    """An open line through points."""
    if not points:
        return ""
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<path d="{path}" fill="none" stroke="{stroke}" stroke-width="{width}"{dashed} opacity="{opacity}"'
        ' stroke-linejoin="round" stroke-linecap="round"/>'
    )


def steps(
    values: Sequence[float], *, x: float, y: float, width: float, height: float, top: float, hue: str
) -> str:
    """A step area from zero: values side by side over `width`, `top` at full `height` above baseline `y`."""
    if not values or top <= 0:
        return polyline([(x, y), (x + width, y)], opacity=0.3)
    wide = width / len(values)
    corners: list[Point] = []
    for i, value in enumerate(values):
        level = y - height * value / top
        corners += [(x + i * wide, level), (x + (i + 1) * wide, level)]
    outline = "L".join(f"{px:.1f} {py:.1f}" for px, py in corners)
    area = f'<path d="M{x:.1f} {y:.1f}L{outline}L{x + width:.1f} {y:.1f}Z" fill="{hue}" opacity="0.22"/>'
    return area + polyline(corners, stroke=hue, width=1.4)


def disc(x: float, y: float, hue: str) -> str:
    """The mark of a miner that works."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{hue}"/>'


def diamond(x: float, y: float, hue: str) -> str:
    """The mark of a miner that was caught."""
    return f'<path d="M{x:.1f} {y - 5:.1f}l5 5l-5 5l-5 -5Z" fill="{hue}"/>'


def window(x: float, y: float, width: float, height: float, marks: Sequence[str]) -> str:
    """Marks seen through a frame: what lies outside is cut off."""
    box = f"{x:.1f} {y:.1f} {width:.1f} {height:.1f}"
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<svg {place} viewBox="{box}">{"".join(marks)}</svg>'


def document(width: int, height: int, label: str, marks: Sequence[str]) -> str:
    """A whole drawing with its spoken description; it shrinks with the page, never grows past its size."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(label, quote=True)}"'
        f' viewBox="0 0 {width} {height}" width="100%"'
        f' style="max-width:{width}px;font-variant-numeric:tabular-nums"'
        f' font-family="{FONT}">{"".join(marks)}</svg>'
    )
