"""One thread that tells open pages that the kernel lives, whatever its cells are doing.

A page that hears nothing for a while says so and disables what it could not carry out. Widgets join when a
page shows them and leave when they are closed; the thread ends with the last of them.
"""

import threading
from collections.abc import Callable

EVERY_S = 2.0


class Heartbeat:
    """Calls every member about every two seconds, from one daemon thread."""

    def __init__(self, every_s: float = EVERY_S) -> None:
        """Begin without members and without a thread."""
        self._every_s = every_s
        self._lock = threading.Lock()
        self._members: dict[int, Callable[[], None]] = {}
        self._woken = threading.Event()
        self._running = False

    def join(self, key: int, beat: Callable[[], None]) -> None:
        """Call `beat` from now on; joining twice under one key changes nothing."""
        with self._lock:
            self._members[key] = beat
            if self._running:
                return
            self._running = True
        threading.Thread(target=self._run, name="subnetlab-heartbeat", daemon=True).start()

    def leave(self, key: int) -> None:
        """Call it no more."""
        with self._lock:
            self._members.pop(key, None)
        self._woken.set()

    def _run(self) -> None:
        while True:
            self._woken.wait(self._every_s)
            self._woken.clear()
            if not self._beat():
                return

    def _beat(self) -> bool:
        """Call every member once; False, and the thread is over, where there is none.

        A function of its own, so that the waiting thread refers to no member that has left.
        """
        with self._lock:
            members = list(self._members.values())
            self._running = bool(members)
        for beat in members:
            beat()
        return bool(members)


HEARTBEAT = Heartbeat()
"""One kernel, one heartbeat."""
