"""What every widget is built on: a bundle in `static/`, and messages that do not wait behind a cell."""

from functools import cache
from importlib.resources import files
from typing import Any

import anywidget
import traitlets


@cache
def bundled(name: str) -> str:
    """A bundled file, read once: anywidget keeps a closure per widget for paths, but not for strings."""
    return files("subnetlab_widgets").joinpath("static", name).read_text(encoding="utf-8")


class BundledWidget(anywidget.AnyWidget):
    """A widget whose browser side is `static/NAME.js` and `static/NAME.css`, built from `widgets/js`."""

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)

    def __init__(self, name: str, **kwargs: Any) -> None:
        """Load the bundle of that name."""
        super().__init__(_esm=bundled(f"{name}.js"), _css=bundled(f"{name}.css"), **kwargs)

    def open(self) -> None:
        """Open the comm; a page's message goes to the subshell that the page names in it.

        ipykernel 7.4 sends a page's message to the subshell in which the comm last published instead. If that
        is the shell whose cell is running, the message waits; if it is a subshell that another tab has
        deleted, the message is lost.
        """
        super().open()
        comm: Any = self.comm
        if hasattr(comm, "_reply_subshell_for"):
            comm._reply_subshell_for = None  # noqa: SLF001 - there is no setting for it
