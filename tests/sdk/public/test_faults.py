"""What befalls participants of a public run costs them rounds, and the run ends all the same and verifies.

Processes, an S3 server and a node are stopped and killed for good; blocks wait for those alone that can work.
"""

import random
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.sdk.store.s3_server import s3_server

from subnetlab.network.wallets import dev_wallet
from subnetlab.public.peer import peer_folder
from subnetlab.record.events import RoundClosed
from subnetlab.record.line import FILE_NAME
from subnetlab.record.reader import Tail, verify
from subnetlab.train.manifest import Manifest

from .stage import LIMIT_S, Command, OpenSubnet, open_subnet

STOP_S = 6.0


def begun(subnet: OpenSubnet, rounds: int, **stores: Sequence[str]) -> tuple[Manifest, dict[str, Command]]:
    """A published run and its peers, ready; `stores` holds options of single ones."""
    manifest = subnet.published("--checkpoint-every", "3", rounds=rounds)
    names = {"m1": "miner", "m2": "miner", "v1": "validator", "v2": "validator"}
    peers = {name: subnet.peer(role, f"bob/{name}", *stores.get(name, ())) for name, role in names.items()}
    for peer in peers.values():
        peer.event("peer_ready")
    return manifest, peers


def registered(subnet: OpenSubnet) -> None:
    for wallet in ("bob/m1", "bob/m2"):
        subnet.register(wallet)
    for wallet, stake_tao in (("bob/v1", 300), ("bob/v2", 200)):
        subnet.register(wallet, stake_tao=stake_tao)


def check_end(subnet: OpenSubnet, manifest: Manifest, peers: dict[str, Command], rounds: int) -> None:
    """Those who stayed have one model, each record is whole and tells a round once, and nothing is wrong."""
    ended = {name: peer.ended(2 * LIMIT_S) for name, peer in peers.items()}
    assert ended == dict.fromkeys(peers, 0)
    assert len({peer.event("note", rounds=rounds)["theta"] for peer in peers.values()}) == 1
    for name, peer in peers.items():
        folder = peer_folder(manifest.hash, dev_wallet(f"bob/{name}").hotkey.ss58_address)
        record = peer.log.parent / "peers" / folder.name / FILE_NAME
        assert verify(record).torn_bytes == 0
        closed = [e.event.round for e in Tail(record).entries() if isinstance(e.event, RoundClosed)]
        assert len(closed) == len(set(closed))
    words = ["verify", str(subnet.netuid), "--endpoint", subnet.node.endpoint, "--replay", "0.2"]
    done = subprocess.run(
        [sys.executable, "-m", "subnetlab", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    print(done.stdout, done.stderr)
    assert done.returncode != 1
    assert f"{rounds}" in done.stdout


@pytest.mark.long
@pytest.mark.timeout(1500)
def test_a_lead_and_its_store_lost_for_good_and_a_miner_and_a_node_stopped_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = 8
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "anyone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "anything")
    with open_subnet(tmp_path) as subnet, ExitStack() as servers:
        server = servers.enter_context(s3_server())
        registered(subnet)
        with subnet.clock as clock:
            clock.reach(clock.height + 12)
            manifest, peers = begun(subnet, rounds, v1=("--store", server.address("lead")))
            clock.until = manifest.heights(2).open - 1
            peers["m1"].event("phase", round=1, name="synced")
            stopped = peers["m1"]
            stopped.waited_for = False
            stopped.process.send_signal(signal.SIGSTOP)
            clock.until = manifest.heights(3).open - 1
            peers["v2"].event("phase", round=2, name="synced")
            stopped.process.send_signal(signal.SIGCONT)
            stopped.event("phase", round=2, name="synced")
            stopped.waited_for = True
            subnet.node.process.send_signal(signal.SIGSTOP)
            clock.pause(STOP_S)
            subnet.node.process.send_signal(signal.SIGCONT)
            clock.until = manifest.heights(4).open - 1
            peers["v2"].event("phase", round=3, name="synced")
            lead = peers.pop("v1")
            lead.waited_for = False
            servers.close()  # what the lead published is gone, and it writes no more
            clock.until = manifest.heights(5).open - 1
            peers["v2"].event("phase", round=4, name="synced")
            lead.process.send_signal(signal.SIGKILL)
            clock.until = manifest.heights(6).open - 1
            peers["v2"].event("phase", round=5, name="synced")
            joined = subnet.peer("miner", "bob/m2", home="bob-m2")
            peers["m2"].process.send_signal(signal.SIGKILL)
            assert "takes part in run" in joined.until(lambda line: "failed" in line, "refusal")["text"]
            peers["m2"].ended()
            peers["m2"] = subnet.peer("miner", "bob/m2")
            peers["m2"].event("peer_ready")
            clock.until = manifest.heights(rounds - 1).next_open + 9
            check_end(subnet, manifest, peers, rounds)


def killed_at_random(folder: Path, kills: int) -> None:
    """Miners and the second validator, killed and started again all through a run."""
    draw, rounds = random.Random(kills), kills + 4
    with open_subnet(folder) as subnet:
        registered(subnet)
        with subnet.clock as clock:
            clock.reach(clock.height + 12)
            manifest, peers = begun(subnet, rounds)
            for round_ in range(kills):
                clock.until = manifest.heights(round_ + 1).open - 1
                name = draw.choice(["m1", "m2", "v2"])
                phase = draw.choice(["ready"] if name == "v2" else ["committed", "revealed"])
                peers[name].event("phase", round=round_, name=phase)
                peers[name].process.send_signal(signal.SIGKILL)
                peers[name].ended()
                peers[name] = subnet.peer("validator" if name == "v2" else "miner", f"bob/{name}")
                peers[name].event("peer_ready")
            clock.until = manifest.heights(rounds - 1).next_open + 9
            check_end(subnet, manifest, peers, rounds)


@pytest.mark.long
@pytest.mark.timeout(1500)
def test_twenty_random_kills_of_strangers(tmp_path: Path) -> None:
    killed_at_random(tmp_path, 20)
