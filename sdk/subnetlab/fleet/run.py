"""One run from its folder to its last event: opens all that the supervisor needs, and closes it in order.

Once it has begun, the record ends with `RunEnded`, or with `RunInterrupted` where chain, store or peers were
taken away; a process that is killed writes neither. A run without its end is taken up by the next supervisor
of its folder: what is recorded stays, the round that was broken off is left and accounted for, and peers
replay what was published before they go on.
"""

import contextlib
import json
import logging
import os
import secrets
import signal
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from pathlib import Path
from types import FrameType
from typing import Final

from subnetlab.errors import FleetError, FleetStartFailed, NodeUnreachable, RecordError, SubnetLabError
from subnetlab.fleet.chore import ask
from subnetlab.fleet.clock import Clock, SealedClock, SealingMode, WatchedClock, as_mode
from subnetlab.fleet.control import ControlServer
from subnetlab.fleet.facts import Facts, read_facts
from subnetlab.fleet.launch import LOCK_FILE, READY_FD, SUPERVISOR_FILE, UP
from subnetlab.fleet.past import Past, read_past
from subnetlab.fleet.payroll import Payroll
from subnetlab.fleet.peer import run_peer, sentence
from subnetlab.fleet.peer_process import PeerProcess
from subnetlab.fleet.recount import recounting
from subnetlab.fleet.result import write_result
from subnetlab.fleet.spec import READER_URI, FleetSpec, PeerSeat, read_spec
from subnetlab.fleet.supervisor import Ending, Supervisor, chain_gone
from subnetlab.network.chain import Block
from subnetlab.network.peer_chain import PeerChain
from subnetlab.record.events import ALONE_UID, Event, RunEnded, RunInterrupted, RunStarted
from subnetlab.record.files import write_private
from subnetlab.record.line import FILE_NAME
from subnetlab.record.lock import take_lock
from subnetlab.record.writer import RecordWriter

log = logging.getLogger(__name__)

_CHAIN_LIMIT_S: Final = 30.0


def supervise(run_folder: Path, context: ForkServerContext, asked_at: float) -> int:
    """Run the run in a folder to its end; the exit status of the process.

    Args:
        run_folder: holds `manifest.json` and `fleet.json`.
        context: the running forkserver.
        asked_at: `time.monotonic()` when the fleet was asked for.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(message)s")
    # Until the run's own loop listens, SIGTERM unwinds what was opened.
    signal.signal(signal.SIGTERM, _unwind)
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(_sole_supervisor(run_folder))
            opened = held.enter_context(_opened(run_folder, context))
        except SubnetLabError as error:
            log.error("%s", error)  # noqa: TRY400 - the sentence says it all
            return 1
        _say_up()
        opened.follow(run_folder, context, asked_at)
    return 0


def _unwind(_number: int, _frame: FrameType | None) -> None:
    sys.exit(1)


@contextlib.contextmanager
def _sole_supervisor(run_folder: Path) -> Generator[None]:
    """Hold the run's lock as long as this process lives."""
    descriptor = os.open(run_folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not take_lock(descriptor):
            raise FleetStartFailed("Another supervisor of this run is alive.", hint="Attach to it.")
        yield
    finally:
        os.close(descriptor)


def _say_up() -> None:
    descriptor = os.environ.pop(READY_FD, "")
    if descriptor.isdigit():
        with contextlib.suppress(OSError):
            os.write(int(descriptor), UP)
            os.close(int(descriptor))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    """A run whose record has begun."""

    spec: FleetSpec
    facts: Facts
    record: RecordWriter
    clock: Clock
    supervisor: Supervisor
    began: float

    def follow(self, run_folder: Path, context: ForkServerContext, asked_at: float) -> None:
        """Start the peers, see the run through, keep its result, and end the record."""
        ending = Ending(status="failed", reason="The supervisor itself failed; its log says where.")
        try:
            self.supervisor.listen_to_signals()
            self.supervisor.leave_broken_round()
            peers = [
                PeerProcess(context, seat, run_peer, (str(run_folder), index), asked_at)
                for index, seat in enumerate(self.spec.seats)
            ]
            log.info("%d peers started after %.2f s", len(peers), time.monotonic() - asked_at)
            ending = self.supervisor.run(peers)
            ending = self._keep_result(run_folder, context, ending)
        except NodeUnreachable as error:
            ending = chain_gone(error)
        except RecordError as error:  # a full disk: the record still ends in its last whole line
            ending = Ending(status="interrupted", reason=sentence(error))
        except SubnetLabError as error:
            log.exception("The run failed.")
            ending = Ending(status="failed", reason=sentence(error))
        finally:
            self.clock.stop(paused=ending.status == "interrupted")
            log.info("The run is over: %s %s", ending.status, ending.reason)
            try:
                self.record.append(self._last_event(ending), durable=True)
            except RecordError:
                log.exception("How the run ended could not be recorded.")

    def _last_event(self, ending: Ending) -> Event:
        block = self.supervisor.head
        if ending.status == "interrupted":
            return RunInterrupted(reason=ending.reason, block=block)
        wall_s = round(time.monotonic() - self.began, 3)
        return RunEnded(status=ending.status, reason=ending.reason, block=block, wall_s=wall_s)

    def _keep_result(self, run_folder: Path, context: ForkServerContext, ending: Ending) -> Ending:
        closed = self.supervisor.last_closed
        if closed is None or ending.status == "interrupted":
            return ending
        try:
            made = ask(context, write_result, str(run_folder), closed.round, closed.val_loss)
        except FleetError as error:
            log.exception("The model could not be written.")
            if ending.status == "finished":
                return Ending(status="failed", reason=f"The model could not be written: {error}")
            return ending
        if made["theta_hash"] != closed.theta_hash:
            return Ending(status="failed", reason="The replayed model is not the one the lead reported.")
        return ending


@contextlib.contextmanager
def _opened(run_folder: Path, context: ForkServerContext) -> Generator[_Opened]:
    """Open record, socket and chain, and write the first event.

    Raises:
        FleetStartFailed: the run cannot begin; nothing was recorded, and the chain's clock runs as before.
    """
    began = time.monotonic()
    with contextlib.ExitStack() as held:
        spec = read_spec(run_folder)
        sys.path[:0] = spec.python_path  # peers inherit it, and with it the notebook's own modules
        record = held.enter_context(RecordWriter(run_folder / FILE_NAME))
        past = read_past(run_folder / FILE_NAME)
        if past.ended:
            raise FleetStartFailed("This run is over.", hint="Start a new one.")
        token = secrets.token_hex(16)
        control = held.enter_context(contextlib.closing(ControlServer(run_folder, token)))
        payroll = held.enter_context(contextlib.closing(Payroll(spec.endpoint, spec.netuid)))
        _check_chain(spec, past)
        clock = _clock(spec, run_folder)
        held.callback(clock.stop)
        head = clock.start()
        _write_supervisor_file(run_folder, token, clock.before if isinstance(clock, SealedClock) else None)
        payroll.begin(head, past.last_epoch or (past.started.block if past.started else None))
        facts = read_facts(context, run_folder)
        if past.started is None:
            _check_heights(facts, head)
            record.append(_first_event(spec, facts, head), durable=True)
        elif past.started.manifest_hash != facts.manifest_hash:
            raise FleetStartFailed("The manifest is not the one this run began with.", hint="Put it back.")
        supervisor = Supervisor(
            spec=spec,
            facts=facts,
            record=record,
            clock=clock,
            payroll=payroll,
            control=control,
            head=head,
            past=past,
            recount=recounting(context, run_folder),
        )
        yield _Opened(spec=spec, facts=facts, record=record, clock=clock, supervisor=supervisor, began=began)


def _check_chain(spec: FleetSpec, past: Past) -> None:
    """Whether a run that is taken up finds the chain it was on: another may answer at the same port."""
    known = past.last_block
    if known is None:
        return
    with contextlib.closing(PeerChain(spec.endpoint, spec.netuid, READER_URI)) as chain:
        head = chain.wait_for(0, _CHAIN_LIMIT_S).number
        if head < known.number or chain.block_hash(known.number) != known.hash:
            raise FleetStartFailed(
                f"The chain at {spec.endpoint} does not hold block {known.number} of this run.",
                hint="It is another chain, or was turned back. What is on record stays readable.",
            )


def _check_heights(facts: Facts, head: Block) -> None:
    if head.number >= facts.rounds.first_block:
        raise FleetStartFailed(
            f"Round 0 was due at block {facts.rounds.first_block}; the chain is at {head.number}.",
            hint="Start a new run.",
        )


def _clock(spec: FleetSpec, run_folder: Path) -> Clock:
    if spec.is_devnet:
        after = spec.sealing_after
        # A supervisor that was killed could not give the clock back, but it wrote down how it was found.
        return SealedClock(spec.endpoint, as_mode(_sealing_before(run_folder) if after is None else after))
    return WatchedClock(PeerChain(spec.endpoint, spec.netuid, READER_URI))


def _sealing_before(run_folder: Path) -> object:
    with contextlib.suppress(OSError, ValueError):
        known = json.loads((run_folder / SUPERVISOR_FILE).read_text(encoding="utf-8"))
        return known.get("sealing_before")
    return None


def _write_supervisor_file(run_folder: Path, token: str, sealing: SealingMode | None) -> None:
    path = run_folder / SUPERVISOR_FILE
    known = {"pid": os.getpid(), "started": time.time(), "token": token, "sealing_before": sealing}
    write_private(path, json.dumps(known) + "\n")


def _first_event(spec: FleetSpec, facts: Facts, head: Block) -> RunStarted:
    def entry(seat: PeerSeat) -> dict[str, object]:
        return {"uid": seat.uid, "hotkey": seat.hotkey, "role": seat.role}

    seats = sorted((*spec.seats, *spec.others), key=lambda seat: seat.uid)
    return RunStarted(
        run_id=facts.run_id,
        network=spec.network,
        netuid=spec.netuid,
        manifest_hash=facts.manifest_hash,
        manifest=facts.manifest,
        seats=[entry(seat) for seat in seats if seat.uid != ALONE_UID],
        block=head.number,
    )
