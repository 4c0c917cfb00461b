"""How a notebook's verbs seal blocks of a development chain: each takes the chain's pacer lock first.

A verb seals a few blocks and lets the chain go on as before; the start of a run leaves time stopped and hands
the lock to the run's supervisor. While a run paces the chain every verb is refused before it does anything.
"""

import contextlib
import threading
from collections.abc import Generator

from subnetlab.fleet.chain_clock import SealingMode, as_mode
from subnetlab.fleet.pacer_lock import PacerLock
from subnetlab.network.dev import DevControls


class Sealing:
    """The sealing of one development chain, shared by all threads of a notebook.

    Args:
        controls: of the chain's node.
    """

    def __init__(self, controls: DevControls) -> None:
        self._controls = controls
        self._lock = PacerLock(controls.endpoint)
        self._one_verb = threading.RLock()

    @contextlib.contextmanager
    def held(self, verb: str) -> Generator[None]:
        """Keep everybody else from sealing inside; a verb may call another one.

        Raises:
            ChainPaced: a run paces the chain.
        """
        with self._one_verb:
            outermost = not self._lock.held
            self._lock.take(verb=verb)
            try:
                yield
            finally:
                if outermost:
                    self._lock.release()

    @contextlib.contextmanager
    def per_extrinsic(self, verb: str) -> Generator[None]:
        """Seal a block per extrinsic inside, as before afterwards; errors as `held`."""
        with self.held(verb):
            before = self._mode()
            self._controls.set_sealing("instant")
            try:
                yield
            finally:
                self._controls.set_sealing(before)

    @contextlib.contextmanager
    def for_run(self, run: str) -> Generator[tuple[PacerLock, SealingMode]]:
        """Seal per extrinsic inside, then leave time stopped and the lock to the run's supervisor.

        Yields the lock, to be handed over, and how blocks were sealed before; an error inside brings that
        back.

        Raises:
            ChainPaced: another run paces the chain.
        """
        with self._one_verb:
            lock = PacerLock(self._controls.endpoint)
            lock.take(run=run)
            try:
                before = self._mode()
                self._controls.set_sealing("instant")
                try:
                    yield lock, before
                except BaseException:
                    self._controls.set_sealing(before)
                    raise
            finally:
                lock.release()

    def _mode(self) -> SealingMode:
        return as_mode(self._controls.info()["sealing"]) or "instant"
