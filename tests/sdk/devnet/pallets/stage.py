"""A chain without a node: blocks are opened and sealed by hand, calls are dispatched as decoded dicts."""

from functools import cache
from typing import Any

from bittensor_core import Keypair

import subnetlab.devnet.pallets  # noqa: F401 - enters calls and hooks
from subnetlab.devnet import metadata
from subnetlab.devnet.chain import genesis
from subnetlab.devnet.chain.codec import Codec
from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import ROOT, Origin
from subnetlab.devnet.chain.state import State

PALLET = "SubtensorModule"
TAO = 10**9
PRESET: dict[str, Any] = {
    "Tempo": 8,
    "SubnetEmissionEnabled": True,
    "WeightsSetRateLimit": 0,
    "CommitRevealWeightsEnabled": False,
}


@cache
def recorded_codec() -> Codec:
    return Codec(metadata.recorded(), metadata.SPEC_VERSION, metadata.TRANSACTION_VERSION)


@cache
def key(uri: str) -> str:
    return Keypair.from_uri(uri).ss58_address


ALICE, BOB, CHARLIE, DAVE = (key(f"//{name}") for name in ("Alice", "Bob", "Charlie", "Dave"))
OWNER_HOTKEY = key("//Alice//hotkey")


class Stage:
    """Genesis and the blocks after it."""

    def __init__(self) -> None:
        self.state = State()
        self.ledger = Ledger(recorded_codec(), self.state)
        genesis.build(self.ledger)
        self.state.seal(0)
        self.ledger.put(PALLET, "NetworkRateLimit", value=0)

    def blocks(self, count: int = 1) -> None:
        """Seal what is being built and open the next block, its hooks run."""
        for _ in range(count):
            self.state.seal(self.ledger.block_number)
            number = self.ledger.block_number + 1
            self.ledger.initialize_block(number, 12_000 * number)

    def call(self, who: str | None, function: str, module: str = PALLET, **arguments: Any) -> None:
        """Dispatch a call of an account, or of root where `who` is None."""
        decoded = [{"name": name, "value": value} for name, value in arguments.items()]
        self.ledger.dispatch(
            ROOT if who is None else Origin(account=who),
            {"call_module": module, "call_function": function, "call_args": decoded},
        )

    def read(self, item: str, *keys: Any) -> Any:
        return self.ledger.get(PALLET, item, *keys)

    def number(self, item: str, *keys: Any) -> int:
        return int(self.ledger.get(PALLET, item, *keys))

    def write(self, item: str, *keys: Any, value: Any) -> None:
        self.ledger.put(PALLET, item, *keys, value=value)

    def events(self, name: str) -> list[Any]:
        """The fields of this block's events of one name."""
        return [
            fields
            for record in self.ledger.events
            for pallet in record["event"].values()
            for event, fields in pallet.items()
            if event == name
        ]

    def subnet(self, owner: str = ALICE, hotkey: str = OWNER_HOTKEY, *, start: bool = True) -> int:
        """Make a subnet with the development preset, started unless told otherwise."""
        before = {netuid for netuid, _ in self.ledger.items(PALLET, "NetworksAdded")}
        self.call(owner, "register_network", hotkey=hotkey)
        (netuid,) = {netuid for netuid, _ in self.ledger.items(PALLET, "NetworksAdded")} - before
        for item, value in PRESET.items():
            self.write(item, netuid, value=value)
        if start:
            self.call(owner, "start_call", netuid=netuid)
        self.blocks()
        return netuid

    def register(self, netuid: int, *who: tuple[str, str]) -> None:
        """Register hotkeys, each paid by its coldkey: `(coldkey, hotkey)`."""
        for coldkey, hotkey in who:
            self.call(coldkey, "burned_register", netuid=netuid, hotkey=hotkey)

    def stake(self, coldkey: str, hotkey: str, netuid: int, tao: int) -> None:
        self.call(coldkey, "add_stake", hotkey=hotkey, netuid=netuid, amount_staked=tao)

    def weights(self, hotkey: str, netuid: int, row: dict[int, int]) -> None:
        self.call(
            hotkey, "set_weights", netuid=netuid, dests=list(row), weights=list(row.values()), version_key=0
        )

    def until_epoch(self, netuid: int) -> None:
        """Run blocks up to and including the subnet's next epoch."""
        index = self.number("SubnetEpochIndex", netuid)
        for _ in range(1_000):
            self.blocks()
            if self.number("SubnetEpochIndex", netuid) > index:
                return
        raise AssertionError(f"subnet {netuid} has no epoch in sight")
