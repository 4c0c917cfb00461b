"""Another user of the same machine reaches the port of a node, and may do there what any stranger may."""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.devnet_process import DevnetProcess, running_devnet

from subnetlab.settings import dev_token_file

NOBODY = 65534

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")


def as_nobody(act: Callable[[], Any]) -> Any:
    """What a function returns, as JSON, in a process of the user nobody."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            os.write(writing, json.dumps(act()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return json.loads(said)


def asked(node: DevnetProcess, method: str, *params: Any) -> Any:
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
    with urllib.request.urlopen(  # the opener of another process would ask a proxy
        urllib.request.Request(node.url, json.dumps(request).encode(), {"Content-Type": "application/json"}),
        timeout=300,
    ) as answer:
        return json.loads(answer.read())


def test_it_reads_the_chain_and_finds_no_way_to_its_owners_methods(tmp_path: Path) -> None:
    with running_devnet(tmp_path, "--manual", "--state", str(tmp_path / "chain")) as node:
        victim = tmp_path / "victim"
        victim.write_text("mine")
        victim.chmod(0o600)

        def act() -> dict[str, Any]:
            found: dict[str, Any] = {"uid": os.geteuid(), "chain": asked(node, "system_chain")["result"]}
            for method, parameter in (
                ("dev_faucet", "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"),
                ("dev_save", str(victim)),
                ("dev_load", "/dev/zero"),
                ("dev_setStorage", "0x00"),
                ("dev_info", None),
                ("dev_shutdown", None),
            ):
                found[method] = asked(node, method, *([parameter] if parameter else []))["error"]["message"]
            try:
                dev_token_file(node.port).read_text()
            except OSError as error:
                found["token"] = type(error).__name__
            return found

        found = as_nobody(act)
        assert found.pop("uid") == NOBODY
        assert found.pop("chain") == "Development"
        assert found.pop("token") == "PermissionError"
        assert set(found.values()) == {"RPC call is unsafe to be called externally"}
        assert len(found) == 6
        assert victim.read_text() == "mine"
        assert node.rpc("dev_info")["head"]["number"] == 1
