"""How a notebook shows the SDK's objects: HTML with hand-written SVG, no JavaScript, text as the fallback.

Registered by the class's name, so that nothing is imported before an object of it exists. Drawings come from
`subnetlab.lab.plot`; this file only joins them to IPython.
"""

from collections.abc import Callable
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

HTML: dict[tuple[str, str], Callable[[Any], str | None]] = {}
"""One function per SDK class, by module and name."""


def register(shell: InteractiveShell) -> None:
    """Teach a shell to show SubnetLab's objects."""
    formatter: Any = shell.display_formatter
    html: Any = formatter.formatters["text/html"]
    for (module, name), function in HTML.items():
        html.for_type_by_name(module, name, function)
