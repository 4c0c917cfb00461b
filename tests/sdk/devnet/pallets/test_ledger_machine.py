"""A machine that stakes, moves, gives and registers at random: rao and alpha never leak."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.sdk.devnet.pallets.stage import ALICE, BOB, CHARLIE, OWNER_HOTKEY, TAO, Stage, key

from subnetlab.devnet.chain.registry import DispatchError
from subnetlab.devnet.pallets import balances
from subnetlab.devnet.pallets.subtensor import money, share_pool

SECOND_HOTKEY = key("//second")
people = st.sampled_from([ALICE, BOB, CHARLIE])
hotkeys = st.sampled_from([OWNER_HOTKEY, SECOND_HOTKEY])
places = st.sampled_from([0, 2, 3])
amounts = st.one_of(st.integers(0, 3_000_000), st.integers(TAO // 100, 900 * TAO))
limits = st.integers(TAO // 2, 2 * TAO)


class LedgerMachine(RuleBasedStateMachine):
    """Two started subnets and root, without emission, so that only trades move anything."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage()
        self.stage.subnet()
        self.stage.subnet(CHARLIE, SECOND_HOTKEY)
        self.issuance = self.stage.ledger.get("Balances", "TotalIssuance")
        self.issued = {n: self.outstanding(n) + self.stage.number("SubnetAlphaIn", n) for n in (2, 3)}

    def outstanding(self, netuid: int) -> int:
        return self.stage.number("SubnetAlphaOut", netuid)

    def attempt(self, who: str, function: str, **arguments: Any) -> None:
        try:
            self.stage.call(who, function, **arguments)
        except DispatchError:
            return

    @rule(who=people, hotkey=hotkeys, netuid=places, tao=amounts)
    def add(self, who: str, hotkey: str, netuid: int, tao: int) -> None:
        self.attempt(who, "add_stake", hotkey=hotkey, netuid=netuid, amount_staked=tao)

    @rule(who=people, hotkey=hotkeys, netuid=places, tao=amounts, limit=limits, partial=st.booleans())
    def add_limited(self, *, who: str, hotkey: str, netuid: int, tao: int, limit: int, partial: bool) -> None:
        terms = {"amount_staked": tao, "limit_price": limit, "allow_partial": partial}
        self.attempt(who, "add_stake_limit", hotkey=hotkey, netuid=netuid, **terms)

    @rule(who=people, hotkey=hotkeys, netuid=places, alpha=amounts)
    def remove(self, who: str, hotkey: str, netuid: int, alpha: int) -> None:
        self.attempt(who, "remove_stake", hotkey=hotkey, netuid=netuid, amount_unstaked=alpha)

    @rule(who=people, hotkey=hotkeys, netuid=places, alpha=amounts, limit=limits, partial=st.booleans())
    def remove_limited(
        self, *, who: str, hotkey: str, netuid: int, alpha: int, limit: int, partial: bool
    ) -> None:
        terms = {"amount_unstaked": alpha, "limit_price": limit, "allow_partial": partial}
        self.attempt(who, "remove_stake_limit", hotkey=hotkey, netuid=netuid, **terms)

    @rule(who=people, source=hotkeys, dest=hotkeys, start=places, end=places, alpha=amounts)
    def move(self, *, who: str, source: str, dest: str, start: int, end: int, alpha: int) -> None:
        route = {"origin_netuid": start, "destination_netuid": end, "alpha_amount": alpha}
        self.attempt(who, "move_stake", origin_hotkey=source, destination_hotkey=dest, **route)

    @rule(who=people, to=people, hotkey=hotkeys, start=places, end=places, alpha=amounts)
    def give(self, *, who: str, to: str, hotkey: str, start: int, end: int, alpha: int) -> None:
        route = {"origin_netuid": start, "destination_netuid": end, "alpha_amount": alpha}
        self.attempt(who, "transfer_stake", destination_coldkey=to, hotkey=hotkey, **route)

    @rule(who=people, hotkey=hotkeys, alpha_only=st.booleans())
    def leave(self, who: str, hotkey: str, alpha_only: bool) -> None:
        self.attempt(who, "unstake_all_alpha" if alpha_only else "unstake_all", hotkey=hotkey)

    @rule(who=people, number=st.integers(0, 5), netuid=places)
    def register(self, who: str, number: int, netuid: int) -> None:
        self.attempt(who, "burned_register", netuid=netuid, hotkey=key(f"//machine{number}"))

    @rule(author=st.sampled_from([None, key("//author")]))
    def change_author(self, author: str | None) -> None:
        self.stage.ledger.author = author

    @invariant()
    def balances_are_the_issuance(self) -> None:
        accounts = self.stage.ledger.items("System", "Account")
        total = sum(int(account["data"]["free"]) for _, account in accounts)
        assert total == self.stage.ledger.get("Balances", "TotalIssuance")
        assert total == self.stage.number("TotalIssuance") <= self.issuance

    @invariant()
    def every_reserve_lies_in_its_account(self) -> None:
        for netuid in (0, 2, 3):
            account = balances.free(self.stage.ledger, money.subnet_account(netuid))
            assert account == self.stage.number("SubnetTAO", netuid)

    @invariant()
    def alpha_is_only_destroyed_by_registrations(self) -> None:
        for netuid, issued in self.issued.items():
            assert self.outstanding(netuid) + self.stage.number("SubnetAlphaIn", netuid) <= issued

    @invariant()
    def positions_add_up_to_what_is_outstanding(self) -> None:
        for netuid in (2, 3):
            staked = sum(
                share_pool.hotkey_stake(self.stage.ledger, hotkey, netuid)
                for hotkey in (OWNER_HOTKEY, SECOND_HOTKEY)
            )
            assert staked == self.stage.number("TotalAlphaStaked", netuid) <= self.outstanding(netuid)


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings(max_examples=20, stateful_step_count=25, deadline=None)
