"""The browser side of our widgets, as it lies in `static/`; built from `widgets/js`."""

from functools import cache
from importlib.resources import files


@cache
def bundled(name: str) -> str:
    """A bundled file, read once: anywidget keeps a closure per widget for paths, but not for strings."""
    return files("subnetlab_widgets").joinpath("static", name).read_text(encoding="utf-8")
