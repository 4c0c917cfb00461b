"""The snippets of `docs/devnet.md`: files by the name in their first line, and shell lines in their order."""

import re

from tests.project import ROOT

PORT = "9944"
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"^(?:#|//|;) ([\w.]+)\n")


def snippets() -> list[tuple[str, str]]:
    """Language and text of every fenced block of the page, in its order."""
    return _FENCE.findall((ROOT / "docs" / "devnet.md").read_text(encoding="utf-8"))


def files(port: int) -> dict[str, str]:
    """The blocks that name a file, at the port of a node."""
    named = [(name[1], text) for _, text in snippets() if (name := _NAME.match(text))]
    return {name: text.replace(PORT, str(port)) for name, text in named}


def shell(port: int) -> list[str]:
    """The shell blocks, at the port of a node."""
    return [text.replace(PORT, str(port)) for language, text in snippets() if language == "sh"]
