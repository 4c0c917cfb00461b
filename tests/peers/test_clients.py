"""A program of each client of others, as its own guide would write it, run unchanged against the node.

Each funds a new key, deploys a contract and calls it, stakes through 0x805, reads the metagraph through
0x802, and withdraws to a coldkey; what it says is compared with what the Substrate side says.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import bittensor
import pytest
from bittensor import evm
from bittensor.intents import FundEvmKey
from eth_account import Account
from tests.conformance.preset import ALICE, BOB, must, started_subnet
from tests.devnet_process import DevnetProcess
from tests.peers.place import JS, PROGRAMS, PYTHON
from tests.sdk.devnet.evm.contracts import BOX, box

RAO, TAO_WEI = 10**9, 10**18
COMMANDS = {
    "web3": [sys.executable, str(PROGRAMS / "with_web3.py")],
    "titanoboa": [str(PYTHON), str(PROGRAMS / "with_titanoboa.py")],
    "viem": ["node", "with_viem.js"],
    "ethers": ["node", "with_ethers.js"],
    "hardhat": [
        "node",
        "node_modules/.bin/hardhat",
        "run",
        "--no-compile",
        "--network",
        "devnet",
        "with_hardhat.cjs",
    ],
}


PAYER, SIGNER = (Account.from_key(bytes([number]) * 32) for number in (0x11, 0x33))


def task(node: DevnetProcess, netuid: int) -> dict[str, Any]:
    """What a program is told; the ABIs are the SDK's."""

    def precompile(name: str) -> dict[str, Any]:
        found = evm.get_precompile(name)
        return {"address": found.address, "abi": found.abi}

    return {
        "url": node.url, "chain_id": 42, "key": "0x" + PAYER.key.hex(), "netuid": netuid,
        "stake_rao": 10 * RAO, "hotkey": "0x" + bytes(ALICE.hotkey.public_key).hex(),
        "coldkey": "0x" + bytes(BOB.coldkey.public_key).hex(),
        "box": {"abi": box().abi, "bytecode": "0x" + box().code.hex()}, "source": BOX,
        "staking": precompile("staking-v2"), "metagraph": precompile("metagraph"),
        "mapping": precompile("address-mapping"), "transfer": precompile("balance-transfer"),
    }  # fmt: skip


def answer(name: str, folder: Path, told: dict[str, Any]) -> dict[str, Any]:
    """Run a program, which must succeed, and read its last line."""
    path = folder / "task.json"
    path.write_text(json.dumps(told))
    environment = {
        **os.environ, "TASK": str(path), "HOME": str(folder), "DEVNET_URL": told["url"],
        "DEVNET_KEYS": f"{told['key']},0x{SIGNER.key.hex()}", "HARDHAT_DISABLE_TELEMETRY_PROMPT": "true",
        "CI": "true",
    }  # fmt: skip
    done = subprocess.run(
        COMMANDS[name], cwd=JS, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", COMMANDS)
async def test_a_program_of_another_client_runs_unchanged(
    name: str, client: bittensor.Client, devnet: DevnetProcess, tmp_path: Path
) -> None:
    netuid = await started_subnet(client)
    await must(client, FundEvmKey(evm_address=PAYER.address, amount_tao=100), ALICE)
    before = (await client.balances.get(BOB.cold)).rao
    found = answer(name, tmp_path, task(devnet, netuid))
    assert int(found["funded"]) == 50 * TAO_WEI - 500 * 10**9
    assert (int(found["total"]), int(found["amount"]), int(found["past"])) == (7, 7, 1)
    assert found["who"].lower() == found["address"].lower()
    assert "nothing to put" in found["refused"]
    assert int(found["staked"]) > 0
    assert (int(found["uids"]), found["hotkey"]) == (1, "0x" + bytes(ALICE.hotkey.public_key).hex())
    assert int(found["left"]) == 0
    assert (await client.balances.get(BOB.cold)).rao - before == 3 * RAO
    mirror = evm.h160_to_ss58(found["address"])
    position = await client.staking.stake(coldkey_ss58=mirror, hotkey_ss58=ALICE.hot, netuid=netuid)
    assert position.rao == 0
    held = (await client.balances.get(mirror)).rao
    assert held > 46 * RAO  # stake bought and sold again brings what the pool pays by then
