"""What a wallet holds, as one plain object: free TAO, stake by subnet and hotkey, and what it is worth.

Everything is read at one block. A position is worth what its alpha costs at that block; taking it out would
bring less, by fee and slippage. No key is looked at but the public one.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from subnetlab.network.client import NetworkClient
from subnetlab.network.destination import destination
from subnetlab.network.wallets import Wallet
from subnetlab.report import html
from subnetlab.report.format import amount_alpha, short
from subnetlab.text import plain_lines
from subnetlab.units import RAO_PER_TAO, ROOT_NETUID, AlphaRao, Rao, format_tao, tao

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Stake behind one hotkey on one subnet."""

    netuid: int
    hotkey: str
    alpha_rao: AlphaRao
    """The subnet's own token; rao of TAO on the root network."""
    value_rao: Rao
    """At the price of the block, before fee and slippage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """One account at one block."""

    name: str
    """What it was asked by: a wallet's name, or the address itself."""
    address: str
    network: str
    play_money: bool
    block: int
    free_rao: Rao
    positions: tuple[Position, ...]
    """By subnet, then by value, largest first."""
    budget_left_rao: Rao | None
    """What may still be spent on this network; None for no limit."""

    @property
    def total_rao(self) -> Rao:
        """Free balance and the value of all positions."""
        return Rao(self.free_rao + sum(position.value_rao for position in self.positions))

    @property
    def unit(self) -> str:
        """How amounts of TAO are written here, so that play money is never taken for real."""
        return "play τ" if self.play_money else "TAO"

    def frame(self) -> "pl.DataFrame":
        """The positions as numbers, one row each, in their order; free TAO is not one of them."""
        import polars as pl  # noqa: PLC0415  (loaded when a frame is wanted)

        schema = {
            "netuid": pl.Int64,
            "hotkey": pl.String,
            "alpha_rao": pl.Int64,
            "value_rao": pl.Int64,
        }
        rows = [(p.netuid, p.hotkey, p.alpha_rao, p.value_rao) for p in self.positions]
        return pl.DataFrame(rows, schema=schema, orient="row")

    def _rows(self) -> list[tuple[str, ...]]:
        # A header, then free balance, positions and the total.
        rows: list[tuple[str, ...]] = [
            ("", "subnet", "hotkey", "alpha", self.unit),
            ("free", "", "", "", _without_unit(self.free_rao)),
        ]
        rows += [
            (
                "stake",
                "root" if position.netuid == ROOT_NETUID else str(position.netuid),
                short(position.hotkey),
                "" if position.netuid == ROOT_NETUID else amount_alpha(position.alpha_rao),
                _without_unit(position.value_rao),
            )
            for position in self.positions
        ]
        return [*rows, ("total", "", "", "", _without_unit(self.total_rao))]

    @property
    def budget(self) -> str:
        """What may still be spent, in words."""
        left = self.budget_left_rao
        return "no limit" if left is None else f"{format_tao(left, self.unit)} left"

    def __str__(self) -> str:
        table = self._rows()
        widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
        lines = [
            "  ".join(
                cell.rjust(width) if column >= 3 else cell.ljust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in table
        ]
        money = "play money" if self.play_money else "REAL TAO"
        return plain_lines(
            "\n".join(
                [
                    f"{self.name}  {self.address}",
                    f"{self.network}, block {self.block}, {money}; budget: {self.budget}",
                    *lines,
                ]
            )
        )

    def _repr_html_(self) -> str:
        header, *rows = self._rows()
        money = f"{'play money' if self.play_money else 'REAL TAO'}, {self.network}"
        return html.block(
            html.paragraph(self.name, bold=True),
            html.paragraph(f"{self.address}, at block {self.block}", faint=True),
            html.table(header, rows, words=3),
            html.paragraph(f"Budget: {self.budget}"),
            html.badge(money, real=not self.play_money),
        )


def _without_unit(amount_rao: int) -> str:
    return f"{tao(amount_rao):,.4f}"


def holdings(client: NetworkClient, account: str | Wallet) -> Holdings:
    """Read what an account holds at the newest block.

    Args:
        client: the network.
        account: an ss58 address, or a wallet.

    Raises:
        WalletError: it is no address.
        NodeUnreachable: the node does not answer.
    """
    address = destination(account, development=client.development)
    block, free, records, prices = client.client.run(_read(client.client, address))
    positions = [
        Position(
            netuid=int(record["netuid"]),
            hotkey=str(record["hotkey"]),
            alpha_rao=AlphaRao(int(record["stake"])),
            value_rao=Rao(int(record["stake"]) * prices[int(record["netuid"])] // RAO_PER_TAO),
        )
        for record in records
    ]
    return Holdings(
        name=account if isinstance(account, str) else str(getattr(account, "name", address)),
        address=address,
        network=client.network.name,
        play_money=client.development,
        block=block,
        free_rao=Rao(free),
        positions=tuple(sorted(positions, key=lambda p: (p.netuid, -p.value_rao, p.hotkey))),
        budget_left_rao=client.budget.left_rao,
    )


async def _read(client: Any, address: str) -> tuple[int, int, list[dict[str, Any]], dict[int, int]]:
    """Height, free rao, stake records, and rao per alpha of each subnet in them, at one block."""
    substrate = client.substrate
    at = str(await client.rpc_async("chain_getHead"))
    header = await client.rpc_async("chain_getHeader", at)
    account = await substrate.query("System", "Account", [address], block_hash=at)
    records = await substrate.runtime_call(
        "StakeInfoRuntimeApi", "get_stake_info_for_coldkey", [address], block_hash=at
    )
    held = [dict(record) for record in records or [] if int(record["stake"])]
    prices: dict[int, int] = {ROOT_NETUID: RAO_PER_TAO}
    for netuid in sorted({int(record["netuid"]) for record in held} - {ROOT_NETUID}):
        price = await substrate.runtime_call("SwapRuntimeApi", "current_alpha_price", [netuid], block_hash=at)
        prices[netuid] = int(price)
    return int(header["number"], 16), int(account["data"]["free"]), held, prices
