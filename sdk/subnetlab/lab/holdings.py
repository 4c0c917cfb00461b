"""What a wallet holds, as one plain object: free TAO, stake by subnet and hotkey, and what it is worth.

Both halves of the chain are in it: the coldkey, and the keys of the EVM that go by the same wallet's name,
whose money lies on their mirrors. Everything is read at one block. A position is worth what its alpha costs
at that block; taking it out would bring less, by fee and slippage. No key is looked at but the public one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from subnetlab.network.client import NetworkClient
from subnetlab.network.destination import destination
from subnetlab.network.evm.wallet import EvmWallet, evm_wallets_of
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
class EvmHolding:
    """One key of the EVM that belongs to the wallet."""

    name: str
    address: str
    """`0x…`; what it holds lies on its mirror."""
    free_rao: Rao
    positions: tuple[Position, ...]
    """Stake whose coldkey is the mirror."""

    @property
    def total_rao(self) -> Rao:
        """Free balance and the value of all positions."""
        return Rao(self.free_rao + sum(position.value_rao for position in self.positions))


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
    evm: tuple[EvmHolding, ...] = ()
    """The keys of the EVM by the wallet's name, those that hold nothing too."""

    @property
    def total_rao(self) -> Rao:
        """Free balance and the value of all positions, on both halves of the chain."""
        own = self.free_rao + sum(position.value_rao for position in self.positions)
        return Rao(own + sum(key.total_rao for key in self.evm))

    @property
    def unit(self) -> str:
        """How amounts of TAO are written here, so that play money is never taken for real."""
        return "play τ" if self.play_money else "TAO"

    def frame(self) -> "pl.DataFrame":
        """The positions as numbers, one row each, in their order; free TAO is not one of them.

        `key` names the key of the EVM that holds a position; it is empty for the coldkey.
        """
        import polars as pl  # noqa: PLC0415  (loaded when a frame is wanted)

        schema = {
            "key": pl.String,
            "netuid": pl.Int64,
            "hotkey": pl.String,
            "alpha_rao": pl.Int64,
            "value_rao": pl.Int64,
        }
        held = [("", self.positions), *((key.name, key.positions) for key in self.evm)]
        rows = [(key, p.netuid, p.hotkey, p.alpha_rao, p.value_rao) for key, own in held for p in own]
        return pl.DataFrame(rows, schema=schema, orient="row")

    def _rows(self) -> list[tuple[str, ...]]:
        # A header, then free balance, positions and the total.
        rows: list[tuple[str, ...]] = [
            ("", "subnet", "hotkey", "alpha", self.unit),
            ("free", "", "", "", _without_unit(self.free_rao)),
        ]
        rows += [_row("stake", position) for position in self.positions]
        for key in self.evm:
            if key.total_rao:
                rows.append(("EVM free", "", short(key.address), "", _without_unit(key.free_rao)))
                rows += [_row("EVM stake", position) for position in key.positions]
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


def _row(kind: str, position: Position) -> tuple[str, ...]:
    root = position.netuid == ROOT_NETUID
    return (
        kind,
        "root" if root else str(position.netuid),
        short(position.hotkey),
        "" if root else amount_alpha(position.alpha_rao),
        _without_unit(position.value_rao),
    )


def _without_unit(amount_rao: int) -> str:
    return f"{tao(amount_rao):,.4f}"


def holdings(client: NetworkClient, account: str | Wallet | EvmWallet) -> Holdings:
    """Read what an account holds at the newest block.

    Args:
        client: the network.
        account: an address of either half, or a wallet of either half.

    Raises:
        WalletError: it is no address.
        NodeUnreachable: the node does not answer.
    """
    address = destination(account, development=client.development)
    keys = _keys_of(account, development=client.development)
    found = client.client.run(_read(client.client, [address, *(key.mirror for key in keys)]))
    (free, positions), *others = found.accounts
    return Holdings(
        name=account.strip() if isinstance(account, str) else str(getattr(account, "name", address)),
        address=account.address if isinstance(account, EvmWallet) else address,
        network=client.network.name,
        play_money=client.development,
        block=found.block,
        free_rao=free,
        positions=positions,
        budget_left_rao=client.budget.left_rao,
        evm=tuple(
            EvmHolding(name=key.name, address=key.address, free_rao=held, positions=own)
            for key, (held, own) in zip(keys, others, strict=True)
        ),
    )


def _keys_of(account: str | Wallet | EvmWallet, *, development: bool) -> tuple[EvmWallet, ...]:
    """The keys of the EVM that go by the name of a wallet; none for an address."""
    if isinstance(account, str | EvmWallet):
        return ()
    name = str(getattr(account, "name", "")).partition("/")[0]
    return evm_wallets_of(name, development=development)


class _Found(NamedTuple):
    """What several accounts hold at one block."""

    block: int
    accounts: list[tuple[Rao, tuple[Position, ...]]]


async def _read(client: Any, addresses: Sequence[str]) -> _Found:
    substrate = client.substrate
    at = str(await client.rpc_async("chain_getHead"))
    header = await client.rpc_async("chain_getHeader", at)
    accounts: list[tuple[Rao, tuple[Position, ...]]] = []
    prices: dict[int, int] = {ROOT_NETUID: RAO_PER_TAO}
    for address in addresses:
        account = await substrate.query("System", "Account", [address], block_hash=at)
        records = await substrate.runtime_call(
            "StakeInfoRuntimeApi", "get_stake_info_for_coldkey", [address], block_hash=at
        )
        held = [dict(record) for record in records or [] if int(record["stake"])]
        for netuid in sorted({int(record["netuid"]) for record in held} - set(prices)):
            price = await substrate.runtime_call(
                "SwapRuntimeApi", "current_alpha_price", [netuid], block_hash=at
            )
            prices[netuid] = int(price)
        accounts.append((Rao(int(account["data"]["free"])), _positions(held, prices)))
    return _Found(int(header["number"], 16), accounts)


def _positions(records: Sequence[dict[str, Any]], prices: Mapping[int, int]) -> tuple[Position, ...]:
    positions = [
        Position(
            netuid=int(record["netuid"]),
            hotkey=str(record["hotkey"]),
            alpha_rao=AlphaRao(int(record["stake"])),
            value_rao=Rao(int(record["stake"]) * prices[int(record["netuid"])] // RAO_PER_TAO),
        )
        for record in records
    ]
    return tuple(sorted(positions, key=lambda p: (p.netuid, -p.value_rao, p.hotkey)))
