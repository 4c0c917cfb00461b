"""A peer away from its supervisor's machine: manifest, fleet and key come by a call, data by the store.

The same roles as in a fork; only how the process begins and ends differs. What lies in the peer's folder
holds no key. Nothing here knows who calls it.
"""

import contextlib
import secrets
import shutil
import threading
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from subnetlab.fleet.launcher import Answer
from subnetlab.fleet.messages import PeerStopped, farewell_after
from subnetlab.fleet.run_folder import DATA_FOLDER
from subnetlab.fleet.spec import FLEET_FILE, read_spec
from subnetlab.fleet.worker.life import Reporter, be_nice
from subnetlab.fleet.worker.manifest_file import read_manifest
from subnetlab.fleet.worker.role import Given, live, open_data
from subnetlab.fleet.worker.run_store import seen_by
from subnetlab.network.wallets import dev_keypair
from subnetlab.record.events import Scored, from_json
from subnetlab.record.files import make_private, write_private
from subnetlab.record.lock import locked
from subnetlab.settings import home
from subnetlab.store.objects import open_store
from subnetlab.train.data.corpus import Corpus
from subnetlab.train.data.published import fetch, publish
from subnetlab.train.manifest import Manifest

_TELL_EVERY_S = 1.0


def publish_data(run_folder: str) -> Answer:
    """Put a run's data into its store, shard by shard, for peers on other machines.

    Raises:
        StoreUnreachable: not everything was written.
    """
    folder = Path(run_folder)
    corpus = open_data(folder)
    if corpus is not None:
        publish(corpus, open_store(read_spec(folder).store))
    return {}


class RemotePeer:
    """One peer in a thread of this process.

    Args:
        work: `uid`; `node`, where this is; `files`, the run's by name, and `fleet`, texts; `data_in_store`;
            `scored`, the own verdicts of a validator that is started again; `waited_s`, seconds since the
            fleet was asked for.
        key: the URI of the peer's hotkey.
        pipe: the writing end of what its supervisor hears.
    """

    def __init__(self, work: Mapping[str, Any], key: str, pipe: Connection) -> None:
        self._work, self._key = work, key
        self._asked_at = time.monotonic() - work["waited_s"]
        self._report = Reporter(pipe)
        self._ended, self._stopped = threading.Event(), threading.Event()
        self._folder = make_private(home() / "cluster" / f"{work['uid']}-{secrets.token_hex(4)}")
        for name, text in work["files"].items():
            write_private(self._folder / name, text)
        self.take_spec(work["fleet"])

    def run(self) -> None:
        """Take part to the end of the run; how it ended is said on the pipe."""
        threading.Thread(target=self._tell, name="working", daemon=True).start()
        be_nice()
        with _LastWords(self._report, self._stopped):
            try:
                self._live()
            finally:
                self._ended.set()
                shutil.rmtree(self._folder, ignore_errors=True)

    def _live(self) -> None:
        manifest = read_manifest(self._folder)
        events = [from_json(event) for event in self._work["scored"]]
        given = Given(
            key=dev_keypair(self._key) if self._key else None,
            corpus=self._data(manifest)
            if isinstance(manifest, Manifest) and self._work["data_in_store"]
            else None,
            node=self._work["node"],
            scored=[event for event in events if isinstance(event, Scored)],
        )
        live(self._folder, self._work["uid"], self._report, self._asked_at, given)

    def _data(self, manifest: Manifest) -> Corpus:
        """The run's data on this node, brought from the store by the first peer that needs it."""
        folder = home() / DATA_FOLDER / f"run-{manifest.data.root[:32]}"
        with locked(folder.with_suffix(".lock")):
            return fetch(manifest.data, seen_by(read_spec(self._folder)), folder)

    def _tell(self) -> None:
        while not self._report.is_up.wait(_TELL_EVERY_S) and not self._ended.is_set():
            self._report.working(time.process_time())

    def stop(self) -> None:
        """Say that the peer was told to stop, and hang up; its thread ends with the process."""
        self._stopped.set()
        self._report.farewell(farewell_after(PeerStopped()))

    def take_spec(self, text: str) -> None:
        """Take the fleet as it is now."""
        write_private(self._folder / FLEET_FILE, text)


class _LastWords(contextlib.AbstractContextManager["_LastWords"]):
    """Says on the pipe how the work ended; the traceback goes to the process's own error stream."""

    def __init__(self, report: Reporter, stopped: threading.Event) -> None:
        self._report, self._stopped = report, stopped

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        self._report.is_up.set()
        self._report.farewell(farewell_after(error))
        return self._stopped.is_set()  # it has nobody to report to any more
