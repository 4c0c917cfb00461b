"""What a third party reads of a run, from wherever it is: manifest, seats, chain, store, record and data."""

from dataclasses import dataclass, field
from functools import cached_property

from subnetlab.errors import NodeUnreachable
from subnetlab.network.chain import Block, Commitment
from subnetlab.network.commit_history import ChainHistory, Committed, Voted
from subnetlab.store.base import Reader, Store
from subnetlab.store.places import Places
from subnetlab.train.anchors import Anchor
from subnetlab.train.data.corpus import Corpus
from subnetlab.train.manifest import Manifest, RoundHeights
from subnetlab.train.roster import Roster, Seat, miners, validators
from subnetlab.train.verify.log import Log


@dataclass(frozen=True, kw_only=True)
class Sources:
    """All that can be read; what is None cannot, and what needs it is reported as not checked."""

    name: str
    """How the run is called."""
    manifest: Manifest
    manifest_hash: str
    """Of the manifest's JSON as it was found."""
    roster: Roster
    store: Store | None = None
    history: ChainHistory | None = None
    log: Log | None = None
    corpus: Corpus | None = None
    public: bool = False
    """Whether other people started the peers: then a vote may wait until the chain takes one."""
    missing: dict[str, str] = field(default_factory=dict[str, str])
    """Why a source is not there, by its name here."""

    def seats(self, round_: int) -> list[Seat]:
        """Who takes part in a round."""
        return list(self.roster.at(self.manifest.heights(round_).open))

    @cached_property
    def rounds(self) -> range:
        """The rounds that are over as far as the chain has come."""
        if self.history is None:
            return range(0)
        last, manifest = self.history.last, self.manifest
        return range(sum(manifest.heights(round_).close <= last for round_ in range(manifest.rounds)))

    def anchored(self, round_: int, seat: Seat) -> tuple[Committed, Anchor] | None:
        """A validator's last anchor of a round that lies on chain before the round closed."""
        close = self.manifest.heights(round_).close
        found = [each for each in self._anchors.get((round_, seat.hotkey), []) if each[0].block <= close]
        return found[-1] if found and found[-1][1].who == "validator" else None

    def commitment_of(self, round_: int, seat: Seat) -> Committed | None:
        """A miner's last commitment of a round in its window."""
        heights = self.manifest.heights(round_)
        found = [
            each
            for each, anchor in self._anchors.get((round_, seat.hotkey), [])
            if anchor.who == "miner" and heights.open < each.block <= heights.commit
        ]
        return found[-1] if found else None

    def votes(self, round_: int, hotkey: str) -> list[Voted]:
        """What a hotkey voted in the window of a round, oldest first."""
        heights = self.manifest.heights(round_)
        every = self.history.votes if self.history else ()
        return [
            each for each in every if each.hotkey == hotkey and heights.open < each.block <= heights.next_open
        ]

    @cached_property
    def _anchors(self) -> dict[tuple[int, str], list[tuple[Committed, Anchor]]]:
        """Everything of a run's layout on chain since it began, by round and hotkey."""
        found: dict[tuple[int, str], list[tuple[Committed, Anchor]]] = {}
        for each in self.history.commitments if self.history else ():
            anchor = Anchor.from_bytes(each.data)
            if anchor is not None and each.block >= self.manifest.first_block:
                found.setdefault((anchor.round, each.hotkey), []).append((each, anchor))
        return found

    def miners(self, round_: int) -> list[Seat]:
        """The seats whose payloads are judged, in uid order."""
        return miners(self.seats(round_))

    def validators(self, round_: int) -> list[Seat]:
        """The validators, in the order in which they lead."""
        return validators(self.seats(round_))


@dataclass(slots=True)
class PastChain:
    """A `Chain` that stands at a height of the past: reads as it was, takes nothing."""

    history: ChainHistory
    height: int = 0

    def wait_for(self, number: int, timeout_s: float) -> Block:
        """The block at the height; see `Chain.wait_for`."""
        del timeout_s
        return Block(max(number, self.height), self.block_hash(max(number, self.height)))

    def block_hash(self, number: int) -> str:
        """See `Chain.block_hash`.

        Raises:
            NodeUnreachable: the block was not read.
        """
        if number not in self.history.hashes:
            raise NodeUnreachable(f"Block {number} was not read.")
        return self.history.hashes[number]

    def commit(self, data: bytes) -> None:
        """Nothing is sent."""

    def commitments(self) -> dict[str, Commitment]:
        """The last commitment of each hotkey at the height."""
        return self.history.commitments_at(self.height)

    def weights(self) -> dict[str, dict[int, float]]:
        """No weights: nothing that is verified depends on those that stand."""
        return {}

    def set_weights(self, weights: dict[int, float]) -> None:
        """Nothing is sent."""


def read_only(store: Store) -> "ReadOnly":
    """A store that is read and never written; with the places of its peers, where each has its own."""
    return ReadOnlyPlaces(store) if isinstance(store, Places) else ReadOnly(store)


@dataclass(frozen=True, slots=True)
class ReadOnly:
    """A store that is read and never written."""

    store: Reader

    def put(self, name: str, data: bytes) -> None:
        """Nothing is written."""

    def get(self, name: str, limit: int) -> bytes:
        """See `Store.get`."""
        return self.store.get(name, limit)

    def names(self, prefix: str, limit: int = 10_000) -> list[str]:
        """See `Store.names`."""
        return self.store.names(prefix, limit)


@dataclass(frozen=True, slots=True)
class ReadOnlyPlaces(ReadOnly):
    """The same over places, each read as its peer's own."""

    locator: str = ""
    own_backing: bool = False

    def of(self, uid: int, locator: str) -> Reader:
        """See `Places.of`."""
        assert isinstance(self.store, Places)
        return self.store.of(uid, locator)


def window_text(heights: RoundHeights) -> str:
    """The blocks in which a commitment counts."""
    return f"blocks {heights.open + 1} to {heights.commit}"
