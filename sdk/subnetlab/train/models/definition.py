"""Where a class or function was defined, and whether a fresh Python finds it by importing.

Reads the text that Python itself keeps of every module and cell (`linecache`); runs nothing.
"""

import ast
import contextlib
import dis
import functools
import importlib.machinery
import inspect
import linecache
import sys
import textwrap
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final, TypeAlias, cast

from subnetlab.errors import ModelNotBuildable

_Node: TypeAlias = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_HOMES: Final = ("torch", "torch.nn.functional", "torch._C._nn", "math")
"""Where functions written in C are looked for that do not say where they are from."""
_LOOKS_UP: Final = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS")


def source_of(target: type | FunctionType) -> str:
    """The text that defines a class or function, from its decorators on; a lambda's own expression.

    Raises:
        ModelNotBuildable: Python does not know the text.
    """
    found = _of_class(target) if isinstance(target, type) else _of_function(target)
    if found is None:
        raise ModelNotBuildable(
            f"The source of {target!r} is not known.",
            hint="Define it with def or class in a cell or a module.",
        )
    lines, node = found
    if isinstance(node, ast.Lambda):
        return ast.unparse(node)
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    text = textwrap.dedent("".join(lines[first - 1 : node.end_lineno]))
    try:
        ast.parse(text)
    except SyntaxError:  # a text of several lines that is less indented than the code
        return ast.unparse(node) + "\n"
    return text if text.endswith("\n") else text + "\n"


def home_of(target: Any) -> tuple[str, str] | None:
    """Module and dotted name under which a fresh Python imports the very same thing; None where it cannot."""
    name = getattr(target, "__qualname__", None) or getattr(target, "__name__", None)
    if not isinstance(name, str) or "<" in name:
        return None
    said = getattr(target, "__module__", None)
    for module_name in (said,) if isinstance(said, str) else _HOMES:
        module = sys.modules.get(module_name)
        found = functools.reduce(
            lambda part, step: getattr(part, step, None), name.split("."), cast("Any", module)
        )
        if found is target and is_importable(module_name):
            return module_name, name
    return None


def is_importable(module_name: str) -> bool:
    """Whether a fresh Python finds a module: not a notebook's, not one made by hand."""
    if module_name in sys.builtin_module_names:
        return True
    path: Any = None
    for step, _ in enumerate(parts := module_name.split(".")):
        name = ".".join(parts[: step + 1])
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is None:
            # A part that its package makes by hand, as torch._C._nn, comes with the package.
            return step > 0 and isinstance(sys.modules.get(module_name), ModuleType)
        path = spec.submodule_search_locations
    return module_name != "__main__"


def scope_of(target: type | FunctionType) -> dict[str, Any]:
    """What the names in a definition mean: globals of its module, and what it closes over."""
    scope: dict[str, Any] = {}
    functions = list(_methods(target)) if isinstance(target, type) else [_bare(target)]
    if isinstance(target, type):
        scope.update(getattr(sys.modules.get(target.__module__), "__dict__", {}))
    for function in functions:
        scope.update(function.__globals__)
    if isinstance(target, type):
        scope.update({base.__name__: base for base in target.__mro__[1:]})
    for function in functions:
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            if name != "__class__":
                scope[name] = cell.cell_contents
    return scope


def names_used(text: str) -> list[str]:
    """The global names that a text looks up, in order."""
    found: dict[str, None] = {}
    codes = [compile(text, "<definition>", "exec", dont_inherit=True)]
    while codes:
        code = codes.pop(0)
        codes.extend(const for const in code.co_consts if isinstance(const, CodeType))
        stored: set[str] = set()
        for step in dis.get_instructions(code):
            if step.opname == "STORE_NAME":
                stored.add(str(step.argval))
            elif step.opname in _LOOKS_UP and step.argval not in stored:
                found[str(step.argval)] = None
    return list(found)


def _of_function(target: FunctionType) -> tuple[list[str], _Node] | None:
    code = _bare(target).__code__
    lines = linecache.getlines(code.co_filename, _bare(target).__globals__)
    kinds = ast.Lambda if code.co_name == "<lambda>" else (ast.FunctionDef, ast.AsyncFunctionDef)
    found = [
        node
        for node in ast.walk(_parsed(lines))
        if isinstance(node, kinds)
        and code.co_firstlineno
        == min([node.lineno, *(part.lineno for part in getattr(node, "decorator_list", []))])
    ]
    if len(found) > 1:  # lambdas on one line
        found = [node for node in found if isinstance(node, ast.Lambda) and _ends(node) == _end(code)]
    return (lines, found[0]) if len(found) == 1 else None


def _ends(node: ast.Lambda) -> tuple[int, int]:
    return (node.body.end_lineno or 0, node.body.end_col_offset or 0)


def _end(code: CodeType) -> tuple[int, int]:
    """Where the last of the text lies from which a lambda was compiled."""
    return max((line or 0, column or 0) for _, line, _, column in code.co_positions())


def _of_class(target: type) -> tuple[list[str], _Node] | None:
    for method in _methods(target):
        code = method.__code__
        lines = linecache.getlines(code.co_filename, method.__globals__)
        for node in ast.walk(_parsed(lines)):
            if isinstance(node, ast.ClassDef) and node.name == target.__name__:
                inside = node.lineno <= code.co_firstlineno <= (node.end_lineno or node.lineno)
                if inside:
                    return lines, node
    return _without_methods(target)


def _without_methods(target: type) -> tuple[list[str], _Node] | None:
    """A class whose methods were all made for it, as a dataclass's: the last text of its name that fits."""
    texts = [linecache.getlines(name) for name in reversed(linecache.cache) if name.endswith(".py")]
    with contextlib.suppress(OSError, TypeError, KeyError):
        texts.append(inspect.getsourcelines(sys.modules[target.__module__])[0])
    wanted = set(inspect.get_annotations(target))
    for text in texts:
        for node in reversed([node for node in ast.walk(_parsed(text)) if isinstance(node, ast.ClassDef)]):
            annotated = {
                part.target.id
                for part in node.body
                if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
            }
            if node.name == target.__name__ and annotated == wanted:
                return text, node
    return None


def _methods(target: type) -> Iterator[FunctionType]:
    for part in target.__dict__.values():
        function = getattr(part, "__func__", getattr(part, "fget", part))
        if isinstance(function, FunctionType):
            bare = _bare(function)
            if (
                bare.__qualname__ == f"{target.__qualname__}.{bare.__name__}"
                and not bare.__code__.co_filename.startswith("<string")
            ):
                yield bare


def _bare(function: FunctionType) -> FunctionType:
    return cast("FunctionType", inspect.unwrap(function))


def _parsed(lines: list[str]) -> ast.Module:
    try:
        return ast.parse("".join(lines))
    except SyntaxError:
        return ast.Module(body=[], type_ignores=[])
