"""A decoded value as one line of text: calls as calls, balances as tokens, bounded whatever a stranger sent.

The chain's types are recursive (a batch of batches), so depth, items and letters all have a limit.
"""

from typing import Any, Final

from subnetlab.text import plain
from subnetlab.units import format_tao

MOST: Final = 400
"""Letters of one value."""
_DEPTH: Final = 6
_ITEMS: Final = 12
_TAO: Final = frozenset({"Balance", "TaoBalance", "TaoCurrency", "BalanceOf"})
_ALPHA: Final = frozenset({"AlphaBalance", "AlphaCurrency"})


def text_of(value: Any, of: str = "", most: int = MOST) -> str:
    """A value as text.

    Args:
        value: as the SDK decodes it.
        of: the runtime's name for its type, where that is known: a `Balance` is written in TAO.
        most: how many letters at most.
    """
    if type(value) is int:
        kind = of.removeprefix("Compact<").removesuffix(">")
        if kind in _TAO or kind in _ALPHA:
            return format_tao(value, "α" if kind in _ALPHA else "τ")
    return plain(_text(value, 0), most)


def call_text(call: dict[str, Any], depth: int = 0) -> str:
    """A call with its arguments: `Balances.transfer_keep_alive(dest=5F…, value=1 τ)`."""
    arguments = call.get("call_args") or ()
    if depth >= _DEPTH:
        given = "…" if arguments else ""
    else:
        given = ", ".join(f"{each['name']}={_argument(each, depth)}" for each in arguments[:_ITEMS])
    return f"{call['call_module']}.{call['call_function']}({given})"


def _argument(argument: dict[str, Any], depth: int) -> str:
    value = argument["value"]
    return text_of(value, str(argument.get("type", ""))) if type(value) is int else _text(value, depth + 1)


def _text(value: Any, depth: int) -> str:
    if not isinstance(value, dict | list | tuple):
        return _plain_value(value)
    if depth >= _DEPTH:
        return "…"
    if isinstance(value, dict):
        return _mapping(value, depth)
    more = f", … {len(value) - _ITEMS} more" if len(value) > _ITEMS else ""
    return f"[{', '.join(_text(each, depth + 1) for each in value[:_ITEMS])}{more}]"


def _plain_value(value: Any) -> str:
    if isinstance(value, str):
        return value[: MOST + 1] or '""'
    if isinstance(value, bytes | bytearray):
        return f"0x{bytes(value[: MOST // 2]).hex()}"
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    return str(value)[: MOST + 1]


def _mapping(value: dict[Any, Any], depth: int) -> str:
    if "call_module" in value and "call_function" in value:
        return call_text(value, depth)
    if len(value) == 1:  # a variant of an enum
        name, inner = next(iter(value.items()))
        return str(name) if inner in ((), None, {}) else f"{name}: {_text(inner, depth + 1)}"
    parts = [f"{name}: {_text(inner, depth + 1)}" for name, inner in list(value.items())[:_ITEMS]]
    return f"{', '.join(parts)}{', …' if len(value) > _ITEMS else ''}"
