"""A thread of each forked process: it ends the process with its supervisor, and tells how much it worked.

Started by every peer (`worker.life`) and by the fork server's calls (`fork_launcher`).
"""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from typing import Final

_ORPHANED: Final = 3
"""Exit status of a process whose supervisor is gone."""
_TELL_EVERY_S: Final = 1.0


def watch_supervisor(tell: Callable[[float], None], until: threading.Event) -> None:
    """Start the thread.

    Args:
        tell: takes the processor time used so far, in seconds, once a second.
        until: set once telling is over; the end of the supervisor is awaited for ever.
    """
    threading.Thread(target=_watch, args=(tell, until), name="supervisor watch", daemon=True).start()


def _watch(tell: Callable[[float], None], until: threading.Event) -> None:
    supervisor = multiprocessing.parent_process()
    if supervisor is None:
        return
    while not until.is_set():
        supervisor.join(_TELL_EVERY_S)
        if not supervisor.is_alive():
            break
        if not until.is_set():
            tell(time.process_time())
    supervisor.join()
    os._exit(_ORPHANED)
