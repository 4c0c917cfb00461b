"""Nothing is made of nothing: whatever people and blocks do, TAO and alpha add up."""

from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sdk.devnet.pallets.stage import ALICE, BOB, CHARLIE, DAVE, PALLET, TAO, Stage, key

from subnetlab.devnet.chain.registry import DispatchError
from subnetlab.devnet.pallets.subtensor import money, share_pool

COLDKEYS = (ALICE, BOB, CHARLIE, DAVE)
HOTKEYS = tuple(key(f"//conserved{number}") for number in range(5))
PENDING = ("PendingServerEmission", "PendingValidatorEmission", "PendingRootAlphaDivs", "PendingOwnerCut")
ROOT = 0

people = st.sampled_from(COLDKEYS)
hotkeys = st.sampled_from(HOTKEYS)
amounts = st.integers(1, 40) | st.integers(TAO, 20_000 * TAO)
MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("register"), people, hotkeys),
        st.tuples(st.just("stake"), people, hotkeys, st.booleans(), amounts),
        st.tuples(st.just("unstake"), people, hotkeys, st.booleans(), st.integers(1, 100)),
        st.tuples(st.just("weigh"), hotkeys, st.lists(st.integers(0, 65_535), min_size=1, max_size=4)),
        st.tuples(st.just("transfer"), people, people, amounts),
        st.tuples(st.just("price"), st.integers(0, 4)),
        st.tuples(st.just("recycle"), st.booleans()),
        st.tuples(st.just("yuma3"), st.booleans()),
        st.tuples(st.just("blocks"), st.integers(1, 12)),
    ),
    min_size=10,
    max_size=30,
)


@dataclass
class Books:
    """What the sealed blocks emitted and what registrations destroyed, kept beside the chain."""

    tao_minted: int = 0
    alpha_destroyed: int = 0


class Economy:
    """One subnet with three validators, and root, driven by generated moves; a refused one is undone."""

    def __init__(self) -> None:
        self.stage = Stage()
        self.netuid = self.stage.subnet()
        self.stage.write("ImmunityPeriod", self.netuid, value=0)
        self.stage.write("MaxAllowedUids", self.netuid, value=4)
        self.stage.write("MinNonImmuneUids", self.netuid, value=0)
        self.issued = self.issuance()
        self.alpha = self.alpha_in_and_out()
        self.alpha_minted = self.assets("TotalAlphaIssuance")
        self.books = Books()
        for coldkey, hotkey in zip((BOB, CHARLIE, DAVE), HOTKEYS, strict=False):
            self.register(coldkey, hotkey)
            self.stake(coldkey, hotkey, on_root=False, rao=100 * TAO)
        self.blocks(8)

    def issuance(self) -> int:
        return int(self.stage.ledger.get("Balances", "TotalIssuance"))

    def assets(self, item: str) -> int:
        return int(self.stage.ledger.get("AlphaAssets", item, self.netuid))

    def alpha_in_and_out(self) -> int:
        return self.stage.number("SubnetAlphaIn", self.netuid) + self.stage.number(
            "SubnetAlphaOut", self.netuid
        )

    def play(self, kind: str, *arguments: Any) -> None:
        try:
            getattr(self, kind)(*arguments)
        except DispatchError:
            return

    def register(self, coldkey: str, hotkey: str) -> None:
        before = self.alpha_in_and_out()
        self.stage.call(coldkey, "burned_register", netuid=self.netuid, hotkey=hotkey)
        self.books.alpha_destroyed += before - self.alpha_in_and_out()

    def stake(self, coldkey: str, hotkey: str, on_root: bool, rao: int) -> None:
        self.stage.stake(coldkey, hotkey, ROOT if on_root else self.netuid, rao)

    def unstake(self, coldkey: str, hotkey: str, on_root: bool, percent: int) -> None:
        netuid = ROOT if on_root else self.netuid
        held = share_pool.stake_of(self.stage.ledger, hotkey, coldkey, netuid)
        amount = held * percent // 100
        self.stage.call(coldkey, "remove_stake", hotkey=hotkey, netuid=netuid, amount_unstaked=amount)

    def weigh(self, hotkey: str, weights: list[int]) -> None:
        self.stage.weights(hotkey, self.netuid, dict(enumerate(weights)))

    def transfer(self, source: str, dest: str, rao: int) -> None:
        self.stage.call(source, "transfer_keep_alive", "Balances", dest={"Id": dest}, value=rao)

    def price(self, whole: int) -> None:
        self.stage.write("SubnetMovingPrice", self.netuid, value={"bits": whole << 32})

    def recycle(self, on: bool) -> None:
        self.stage.write("RecycleOrBurn", self.netuid, value="Recycle" if on else "Burn")

    def yuma3(self, on: bool) -> None:
        self.stage.write("Yuma3On", self.netuid, value=on)

    def blocks(self, count: int) -> None:
        for _ in range(count):
            before = self.issuance()
            self.stage.blocks()
            minted = self.stage.number("SubnetTaoInEmission", self.netuid)
            minted += self.stage.number("SubnetExcessTao", self.netuid)
            assert self.issuance() - before == minted <= TAO
            self.books.tao_minted += minted

    def check(self) -> None:
        self.check_tao()
        self.check_alpha()
        self.check_stakes()

    def check_tao(self) -> None:
        """Free balances are the issuance; a subnet's account is its reserve; only blocks mint."""
        ledger = self.stage.ledger
        free = sum(int(account["data"]["free"]) for _, account in ledger.items("System", "Account"))
        assert free == self.issuance() == self.stage.number("TotalIssuance")
        assert self.issuance() == self.issued + self.books.tao_minted
        for netuid in (ROOT, self.netuid):
            held = int(ledger.get("System", "Account", money.subnet_account(netuid))["data"]["free"])
            assert held == self.stage.number("SubnetTAO", netuid)

    def check_alpha(self) -> None:
        """Alpha in the pool and outside is what was minted, less what was destroyed; nobody holds more."""
        minted = self.assets("TotalAlphaIssuance") - self.alpha_minted
        assert self.alpha_in_and_out() == self.alpha + minted - self.books.alpha_destroyed
        owed = sum(self.stage.number(item, self.netuid) for item in PENDING)
        owed += self.stage.number("SubnetProtocolAlpha", self.netuid) + self.assets("AlphaBurned")
        staked = self.stage.number("TotalAlphaStaked", self.netuid)
        assert staked + owed <= self.stage.number("SubnetAlphaOut", self.netuid)

    def check_stakes(self) -> None:
        """Every hotkey's pool is shared out whole but for crumbs, and the pools are all stake there is."""
        ledger = self.stage.ledger
        totals = {ROOT: 0, self.netuid: 0}
        for (hotkey, netuid), value in ledger.items(PALLET, "TotalHotkeyAlpha"):
            if netuid not in totals:
                continue
            totals[netuid] += int(value)
            holders = share_pool.holders(ledger, hotkey, netuid)
            assert holders
            shared = sum(amount for _, amount in holders)
            assert int(value) - len(holders) - 1 <= shared <= int(value) + len(holders)
        for netuid, total in totals.items():
            assert total == self.stage.number("TotalAlphaStaked", netuid)


@settings(max_examples=60, deadline=None)
@given(MOVES)
def test_tao_and_alpha_add_up(moves: list[tuple[Any, ...]]) -> None:
    economy = Economy()
    economy.check()
    for move in moves:
        economy.play(*move)
        economy.check()
    economy.play("blocks", 9)
    economy.check()


def test_an_epoch_hands_out_what_waited_but_for_crumbs() -> None:
    """Without root stake all that was set aside reaches somebody, but for what truncation keeps."""
    economy = Economy()
    stage, netuid = economy.stage, economy.netuid
    for hotkey in HOTKEYS[:3]:
        economy.weigh(hotkey, [0, 3, 2, 1])
    for _ in range(5):
        before = stage.number("TotalAlphaStaked", netuid)
        waiting = sum(stage.number(item, netuid) for item in PENDING)
        emitted = 0
        while True:
            stage.blocks()
            emitted += stage.number("SubnetAlphaOutEmission", netuid)
            if stage.number("LastEpochBlock", netuid) == stage.ledger.block_number:
                break
        handed_out = stage.number("TotalAlphaStaked", netuid) - before
        assert waiting + emitted - 100 <= handed_out <= waiting + emitted
    economy.check_stakes()
