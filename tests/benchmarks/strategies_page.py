"""The page of the strategies' table: docs/strategies.md and its picture, from measured cells alone.

A loss is the mean over the seeds that were measured, with their spread; a share of the gap is the mean of the
shares of each seed, between one worker alone and DDP with the same optimizer. What is missing is a dash.
"""

from collections.abc import Iterable, Sequence
from math import log10
from pathlib import Path
from statistics import mean
from typing import Any, Final

from subnetlab.report import svg
from subnetlab.report.format import bytes_text

FILE: Final = "strategies.md"
PICTURE: Final = "strategies.svg"
_BEGIN, _END = "<!-- measured: written by make strategies -->\n", "<!-- end of what is measured -->\n"
_MUON: Final = {"MuLoCo": "Muon", "MuLoCo, falling": "Muon 0.99"}
"""The anchors of rows that do not step with AdamW."""
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 760, 356, 56, 600, 40, 320
_HUES: Final = (
    "#2f7fd0",
    "#d1691a",
    "#1f9d74",
    "#c0599a",
    "#a88a00",
    "#7a6fd0",
    "#555f6b",
    "#b5473c",
    "#0f8b8d",
    "#8a5a2b",
    "#6b7d2a",
    "#9a4f96",
)

Cells = dict[tuple[str, int], dict[int, dict[str, Any]]]


def write(kept: dict[str, Any], folder: Path) -> None:
    """Put the table between the marks of the page, which keeps what people wrote around it."""
    cells = _by_row(kept["cells"])
    page = folder / FILE
    folder.mkdir(parents=True, exist_ok=True)
    text = (
        page.read_text(encoding="utf-8")
        if page.is_file()
        else f"# Strategies beside each other\n\n{_BEGIN}{_END}"
    )
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    page.write_text(f"{before}{_BEGIN}{_measured(kept['setting'], cells)}{_END}{after}", encoding="utf-8")
    (folder / PICTURE).write_text(picture(cells) + "\n", encoding="utf-8")


def shares(cells: Cells, name: str, length: int) -> list[float]:
    """The share of the gap that a row closes, for each seed with both anchors."""
    optimizer = _MUON.get(name, "AdamW")
    alone, ddp = (cells.get((f"{which}, {optimizer}", 1), {}) for which in ("alone", "DDP"))
    found = cells.get((name, length), {})
    return [
        (alone[seed]["loss"] - cell["loss"]) / (alone[seed]["loss"] - ddp[seed]["loss"])
        for seed, cell in found.items()
        if seed in alone and seed in ddp and alone[seed]["loss"] > ddp[seed]["loss"]
    ]


def _by_row(kept: dict[str, dict[str, Any]]) -> Cells:
    cells: Cells = {}
    for key, cell in kept.items():
        name, length, seed = key.split(" | ")
        cells.setdefault((name, int(length)), {})[int(seed)] = cell
    return cells


def _measured(setting: dict[str, Any], cells: Cells) -> str:
    model = f'TinyGPT("{setting["size"]}", n_embd={setting["n_embd"]}, n_layer={setting["n_layer"]})'
    lines = [
        f"`{model}`, {setting['workers']} workers, {setting['steps']} steps of {setting['batch']} sequences",
        "a worker, the standard library as text; loss in nats per byte on 16,384 held-out bytes.",
        "",
        f"![Loss over bytes sent, one mark for each strategy and length of a round]({PICTURE})",
        "",
        "| strategy | H | loss | seeds | gap closed | payload | under fp32 | in all | under fp32 each step |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    dense = next(
        (cell for (name, _), row in cells.items() if name.startswith("DDP") for cell in row.values()), {}
    )
    for (name, length), row in sorted(cells.items(), key=lambda item: _loss(item[1].values())):
        lines.append(_row(name, length, row, shares(cells, name, length), dense))
    return "\n".join(lines) + "\n"


def _row(
    name: str, length: int, row: dict[int, dict[str, Any]], closed: Sequence[float], dense: dict[str, Any]
) -> str:
    losses = [cell["loss"] for cell in row.values()]
    spread = f" ± {(max(losses) - min(losses)) / 2:.3f}" if len(losses) > 1 else ""
    one = next(iter(row.values()))
    sent = one["bytes_up"] if dense else 0
    anchor = name.startswith(("alone", "DDP"))
    return " | ".join(
        (
            f"| {name}", "–" if anchor else str(length), f"{mean(losses):.3f}{spread}", str(len(losses)),
            f"{mean(closed):.0%}" if closed and not anchor else "–",
            bytes_text(one["bytes_once"]) if sent else "–",
            f"{dense['bytes_once'] / one['bytes_once']:,.0f}×" if sent else "–",
            bytes_text(sent) if sent else "–",
            f"{dense['bytes_up'] / sent:,.0f}× |" if sent else "– |",
        )
    )  # fmt: skip


def _loss(cells: Iterable[dict[str, Any]]) -> float:
    return mean(cell["loss"] for cell in cells)


def picture(cells: Cells) -> str:
    """Mean loss over the bytes that a worker sent, a line for each strategy from one length to the next."""
    points: dict[str, list[tuple[float, float]]] = {}
    for (name, _), row in sorted(cells.items()):
        sent = next(iter(row.values()))["bytes_up"]
        if sent:
            points.setdefault(name, []).append((log10(sent), _loss(row.values())))
    level = {name: _loss(row.values()) for (name, _), row in cells.items() if name.startswith("alone")}
    every = [point for some in points.values() for point in some] or [(0.0, 0.0)]
    left, right = min(x for x, _ in every), max(x for x, _ in every)
    losses = [loss for _, loss in every] + list(level.values())
    low, high = min(losses), max(losses)

    def at(x: float, loss: float) -> tuple[float, float]:
        across = (x - left) / ((right - left) or 1.0)
        return (
            _LEFT + (_RIGHT - _LEFT) * across,
            _TOP + (_BOTTOM - _TOP) * (high - loss) / ((high - low) or 1.0),
        )

    marks = [
        svg.text(_LEFT, 20, "Loss over what a worker sent (logarithmic), nats per byte", size=13, bold=True)
    ]
    for loss in (low, (low + high) / 2, high):
        y = at(left, loss)[1]
        marks.append(svg.text(_LEFT - 6, y + 4, f"{loss:.2f}", size=11, anchor="end", opacity=0.65))
        marks.append(svg.polyline([(_LEFT, y), (_RIGHT, y)], width=0.6, opacity=0.2))
    for name, loss in level.items():
        marks.append(svg.polyline([at(left, loss), at(right, loss)], dash="4 4", opacity=0.6))
        marks.append(svg.text(_RIGHT - 4, at(left, loss)[1] - 4, name, size=11, anchor="end", opacity=0.65))
    for place, (name, some) in enumerate(sorted(points.items(), key=lambda item: min(y for _, y in item[1]))):
        hue = _HUES[place % len(_HUES)]
        drawn = [at(*point) for point in sorted(some)]
        marks.append(svg.polyline(drawn, stroke=hue, width=1.6))
        marks += [svg.disc(x, y, hue, radius=3.5) for x, y in drawn]
        y = _TOP + 8 + 22 * place
        marks.append(svg.disc(_RIGHT + 18, y, hue))
        marks.append(svg.text(_RIGHT + 28, y + 4, name, size=12))
    for x, anchor in ((left, "start"), (right, "end")):
        marks.append(
            svg.text(at(x, low)[0], _BOTTOM + 20, bytes_text(10**x), size=11, anchor=anchor, opacity=0.65)
        )
    return svg.document(_WIDTH, _HEIGHT, "Loss of every strategy over the bytes that a worker sent", marks)
