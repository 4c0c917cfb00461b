"""A live widget, and the plain picture beside it that replaces it once the widget's kernel is gone.

A reader of a saved notebook has no kernel that knows the widget: JupyterLab says "model not found" in its
place. So the picture carries a rule for the page: a widget that draws hides the pictures below it, and one
that draws nothing is hidden itself. GitHub, and JupyterLab where it does not trust the notebook, keep neither
rule nor widget; there the widget's output is empty and the picture speaks alone.
"""

from collections.abc import Callable
from typing import Any

from IPython.core.formatters import format_display_data
from IPython.display import DisplayHandle, display
from ipywidgets import DOMWidget

from subnetlab.text import plain_lines

_CHILD = ".jp-OutputArea-child"
_PICTURE = "[data-subnetlab-saved]"
_WIDGET = ".lm-Panel.jp-OutputArea-output"
"""How JupyterLab 4 marks the output of any widget: alive it holds the view, dead it holds bare words."""
RULE = (
    f"<style>{_CHILD}:has(> {_WIDGET}):not(:has(> {_WIDGET} > *)):has(~ {_CHILD} {_PICTURE}),"
    f"{_CHILD}:has(> {_WIDGET} > *) ~ {_CHILD}:has({_PICTURE}){{display:none}}</style>"
)
"""Between the two may lie what the cell waited for."""


class Picture:
    """What a notebook keeps of a widget: HTML without script, drawn when it is shown.

    Args:
        draw: makes the HTML, from `subnetlab.report.html`.
        words: makes the text for a front end that shows no HTML.
    """

    def __init__(self, draw: Callable[[], str], words: Callable[[], str]) -> None:
        self._draw, self._words = draw, words

    def _repr_html_(self) -> str:
        return f"<div data-subnetlab-saved>{RULE}{self._draw()}</div>"

    def __repr__(self) -> str:
        return plain_lines(self._words())


def show(live: DOMWidget, picture: Picture) -> DisplayHandle:
    """Show a widget, and below it the picture; the handle takes newer pictures while the widget changes."""
    show_widget(live)
    handle: Any = display(picture, display_id=True)
    return handle


def show_widget(live: DOMWidget) -> DisplayHandle:
    """Show a widget whose picture follows: to a reader without widgets it is nothing, not a name in words."""
    bundle, _ = format_display_data(live)
    return _show_bundle(bundle)


class Pictures:
    """The pictures below one widget, one for each time it was shown."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self._handles: list[DisplayHandle] = []

    def show(self, bundle: Any) -> None:
        """Show a widget by its own bundle, and the picture below it."""
        _show_bundle(bundle[0] if isinstance(bundle, tuple) else bundle)
        handle: Any = display(self._picture, display_id=True)
        if handle is not None:
            self._handles.append(handle)

    def update(self) -> None:
        """Draw the pictures anew, in each cell that shows one."""
        for handle in self._handles:
            handle.update(self._picture)


def _show_bundle(bundle: dict[str, Any]) -> DisplayHandle:
    handle: Any = display({**bundle, "text/html": ""}, raw=True, display_id=True)
    return handle
