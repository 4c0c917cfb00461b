"""How many peers of which role run on this machine: what a person types to describe a fleet of their own.

Starts nothing; `fleet.launch` does.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final, NamedTuple

from subnetlab.errors import ArgumentInvalid, StoreAddressInvalid
from subnetlab.fleet.devices import Devices, check_words, words
from subnetlab.fleet.run_folder import STORE_FOLDER
from subnetlab.record.events import Role
from subnetlab.signatures import known_fields
from subnetlab.store.address import Address, parse
from subnetlab.text import kind_of
from subnetlab.train.attackers import ATTACKERS, refused
from subnetlab.train.devices import AUTO, LARGE, NONE, check_compiler, find_devices, spread

RESTARTS = 3
"""How often the process of a seat that ended without a word is started again in a run."""
_COMPILING_S: Final = 900.0
"""How long peers may take to start where the miners compile their steps."""


class Place(NamedTuple):
    """What one seat's process plays: its role, and the word of its attack, empty for an honest peer."""

    role: Role
    attacker: str = ""


@known_fields("sl.LocalFleet")
@dataclass(frozen=True, slots=True, kw_only=True)
class LocalFleet:
    """Peers as processes on this machine, one CPU thread each.

    `miners` and `validators` count every seat; `attackers` says how many of them attack, and how:
    `{"sign_flip": 2, "free_rider": 1}`. `free_riders=1` is short for `attackers={"free_rider": 1}`.
    `subnetlab.train.attackers.ATTACKERS` lists the words. `baseline` adds the reference miner that trains by
    itself and holds no seat.
    """

    miners: int = 8
    validators: int = 2
    free_riders: int = 0
    attackers: Mapping[str, int] = field(default_factory=dict[str, int])
    """Word to number, the free riders excepted, which `free_riders` counts."""
    baseline: bool = True
    phase_limit_s: float = 120.0
    """How long a block waits for a silent peer before it is sealed without it."""
    start_limit_s: float = 60.0
    """How much work a peer may need to come up, and how long it may go on without any, in seconds."""

    stakes_tao: tuple[int, ...] = (300, 200)
    """Behind each validator that has none, honest ones first; the last amount for all that follow."""
    uplink_mbps: float = 0.0
    """Megabits a second that each peer can upload, so that bytes cost time; 0 for no limit."""
    downlink_mbps: float = 0.0
    """Megabits a second that each peer can download; 0 for no limit."""
    rtt_ms: float = 0.0
    """Milliseconds until the store answers a peer."""
    kills_per_hour: float = 0.0
    """How often a peer is killed on purpose and started again, on average."""
    chaos_seed: int = 0
    """Draws when and whom."""
    store: str = ""
    """Where objects travel, each peer's in a place of its own: a folder, or a bucket such as
    `s3://bucket/prefix?endpoint=…` with credentials from the environment; the run's folder if empty."""

    device: Devices = AUTO
    """On which peers compute: "auto" (a CUDA card where there is one and the model has five million
    parameters or more, else the CPU), "cpu", "cuda" (all cards in turn), "cuda:1", "mps"; one for each miner,
    honest ones first; or by miner, counted from 0, and role: `{"miner": "cuda", 3: "cuda:1"}`."""
    compile: bool = False
    """Whether `torch.compile` makes the miners' training steps, before they are ready."""

    is_here: ClassVar[bool] = True
    """Whether the peers run on this machine and need its memory."""

    def __post_init__(self) -> None:
        self._part_free_riders()
        for name in ("miners", "validators", "free_riders"):
            _check_count(name, getattr(self, name))
        if self.miners < 1 or self.validators < 1:
            raise ArgumentInvalid(
                "a fleet needs at least one miner and one validator.",
                hint="Give LocalFleet(miners=3, validators=1), or more of each.",
            )
        if not 0 <= self.free_riders <= self.miners:
            raise ArgumentInvalid(
                f"free_riders={self.free_riders} is not between 0 and miners={self.miners}.",
                hint="Give more miners, or fewer free riders: they are some of the miners.",
            )
        if (hostile := len(self._hostile("miner"))) > self.miners:
            raise ArgumentInvalid(
                f"{hostile} attackers among miners are more than miners={self.miners}.",
                hint="Give more miners, or fewer attackers: they are some of the miners.",
            )
        if (hostile := len(self._hostile("validator"))) > self.validators:
            raise ArgumentInvalid(
                f"{hostile} attackers among validators are more than validators={self.validators}.",
                hint="Give more validators, or fewer attackers: they are some of the validators.",
            )
        self._check_numbers()
        self._check_address()
        check_words(self.device, miners=self.miners)
        if not isinstance(self.compile, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ArgumentInvalid(f"compile is {kind_of(self.compile)}.", hint="Give compile=True or False.")
        if self.phase_limit_s <= 0 or self.start_limit_s <= 0:
            raise ArgumentInvalid(
                "phase_limit_s and start_limit_s must be positive.",
                hint="Give seconds, such as phase_limit_s=30; leave them out for the usual ones.",
            )
        if not isinstance(self.baseline, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ArgumentInvalid(
                f"baseline is {kind_of(self.baseline)}.",
                hint='Give baseline=True or False here; the names go to subnet.train(baselines=("alone",)).',
            )

    @property
    def start_allowed_s(self) -> float:
        """`start_limit_s`; at least fifteen minutes where the miners compile their steps first."""
        return max(self.start_limit_s, _COMPILING_S) if self.compile else self.start_limit_s

    def devices(self, baselines: int, parameters: int) -> tuple[str, ...]:
        """The device of every peer, in the order of `places`, the baselines last.

        Args:
            baselines: how many run beside the seats.
            parameters: of the model.

        Raises:
            DeviceMissing: this machine lacks a device, or what compiles; nothing was started.
        """
        if self.compile:
            check_compiler()
        asked = words(self.device, self.roles(), baselines)
        named = any(word != AUTO for _, word in asked)
        found = find_devices() if named or parameters >= LARGE else NONE
        return spread(asked, found, parameters=parameters)

    def _check_numbers(self) -> None:
        """Check what can be set beside the counts.

        Raises:
            ArgumentInvalid: a number is none, negative or not finite.
        """
        for name in (
            "uplink_mbps",
            "downlink_mbps",
            "rtt_ms",
            "kills_per_hour",
            "phase_limit_s",
            "start_limit_s",
        ):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
                raise ArgumentInvalid(
                    f"{name}={value!r} is not a number from 0 up.",
                    hint="Give a number, such as uplink_mbps=20; leave it out for no limit.",
                )
        _check_count("chaos_seed", self.chaos_seed, "a seed")
        if not isinstance(self.stakes_tao, tuple | list):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ArgumentInvalid(
                f"stakes_tao is {kind_of(self.stakes_tao)}", hint="Give a tuple: (300, 200)."
            )
        if not self.stakes_tao:
            raise ArgumentInvalid(
                "stakes_tao names no stake.",
                hint="Give one for each validator, stakes_tao=(300, 200), or leave it out.",
            )
        for stake in self.stakes_tao:
            _check_count("stakes_tao", stake, "a whole number of TAO")
        if 0 in self.stakes_tao:
            raise ArgumentInvalid(
                "a validator without stake gets no permit: stakes_tao must be positive.",
                hint="Give each validator some, such as stakes_tao=(300, 200).",
            )

    def _check_address(self) -> None:
        """Check how the store is called.

        Raises:
            ArgumentInvalid: the text names no store that several processes can write to.
        """
        if not isinstance(self.store, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ArgumentInvalid(f"store is {kind_of(self.store)}.", hint="Give an address as text.")
        if not self.store:
            return
        try:
            scheme = parse(self.store).scheme
        except StoreAddressInvalid as error:
            raise ArgumentInvalid(f"store names no store. {error.args[0]}", hint=error.hint) from None
        if scheme in ("memory", "http", "https"):
            raise ArgumentInvalid(
                "Several peers cannot write to that store.",
                hint='Give a folder or a bucket: store="s3://bucket/prefix?endpoint=…".',
            )

    def check_store(self) -> None:
        """Ask the store for its first name, so that a wrong bucket or key is said before anything starts.

        Raises:
            StoreUnreachable: it does not answer.
        """
        # The libraries that speak to buckets are loaded when a bucket is asked, and not before.
        from subnetlab.store.objects import open_store  # noqa: PLC0415
        from subnetlab.store.patience import Patience  # noqa: PLC0415

        if self.store:
            open_store(self.store, patience=Patience(request_s=10.0, total_s=10.0)).names("", limit=1)

    def check_place(self, endpoint: str, baselines: int) -> None:
        """See that the peers can run where they are to run; this machine is always there.

        Args:
            endpoint: of the chain.
            baselines: how many run beside the seats.
        """

    def placed(self, *, deterministic: bool) -> dict[str, Any]:
        """The fields of `spec.FleetSpec` that say where the peers run, and how often a lost one is replaced.

        Args:
            deterministic: whether the run must go as its seed says, so that no peer may join it again.
        """
        return {"restarts": 0 if deterministic else RESTARTS, "compile": self.compile}

    def store_of_run(self, run_folder: Path) -> Address:
        """Where the objects of a run lie."""
        if not self.store:
            return parse(run_folder / STORE_FOLDER)
        return parse(self.store).below(run_folder.name)

    def _part_free_riders(self) -> None:
        """Check the words of `attackers`, and count the free riders among them where all are counted.

        Raises:
            ArgumentInvalid: no attacker is called so, a count is none, or free riders are counted twice over.
        """
        if not isinstance(self.attackers, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ArgumentInvalid(
                f'attackers is a number per word, {{"sign_flip": 2}}, not {self.attackers!r}.',
                hint="Give attackers={'sign_flip': 2}; the message about a wrong word lists all words.",
            )
        for word, count in self.attackers.items():
            if word not in ATTACKERS:
                raise ArgumentInvalid(refused(word), hint="Give attackers={'sign_flip': 1}, for instance.")
            _check_count(f"attackers[{word!r}]", count)
        riders = self.attackers.get("free_rider", self.free_riders)
        if self.free_riders not in (0, riders):
            raise ArgumentInvalid(
                f"free_riders={self.free_riders} and attackers count free riders differently.",
                hint="Give free_riders=, or attackers={'free_rider': …}, not both.",
            )
        object.__setattr__(self, "free_riders", riders)
        rest = {word: count for word, count in self.attackers.items() if word != "free_rider" and count}
        object.__setattr__(self, "attackers", rest)

    def _hostile(self, role: Role) -> list[Place]:
        """The attackers on seats of a role: free riders first, then in the order of the words given."""
        riders = [Place("free_rider")] * self.free_riders if role == "miner" else []
        return riders + [
            Place(role, word)
            for word, count in self.attackers.items()
            if ATTACKERS[word].role == role
            for _ in range(count)
        ]

    def places(self) -> list[Place]:
        """The seats that the fleet needs on the subnet: miners, honest ones first, then validators alike."""
        miners, validators = self._hostile("miner"), self._hostile("validator")
        honest_miners = [Place("miner")] * (self.miners - len(miners))
        honest_validators = [Place("validator")] * (self.validators - len(validators))
        return honest_miners + miners + honest_validators + validators

    def roles(self) -> list[Role]:
        """The roles of `places`."""
        return [place.role for place in self.places()]


def _check_count(name: str, value: object, what: str = "a number of peers") -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ArgumentInvalid(
            f"{name}={value!r} is not {what}.", hint="Give a whole number from 0 up, such as 2."
        )
