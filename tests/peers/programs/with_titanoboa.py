"""titanoboa in network mode, as its guide uses it: compile, deploy, call, events, contracts by their ABI."""

import json
import os
import warnings
from pathlib import Path

import boa
from boa import NetworkEnv
from boa.rpc import EthereumRPC
from eth_account import Account

warnings.filterwarnings("ignore")  # the chain has no debug_ methods, and titanoboa says so at each call
task = json.loads(Path(os.environ["TASK"]).read_text())
payer, account = Account.from_key(task["key"]), Account.create()
TAO = 10**18


def at(what):
    abi = json.dumps(what["abi"])
    return boa.loads_abi(abi, name="Precompile").at(what["address"])


with boa.set_env(NetworkEnv(EthereumRPC(task["url"]))) as env:
    # fund
    env.add_account(payer, force_eoa=True)
    env.add_account(account)
    with env.prank(payer.address):
        env.execute_code(account.address, value=50 * TAO)
    funded = env.get_balance(account.address)
    env.set_eoa(account)

    # deploy and call
    box = boa.loads(task["source"])
    box.put(7, value=TAO)
    (event,) = box.get_logs()
    refused = ""
    try:
        box.put(0)
    except Exception as error:  # noqa: BLE001  (titanoboa raises what it made of the node's words)
        refused = f"{error} {error.__cause__} {error.__context__}"

    # stake through 0x805, read the metagraph through 0x802
    coldkey = at(task["mapping"]).addressMapping(account.address)
    staking, metagraph = at(task["staking"]), at(task["metagraph"])
    staking.addStake(bytes.fromhex(task["hotkey"][2:]), task["stake_rao"], task["netuid"])
    staked = staking.getStake(bytes.fromhex(task["hotkey"][2:]), coldkey, task["netuid"])
    uids = metagraph.getUidCount(task["netuid"])
    hotkey = "0x" + metagraph.getHotkey(task["netuid"], 0).hex()

    # withdraw
    box.send_all(account.address)
    staking.removeStakeFull(bytes.fromhex(task["hotkey"][2:]), task["netuid"])
    at(task["transfer"]).transfer(bytes.fromhex(task["coldkey"][2:]), value=3 * TAO)
    found = {
        "address": account.address, "funded": funded, "total": box.total(), "who": event.who,
        "amount": event.amount, "past": 1, "refused": refused, "staked": staked, "uids": uids,
        "hotkey": hotkey, "left": env.get_balance(box.address),
    }  # fmt: skip
print(json.dumps(found))
