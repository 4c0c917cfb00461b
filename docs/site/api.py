"""Pages of the reference that follow from docstrings: the package's public names, and its errors.

griffe reads the docstrings and imports nothing. Every page is Markdown, so that a docstring never needs the
syntax of another markup; what commands and magics say of themselves is in `spoken.py`.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import griffe

_WIDTH = 90
_TITLES = {"parameters": "Arguments", "returns": "Returns", "raises": "Raises", "yields": "Yields"}


def load(root: Path) -> griffe.Module:
    """The package as its files say it; nothing of it is imported."""
    parser = griffe.Parser.google
    found = griffe.load("subnetlab", search_paths=[str(root / "sdk")], docstring_parser=parser)
    assert isinstance(found, griffe.Module)
    return found


def public_names(package: griffe.Module) -> list[str]:
    """What `from subnetlab import *` would give, in its own order, the version left out."""
    return [str(name) for name in package.exports or () if not str(name).startswith("_")]


def page(package: griffe.Module, name: str) -> str:
    """The page of one public name: signature, docstring, and for a class or module everything below it."""
    thing = _final(package[name])
    lines = [f"# {name}", "", *_described(f"sl.{name}", thing)]
    for member, below in _members(thing):
        lines += ["", f"## {member}", "", *_described(member, below)]
        if below.is_class:
            for inner, deepest in _members(below):
                lines += ["", f"### {member}.{inner}", "", *_described(inner, deepest)]
    return "\n".join(lines) + "\n"


def summary(package: griffe.Module, name: str) -> str:
    """The first sentence of a name's docstring."""
    return _first_sentence(_final(package[name]))


def errors_page(package: griffe.Module) -> str:
    """Every error by its matter, with what to do next."""
    module = _final(package["errors"])
    leaves = {name: thing for name, thing in _members(module) if thing.is_class}
    lines = ["# Errors", "", _text(module), "", "Each is `sl.errors.NAME`; `str()` of one says what happened"]
    lines += ["and what to do next.", ""]
    for name in _below("Exception", leaves):
        thing, parent = leaves[name], _parent(leaves[name])
        under = f" (a `{parent}`)" if parent in leaves else ""
        lines += [f"## {name}", "", f"{_text(thing)}{under}", ""]
        if hint := _hint(thing):
            lines += [f"> {hint}", ""]
    return "\n".join(lines)


def _parent(thing: griffe.Object) -> str:
    """The class that a class is derived from."""
    bases = thing.bases if isinstance(thing, griffe.Class) else []
    return str(bases[0]) if bases else ""


def _below(parent: str, classes: dict[str, griffe.Object]) -> Iterator[str]:
    """Every class below another, each family together."""
    for name, thing in classes.items():
        if _parent(thing) == parent:
            yield name
            yield from _below(name, classes)


def _hint(error: griffe.Object) -> str:
    """What an error of this class says to do next, as written in its body."""
    written = error.members.get("hint")
    value = getattr(written, "value", None)
    parts = re.findall(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"", str(value or ""))
    return "".join(one or other for one, other in parts).replace("\\'", "'")


def _members(thing: griffe.Object) -> Iterator[tuple[str, griffe.Object]]:
    """What a class or module offers in its own order; a module's `__all__`, where it has one, decides."""
    exported = [str(name) for name in thing.exports or ()] if isinstance(thing, griffe.Module) else []
    for name, member in thing.all_members.items() if thing.is_class else thing.members.items():
        if name.startswith("_") or (exported and name not in exported):
            continue
        try:
            found = _final(member)
        except griffe.AliasResolutionError:
            continue  # of the standard library or of another package
        local = not member.is_alias or exported or thing.is_class
        if local and not found.is_module and found.docstring and found.path.startswith("subnetlab."):
            yield name, found


def _final(thing: griffe.Object | griffe.Alias) -> griffe.Object:
    return thing.final_target if isinstance(thing, griffe.Alias) else thing


def _described(name: str, thing: griffe.Object) -> list[str]:
    lines: list[str] = []
    if written := _signature(name, thing):
        lines += ["```python", written, "```", ""]
    for section in thing.docstring.parsed if thing.docstring else ():
        lines += [*_section(section), ""]
    return lines


def _signature(name: str, thing: griffe.Object) -> str:
    if isinstance(thing, griffe.Function):
        return _folded(thing.signature(name=name))
    if isinstance(thing, griffe.Class):
        taken = [one for one in thing.parameters if one.name != "self"]
        return _folded(thing.signature(name=name, return_type=False)) if taken else ""
    if isinstance(thing, griffe.Attribute) and thing.annotation:
        return f"{name}: {thing.annotation}"
    return ""


def _folded(signature: str) -> str:
    """A signature that is too long for a line, with a line for each argument."""
    if len(signature) <= _WIDTH:
        return signature
    name, _, rest = signature.partition("(")
    depth, end, pieces = 0, 0, [""]
    for letter in rest:
        depth += (letter in "([{") - (letter in ")]}")
        if depth < 0:
            break
        end += 1
        if letter == "," and depth == 0:
            pieces.append("")
        else:
            pieces[-1] += letter
    return "\n".join([f"{name}(", *(f"    {piece.strip()}," for piece in pieces), rest[end:]])


def _section(section: griffe.DocstringSection) -> list[str]:
    kind = section.kind.value
    if kind == "text":
        return [_safe(section.value)]
    if kind == "examples":
        return [part if what.value == "text" else f"```python\n{part}\n```" for what, part in section.value]
    if kind == "admonition" and section.title in {"Example", "Examples"}:
        return [f"```python\n{section.value.description}\n```"]
    if kind == "admonition":
        return [f"{section.title}:", "", _safe(section.value.description)]
    if kind not in _TITLES:
        raise ValueError(f"a docstring has a section that no page shows: {kind}")
    rows = [f"- {_item(kind, one)}" for one in section.value]
    return [f"**{_TITLES[kind]}**", "", *rows]


def _item(kind: str, one: griffe.DocstringElement) -> str:
    words = _safe(" ".join(one.description.split()))
    name = str(getattr(one, "name", "") or (one.annotation if kind == "raises" else "") or "")
    return f"`{name}`: {words}" if name else words


def _text(thing: griffe.Object) -> str:
    return _safe(thing.docstring.value) if thing.docstring else ""


def _first_sentence(thing: griffe.Object) -> str:
    words = " ".join(_text(thing).split("\n\n")[0].split())
    return re.split(r"(?<=\.)\s", words)[0]


def _safe(words: str) -> str:
    """Markdown of a docstring: a line that begins with a percent sign would be a comment."""
    return re.sub(r"^(\s*)%", r"\1\\%", words, flags=re.MULTILINE)
