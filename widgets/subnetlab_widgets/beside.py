"""The plain output that stands beside a live widget: what a saved notebook shows of it.

A widget needs its kernel. Reopened without one, JupyterLab would say "model not found", so a second output
follows each widget under a display id: HTML and text, kept up to date where the widget asks for it. While the
widget lives, its page hides that output; once it is dead, a rule in that output hides the widget's remains.
"""

from collections.abc import Callable
from html import escape
from typing import Any

from IPython.display import DisplayHandle, display

# A dead widget is an output without any element in it, right before the output that speaks for it.
_HIDE_THE_DEAD = (
    "<style>.jp-OutputArea-child:has(.jupyter-widgets):not(:has(.jupyter-widgets *))"
    ":has(+ .jp-OutputArea-child [data-subnetlab-beside]){display:none}</style>"
)


class Plain:
    """Two ways to say the same: HTML for notebooks, text for terminals and readers."""

    def __init__(self, widget: str, html: str, text: str) -> None:
        """Speak for the widget that its page knows by this id."""
        self._widget, self._html, self._text = widget, html, text

    def _repr_html_(self) -> str:
        return f'{_HIDE_THE_DEAD}<div data-subnetlab-beside="{escape(self._widget)}">{self._html}</div>'

    def __repr__(self) -> str:
        return self._text


class Beside:
    """The plain outputs beside one widget, one for each time it was shown."""

    def __init__(self, plain: Callable[[], Plain]) -> None:
        """Ask `plain` for the words whenever they are shown."""
        self._plain = plain
        self._handles: list[DisplayHandle] = []

    def show(self, bundle: Any) -> None:
        """Show a widget's own bundle, and the plain output below it."""
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, None)
        display(data, metadata=metadata, raw=True)
        handle: Any = display(self._plain(), display_id=True)
        if handle is not None:
            self._handles.append(handle)

    def update(self) -> None:
        """Write the plain outputs anew, in whichever cells they stand."""
        for handle in self._handles:
            handle.update(self._plain())
