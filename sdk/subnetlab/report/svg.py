"""The few marks our drawings are made of: text, lines and paths as SVG strings.

A drawing is complete, as a file or inside `<img>`: it brings its paper, its ink and its two hues (work,
flag) for light and for dark pages, and takes nothing from the page around it. No library, no script.
"""

from collections.abc import Sequence
from html import escape

WORK = "var(--work)"
FLAG = "var(--flag)"
INK = "currentColor"
FONT = "Inter, system-ui, sans-serif"
_PAPER = (
    ".slab{color:#1f2328;--paper:#fff;--work:#1668b8;--flag:#b35000}"
    "@media(prefers-color-scheme:dark)"
    "{.slab{color:#e6e8eb;--paper:#16191d;--work:#6cb2f7;--flag:#f39c4f}}"
)

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


def disc(x: float, y: float, hue: str, *, radius: float = 4) -> str:
    """The mark of a miner that works."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{hue}"/>'


def ring(x: float, y: float) -> str:
    """The mark of a miner that was not judged, or that missed its rounds."""
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.6" fill="none" stroke="{INK}" stroke-width="1.2"'
        ' stroke-dasharray="2 1.6" opacity="0.65"/>'
    )


def cross(x: float, y: float) -> str:
    """The mark of a miner whose process is gone."""
    return (
        f'<path d="M{x - 3.6:.1f} {y - 3.6:.1f}l7.2 7.2M{x + 3.6:.1f} {y - 3.6:.1f}l-7.2 7.2" stroke="{INK}"'
        ' stroke-width="1.4" opacity="0.65"/>'
    )


def diamond(x: float, y: float, hue: str) -> str:
    """The mark of a miner that was refused."""
    return f'<path d="M{x:.1f} {y - 5:.1f}l5 5l-5 5l-5 -5Z" fill="{hue}"/>'


def window(x: float, y: float, width: float, height: float, marks: Sequence[str]) -> str:
    """Marks seen through a frame: what lies outside is cut off."""
    box = f"{x:.1f} {y:.1f} {width:.1f} {height:.1f}"
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<svg {place} viewBox="{box}">{"".join(marks)}</svg>'


def document(width: int, height: int, label: str, marks: Sequence[str], *, style: str = "") -> str:
    """A whole drawing with its spoken description, on paper; `style` is CSS beyond the colours."""
    spoken = escape(label, quote=True)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="slab" role="img" aria-label="{spoken}"'
        f' viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' font-family="{FONT}" style="font-variant-numeric:tabular-nums">'
        f"<style>{_PAPER}{style}</style>"
        f'<rect width="{width}" height="{height}" rx="6" fill="var(--paper)"/>{"".join(marks)}</svg>'
    )
