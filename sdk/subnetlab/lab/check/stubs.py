"""Whether a function is still as a notebook gives it: a name, arguments, and no work."""

import ast
import inspect
import textwrap
from types import FunctionType


def is_untouched(answer: object) -> bool:
    """Whether an answer is a function that only returns None, is only `...`, or says that it is not written.

    Read from its source, so that nothing is run; a function whose source is not at hand counts as written.
    """
    if not isinstance(answer, FunctionType):
        return False
    try:
        (found,) = ast.parse(textwrap.dedent(inspect.getsource(answer))).body
    except (OSError, TypeError, SyntaxError, ValueError):
        return False
    return isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef) and all(map(_is_empty, found.body))


def _is_empty(line: ast.stmt) -> bool:
    match line:
        case ast.Pass() | ast.Expr(ast.Constant()) | ast.Return(None | ast.Constant(None)):
            return True  # a docstring or `...` is an expression
        case ast.Raise(ast.Name("NotImplementedError") | ast.Call(ast.Name("NotImplementedError"))):
            return True
        case _:
            return False
