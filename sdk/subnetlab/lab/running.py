"""What can be done to a run that goes on: stop it, kill or pause its peers, let others join.

Every verb is a word to the run's supervisor, which puts what follows on record; a word that makes no sense is
refused in a sentence and changes nothing.
"""

import contextlib
import threading
from abc import abstractmethod
from collections.abc import Collection, Generator, Iterable
from dataclasses import asdict
from operator import index
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, cast

from subnetlab.errors import (
    ArgumentInvalid,
    FleetError,
    NotYetSupported,
    RunNotFinished,
    RunOver,
    UnknownUid,
)
from subnetlab.fleet.cells import FleetResult, OnOutput
from subnetlab.fleet.launch import ask, is_running, request_stop
from subnetlab.fleet.local import Place
from subnetlab.fleet.spec import read_spec
from subnetlab.lab import arguments
from subnetlab.record.view import RunView
from subnetlab.signatures import known_arguments
from subnetlab.text import kind_of
from subnetlab.train.attackers import ATTACKERS, refused
from subnetlab.waiting import waiting

if TYPE_CHECKING:
    from subnetlab.lab.session import Net
    from subnetlab.network.client import NetworkClient

STOP_LIMIT_S: Final = 60.0
"""How long `run.stop()` waits for the end unless told otherwise."""
_LOOK_AGAIN_S = 0.1
_MOST_JOIN = 64
_SEATS_A_REQUEST = 8


class Running:
    """The verbs of a run that goes on."""

    folder: Path
    id: str
    net: "Net | None"

    @property
    @abstractmethod
    def ended(self) -> bool:
        """Whether nothing more will come."""

    @property
    @abstractmethod
    def view(self) -> RunView:
        """Everything the record says up to now."""

    def stop(self, timeout: float = STOP_LIMIT_S) -> None:
        """End the run now, and wait until its record says that it is over.

        What the closed rounds trained stays.

        Args:
            timeout: the most seconds to wait; 0 asks the supervisor to end the run and returns at once.

        Raises:
            RunNotFinished: it was asked to end, and goes on after `timeout` seconds.
            FleetError: the supervisor does not answer.
            ArgumentInvalid: `timeout` is no number of seconds.
        """
        limit_s = arguments.seconds("timeout", timeout)
        deadline, pause = monotonic() + limit_s, threading.Event()
        if self.ended:
            return
        request_stop(self.folder)
        with waiting("the run to end"):
            # The record's last line is written before the supervisor lets go of the run.
            while is_running(self.folder) and monotonic() < deadline:
                pause.wait(_LOOK_AGAIN_S)
        if limit_s and not self.ended:
            raise RunNotFinished(
                f"Run {self.id} was asked to end, and has not within {limit_s:g} s.",
                hint="Its model is written last; run.wait() waits for the end, however long that takes.",
            )

    def kill(self, uid: int, *, restart: bool = False) -> None:
        """End a peer's process at once (SIGKILL), in the middle of whatever it does.

        Args:
            uid: of a miner or validator of this run.
            restart: start it again; it joins from the next round that opens, as a late one does.

        Raises:
            RunOver: the run does not go on.
            UnknownUid: no peer of the run holds the uid.
            ControlRefused: its process has ended already, or the run must go as its seed says.
        """
        self._ask("kill", {"uid": self._known_uid(uid), "restart": arguments.flag("restart", restart)})

    def pause(self, uid: int, seconds: float) -> None:
        """Stop a peer's process (SIGSTOP) for so many seconds, as a machine that hangs.

        The round waits for it as long as `LocalFleet(phase_limit_s=)` says; then it is late and is missed.

        Args:
            uid: of a miner or validator of this run.
            seconds: more than 0, at most 3600.

        Raises:
            RunOver: the run does not go on.
            UnknownUid: no peer of the run holds the uid.
            ControlRefused: it is not up, the time makes no sense, or the run must go as its seed says.
        """
        wanted = arguments.seconds("seconds", seconds)
        self._ask("pause", {"uid": self._known_uid(uid), "seconds": wanted})

    @known_arguments("run.join")
    def join(self, n: int = 1, *, attacker: str = "") -> tuple[int, ...]:
        """Register and start new miners, which take part from the next round that opens.

        Args:
            n: how many, at most 64.
            attacker: how they attack, a word of `LocalFleet(attackers=)`; honest unless given.

        Returns:
            Their uids.

        Raises:
            RunOver: the run does not go on, or no round opens any more; nothing was registered.
            ArgumentInvalid: `n` or the word makes no sense; nothing was registered.
            ChainRejected: the chain refused a seat.
            ControlRefused: the last round opened meanwhile, or the run must go as its seed says.
        """
        n = arguments.count("n", n, least=1, most=_MOST_JOIN)
        attacker = arguments.a_word("attacker", attacker, '"sign_flip"')
        if attacker and (attacker not in ATTACKERS or ATTACKERS[attacker].role != "miner"):
            raise ArgumentInvalid(refused(attacker), hint="Only miners can join.")
        where = self._ask("may_join", {})
        if where["round"] >= where["rounds"] - 1:
            raise RunOver(
                "The last round is open: no round that could be joined follows.", hint="Start a new run."
            )
        from subnetlab.lab.peer_registration import register_more  # noqa: PLC0415  (the SDK, where it is needed)

        role = "free_rider" if attacker == "free_rider" else "miner"
        places = [Place(role, "" if role == "free_rider" else attacker)] * n
        with self._client() as client:
            seats = register_more(client, read_spec(self.folder), places)
        for i in range(0, n, _SEATS_A_REQUEST):
            self._ask("join", {"seats": [asdict(seat) for seat in seats[i : i + _SEATS_A_REQUEST]]})
        return tuple(seat.uid for seat in seats)

    def execute(
        self,
        code: str,
        targets: int | Iterable[int] | None = None,
        *,
        block: bool = True,
        on_output: OnOutput | None = None,
    ) -> FleetResult:
        """Run a cell in the processes of miners; what `%%fleet` does.

        A cell runs in a thread beside the training, and its names stay for later cells. It sees `uid`,
        `miner` (in a validator `validator`; in both `peer`), `model` (the torch module as it is trained just
        now), `theta` (the flat parameters that all peers agreed on last; read these for a settled state),
        `round_number` (counted from 1), `manifest` and `torch`. What a cell only reads leaves what the run
        trains as it is, bit for bit, also where the run is deterministic. A cell that changes the model, or
        draws from torch's, numpy's or Python's own random numbers, changes the run, and the record does not
        say so.

        Args:
            code: Python source; it goes through the run's control socket, which is this user's alone.
            targets: uids, validators' too; every miner that is up unless given.
            block: wait for the end; an interrupt then breaks the cell off on every peer.
            on_output: takes what peers print while it is waited for: uid, stream, text.

        Raises:
            RunOver: the run does not go on.
            UnknownUid: no peer of the run holds a uid.
            CellFailed: it failed on a peer, and was waited for.
            KeyboardInterrupt: it was interrupted, and was waited for.
        """
        found = self.send_cell(code, targets, on_output=on_output)
        if not arguments.flag("block", block):
            found.read_in_background()
            return found
        found.see_through()
        found.raise_for_errors()
        return found

    def send_cell(
        self, code: str, targets: int | Iterable[int] | None = None, *, on_output: OnOutput | None = None
    ) -> FleetResult:
        """Send a cell as `execute` does, and leave it to the caller to wait for it and to read what comes."""
        code, uids = arguments.a_word("code", code, '"uid"'), self._cell_targets(targets)
        return FleetResult(self.folder, code, uids, on_output=on_output)

    def _cell_targets(self, targets: int | Iterable[int] | None) -> list[int]:
        up = {peer["uid"]: peer for peer in self._ask("status", {})["peers"] if peer["uid"] >= 0}
        if targets is None:
            found = [
                uid for uid, peer in up.items() if peer["role"] != "validator" and peer["state"] == "live"
            ]
        else:
            asked = list(targets) if isinstance(targets, Iterable) else [targets]
            found = list(dict.fromkeys(self._known_uid(uid, up) for uid in asked))
        if not found:
            raise FleetError("No miner of the run is up yet.", hint="Wait for the first round.")
        return sorted(found)

    def _known_uid(self, uid: object, known: Collection[int] | None = None) -> int:
        """A uid as Python's own number, that of a peer unless others are `known` too; errors as `kill`."""
        known = self.view.peers if known is None else known
        try:
            found = None if isinstance(uid, bool) else index(cast("Any", uid))
        except TypeError:
            found = None
        if found is None or found not in known:
            uids = ", ".join(map(str, known)) or "none yet"
            shown = repr(uid) if isinstance(uid, int | float | str) else kind_of(uid)
            raise UnknownUid(f"No peer of this run holds uid {shown[:60]}.", hint=f"The run's uids: {uids}.")
        return found

    def _ask(self, verb: str, asked: dict[str, Any]) -> dict[str, Any]:
        answer = {} if self.ended else ask(self.folder, verb, asked)
        if not answer:
            raise RunOver(
                f"Run {self.id} does not go on.", hint="Start a new run, or sl.attach one that was left."
            )
        return answer

    @contextlib.contextmanager
    def _client(self) -> "Generator[NetworkClient]":
        """The client of the run's chain: that of its network here, or one for this verb alone."""
        from subnetlab.lab.payments import network_client  # noqa: PLC0415  (the SDK, where it is needed)
        from subnetlab.network.client import NetworkClient  # noqa: PLC0415

        if self.net is not None and not self.net.closed:
            yield network_client(self.net)
            return
        spec = read_spec(self.folder)
        if not spec.is_devnet:
            raise NotYetSupported(
                f"Joining a run on {spec.network} has not landed yet.",
                hint="Join a run on a devnet, or as strangers do: subnetlab miner --netuid N.",
            )
        with contextlib.closing(NetworkClient(spec.endpoint, name=spec.network)) as client:
            yield client
