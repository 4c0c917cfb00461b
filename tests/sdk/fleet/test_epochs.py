"""What an epoch paid, read from a node that may stand still meanwhile."""

import contextlib
import signal
from pathlib import Path

import pytest
from tests.devnet_process import running_devnet

from subnetlab.errors import NodeUnreachable
from subnetlab.fleet.supervisor.epochs import EpochWatcher
from subnetlab.network.client import NetworkClient


def test_a_node_that_stands_still_is_given_up_and_its_epoch_is_news_afterwards(tmp_path: Path) -> None:
    with (
        running_devnet(tmp_path, "--manual") as node,
        contextlib.closing(NetworkClient(node.endpoint)) as client,
    ):
        watcher = EpochWatcher(node.endpoint, 1, {}, answer_s=0.5)
        with contextlib.closing(watcher):
            watcher.begin(client.head())
            node.seal(101)  # subnet 1 has a tempo of 100 blocks
            head = client.head()
            node.process.send_signal(signal.SIGSTOP)
            try:
                for ask in (lambda: watcher.paid_by(head), lambda: watcher.begin(head)):
                    with pytest.raises(NodeUnreachable, match=f"{node.endpoint} did not answer"):
                        ask()
            finally:
                node.process.send_signal(signal.SIGCONT)
            (paid,) = watcher.paid_by(head)
            assert 0 < paid.block <= head.number
            assert watcher.paid_by(head) == []
