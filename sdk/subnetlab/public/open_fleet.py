"""What an owner says of a run whose peers other people start: where its objects lie, and how long a round is.

Starts nothing and loads nothing; `sl.LocalFleet` is the fleet of processes that are started here.
"""

from dataclasses import dataclass

from subnetlab.errors import ArgumentInvalid
from subnetlab.signatures import known_fields
from subnetlab.text import kind_of

_MOST = 1_000_000
_LONGEST_NOTICE_S = 30 * 24 * 3600


@known_fields("sl.OpenFleet")
@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFleet:
    """The miners and validators registered on the subnet, started by others.

    `subnet.train(…, fleet=sl.OpenFleet(store="s3://…"))` publishes the run and returns at once; strangers
    join with `subnetlab miner` and `subnetlab validator`.
    """

    store: str
    """Where the run's objects lie, readable by every peer: a folder, `s3://…`, `gs://…`, `az://…`."""
    blocks_per_round: int = 0
    """Blocks of the chain a round takes; measured on this machine unless given."""
    notice_s: float = 60.0
    """Seconds between the announcement and the first round, so that peers can come up."""
    miners: int = 0
    """For how many miners a round has room; as many as are registered unless given."""
    checkpoint_every: int = 10
    """Rounds between two checkpoints of the model, from which those who join late replay; 0 for none."""
    replace: bool = False
    """Whether a run that the subnet trains already is left to its peers unannounced, and so ended."""

    def __post_init__(self) -> None:
        if not isinstance(self.store, str) or not self.store.strip():  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ArgumentInvalid(
                f"store is {kind_of(self.store)}.", hint='Give an address such as store="s3://bucket/run".'
            )
        for name in ("blocks_per_round", "miners", "checkpoint_every"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST:
                raise ArgumentInvalid(
                    f"{name}={value!r} is no whole number from 0 to {_MOST:,}.",
                    hint=f"Give {name}=8, for instance, or leave it out.",
                )
        notice: object = self.notice_s
        if type(notice) not in (int, float) or not 0 <= self.notice_s <= _LONGEST_NOTICE_S:
            raise ArgumentInvalid(
                f"notice_s={notice!r} is no notice.",
                hint=f"Give seconds, from 0 to {_LONGEST_NOTICE_S:,}, which are thirty days.",
            )
