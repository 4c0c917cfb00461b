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
from subnetlab_widgets.bundle import BundledWidget
from subnetlab_widgets.heartbeat import HEARTBEAT

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
        self.picture = picture
        self._handles: list[DisplayHandle] = []

    def show(self, bundle: Any) -> None:
        """Show a widget by its own bundle, and the picture below it."""
        _show_bundle(bundle[0] if isinstance(bundle, tuple) else bundle)
        handle: Any = display(self.picture, display_id=True)
        if handle is not None:
            self._handles.append(handle)

    def update(self) -> None:
        """Draw the pictures anew, in each cell that shows one."""
        for handle in self._handles:
            handle.update(self.picture)


class SavedWidget(BundledWidget):
    """A widget whose open pages hear the heartbeat, and whose picture outlives it in the notebook."""

    def __init__(self, bundle: str, picture: Picture, **kwargs: Any) -> None:
        """Prepare it; `picture` is drawn when the widget is shown, and again by `_pictures.update()`."""
        self._pictures = Pictures(picture)
        super().__init__(bundle, **kwargs)
        self.on_msg(self._receive)

    def close(self) -> None:
        """Take it off its pages."""
        HEARTBEAT.leave(id(self))
        super().close()

    def _receive(self, _widget: Any, content: Any, _buffers: Any) -> None:
        """Answer a page's hello; what else a page says is a subclass's, and anything malformed is dropped."""
        if isinstance(content, dict) and content.get("k") == "hello":
            self._join()
            self._beat()  # the answer: until it comes, the page says hello again

    def _join(self) -> None:
        """Let the pages hear the heartbeat from now on."""
        HEARTBEAT.join(id(self), self._beat)

    def _beat(self) -> None:
        if self.comm is not None:
            self.send({"k": "beat"})

    def _name(self) -> str:
        """What it is, for a front end that shows neither widgets nor HTML."""
        return repr(self._pictures.picture)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle: Any = super()._repr_mimebundle_(**kwargs)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        if data:
            data["text/plain"] = plain_lines(self._name())
        return bundle

    def _ipython_display_(self) -> None:
        self._join()  # a page's hello may wait for the next cell to end
        self._pictures.show(self._repr_mimebundle_())


def _show_bundle(bundle: dict[str, Any]) -> DisplayHandle:
    handle: Any = display({**bundle, "text/html": ""}, raw=True, display_id=True)
    return handle
