"""The letter that denotes a subnet's token.

The runtime keeps 439 letters of many alphabets in a fixed order; a new subnet takes the one at its netuid,
or the first free one. Source: `subnets/symbols.rs`.
"""

from subnetlab.devnet.chain.codec import bytes_of
from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import DispatchError, Origin, call, ensure_signed
from subnetlab.devnet.pallets.subtensor.entries import entries, event, read, require, write

# Code points in hexadecimal, in the runtime's order; first and last of a run.
_RUNS = """
3a4 3b1-3c1 3c3 74 3c5-3c9 5d0-5ea 627-628 62a-63a 641-648 64a 649 16a0 16a2 16a6 16a8 16b1 16b3 42b
16c9 16d2 1680-1685 169b 10d0-10d5 531-536 55e 400-405 44a 2c80-2c85 11000-11003 11005 db1 db3-db7
2c00-2c20 e01-e23 e25 e27-e2e 3131 3134 3137 3139 3141-3142 3145 3147-3148 314a-3163 12a0-12a7
12c8-12ce 12b0-12b6 1310-1312 1218 1314-1316 905-90b 90f-910 913-928 92a-930 932 935-939 30a2 30a4
30a6 30a8 30aa-30ab 30ad 30af 30b1 30b3 30b5 30b7 30b9 30bb 30bd 30bf 30c1 30c4 30c6 30c8 30ca-30cf
30d2 30d5 30d8 30db 30de-30e2 30e4 30e6 30e8-30ed 30ef 30f2-30f3 2d30-2d53 d85-d86 d89-d96 d9a-d9e
da0-da4 da7 da5-da6 da9 da8 daa-db0
"""


def _letters() -> tuple[str, ...]:
    found: list[str] = []
    for run in _RUNS.split():
        first, _, last = run.partition("-")
        found += [chr(point) for point in range(int(first, 16), int(last or first, 16) + 1)]
    return tuple(found)


SYMBOLS = _letters()
"""Every token letter; the first is root's and the fallback."""


def symbol_at(netuid: int) -> str:
    """The letter that belongs to a netuid."""
    return SYMBOLS[netuid] if netuid < len(SYMBOLS) else SYMBOLS[0]


def _taken(ledger: Ledger) -> set[str]:
    return {symbol for _, symbol in entries(ledger, "TokenSymbol")}


def free_symbol(ledger: Ledger, netuid: int) -> str:
    """The letter a new subnet gets."""
    taken = _taken(ledger)
    own = symbol_at(netuid)
    if own not in taken:
        return own
    return next((symbol for symbol in SYMBOLS[1:] if symbol not in taken), SYMBOLS[0])


def assign(ledger: Ledger, netuid: int, symbol: str) -> None:
    """Write a subnet's letter."""
    write(ledger, "TokenSymbol", netuid, value=list(symbol.encode()))


@call("SubtensorModule", "update_symbol")
def update_symbol(ledger: Ledger, origin: Origin, netuid: int, symbol: str) -> None:
    """Change a subnet's letter to a free one; for root and the subnet's owner."""
    if not origin.root and ensure_signed(origin) != read(ledger, "SubnetOwner", netuid):
        raise DispatchError("BadOrigin")
    wanted = bytes_of(symbol).decode(errors="replace")
    require(wanted in SYMBOLS[1:], "SymbolDoesNotExist")
    require(wanted not in _taken(ledger), "SymbolAlreadyInUse")
    assign(ledger, netuid, wanted)
    event(ledger, "SymbolUpdated", {"netuid": netuid, "symbol": list(wanted.encode())})
