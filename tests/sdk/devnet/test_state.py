"""Versioned state against the simplest thing that could be right: a list of dicts, one per block."""

from bisect import bisect_left

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from subnetlab.devnet.chain.state import State

KEYS = st.binary(
    min_size=1,
    max_size=2,
).map(lambda b: bytes(x % 3 for x in b))
VALUES = st.one_of(st.none(), st.binary(max_size=2))


class StateMachine(RuleBasedStateMachine):
    """Blocks of writes, with layers kept and dropped, compared at every height."""

    def __init__(self) -> None:
        super().__init__()
        self.state = State()
        self.sealed: list[dict[bytes, bytes]] = []
        self.building: dict[bytes, bytes] = {}
        self.oldest = 0

    def _write(self, model: dict[bytes, bytes], key: bytes, value: bytes | None) -> None:
        self.state.put(key, value)
        if value is None:
            model.pop(key, None)
        else:
            model[key] = value

    @rule(key=KEYS, value=VALUES)
    def put(self, key: bytes, value: bytes | None) -> None:
        self._write(self.building, key, value)

    @rule(writes=st.lists(st.tuples(KEYS, VALUES), max_size=4), keep=st.booleans())
    def layer(self, writes: list[tuple[bytes, bytes | None]], keep: bool) -> None:
        inside = dict(self.building)
        try:
            with self.state.layer():
                for key, value in writes:
                    self._write(inside, key, value)
                if not keep:
                    raise InterruptedError  # noqa: TRY301 - what leaves the layer is what is tried here
        except InterruptedError:
            return
        self.building = inside

    @rule(outer=st.lists(st.tuples(KEYS, VALUES), max_size=3), inner=st.lists(st.tuples(KEYS, VALUES)))
    def drop_a_layer_with_those_in_it(
        self, outer: list[tuple[bytes, bytes | None]], inner: list[tuple[bytes, bytes | None]]
    ) -> None:
        dropped = self.state.push()
        for key, value in outer:
            self.state.put(key, value)
        kept = self.state.push()
        for key, value in inner:
            self.state.put(key, value)
        self.state.commit(kept)
        self.state.push()
        for key, value in (*inner, *outer):
            self.state.put(key, value)
        self.state.discard(dropped)

    @rule()
    def seal(self) -> None:
        before = self.sealed[-1] if self.sealed else {}
        changed = self.state.seal(len(self.sealed))
        self.sealed.append(dict(self.building))
        expected = {
            k: self.building.get(k)
            for k in {*before, *self.building}
            if before.get(k) != self.building.get(k)
        }
        assert changed == expected

    @precondition(lambda self: len(self.sealed) > 1)
    @rule(data=st.data())
    def prune(self, data: st.DataObject) -> None:
        self.oldest = data.draw(st.integers(self.oldest, len(self.sealed) - 1))
        self.state.prune(self.oldest)

    @rule()
    def go_on_with_a_copy(self) -> None:
        self.state = self.state.copy()

    @invariant()
    def every_kept_block_reads_as_it_was(self) -> None:
        for number in range(self.oldest, len(self.sealed)):
            model = self.sealed[number]
            assert self.state.keys(b"", number) == sorted(model)
            assert all(self.state.get(key, number) == value for key, value in model.items())
        assert self.state.keys(b"") == sorted(self.building)
        assert all(self.state.get(key) == value for key, value in self.building.items())
        if self.sealed:
            assert self.state.latest() == self.sealed[-1]

    @invariant()
    def pages_join_to_the_whole(self) -> None:
        keys = sorted(self.building)
        for key in keys:
            assert self.state.keys(b"", after=key) == keys[bisect_left(keys, key) + 1 :]
            assert self.state.keys(key[:1]) == [k for k in keys if k[:1] == key[:1]]


TestState = StateMachine.TestCase
TestState.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)


def test_an_open_layer_cannot_be_sealed() -> None:
    state = State()
    with state.layer(), pytest.raises(AssertionError):
        state.seal(0)


def test_what_was_found_below_a_prefix_is_found_anew_after_every_kind_of_write() -> None:
    prefix, other = b"p" * 32, b"q" * 32
    state = State()

    def keys() -> list[bytes]:
        return state.remembered(prefix, lambda: state.keys(prefix))

    assert keys() == []
    state.put(prefix + b"1", b"x")
    assert keys() == [prefix + b"1"]
    depth = state.push()
    state.put(prefix + b"2", b"x")
    assert keys() == [prefix + b"1", prefix + b"2"]
    state.put(prefix + b"1", None)
    assert keys() == [prefix + b"2"]
    state.discard(depth)
    assert keys() == [prefix + b"1"]
    found = keys()
    state.put(other + b"1", b"x")
    state.seal(1)
    assert keys() is found  # neither another item's key nor sealing changes it
    state.remember({prefix + b"3": [(1, b"x")]})
    assert keys() == [prefix + b"1", prefix + b"3"]
    assert state.copy().remembered(prefix, lambda: "anew") == "anew"
