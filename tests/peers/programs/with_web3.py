"""web3.py, as its guide uses it: signing middleware, contracts, events, a call that reverts."""

import json
import os
from pathlib import Path

from eth_account import Account
from web3 import Web3
from web3.exceptions import Web3Exception
from web3.middleware import SignAndSendRawMiddlewareBuilder

task = json.loads(Path(os.environ["TASK"]).read_text())
w3 = Web3(Web3.HTTPProvider(task["url"]))
payer, account = Account.from_key(task["key"]), Account.create()
w3.middleware_onion.inject(SignAndSendRawMiddlewareBuilder.build([payer, account]), layer=0)
w3.eth.default_account = account.address


def at(what):
    return w3.eth.contract(w3.to_checksum_address(what["address"]), abi=what["abi"]).functions


def mined(sent):
    receipt = w3.eth.wait_for_transaction_receipt(sent, poll_latency=0.05)
    assert receipt["status"] == 1, receipt
    return receipt


# fund
mined(
    w3.eth.send_transaction({"from": payer.address, "to": account.address, "value": w3.to_wei(50, "ether")})
)
funded = w3.eth.get_balance(account.address)

# deploy and call
deployed = mined(w3.eth.contract(**task["box"]).constructor().transact())
box = w3.eth.contract(deployed["contractAddress"], abi=task["box"]["abi"])
put = mined(box.functions.put(7).transact({"value": w3.to_wei(1, "ether")}))
(event,) = box.events.Put().process_receipt(put)
past = box.events.Put().get_logs(from_block=0)
refused = ""
try:
    box.functions.put(0).call()
except Web3Exception as error:
    refused = str(error)

# stake through 0x805, read the metagraph through 0x802
coldkey = at(task["mapping"]).addressMapping(account.address).call()
staking = at(task["staking"])
mined(staking.addStake(task["hotkey"], task["stake_rao"], task["netuid"]).transact())
staked = staking.getStake(task["hotkey"], coldkey, task["netuid"]).call()
uids = at(task["metagraph"]).getUidCount(task["netuid"]).call()
hotkey = at(task["metagraph"]).getHotkey(task["netuid"], 0).call()

# withdraw
mined(box.functions.send_all(account.address).transact())
mined(staking.removeStakeFull(task["hotkey"], task["netuid"]).transact())
mined(at(task["transfer"]).transfer(task["coldkey"]).transact({"value": w3.to_wei(3, "ether")}))
found = {
    "address": account.address, "funded": funded, "total": box.functions.total().call(),
    "who": event["args"]["who"], "amount": event["args"]["amount"], "past": len(past), "refused": refused,
    "staked": staked, "uids": uids, "hotkey": w3.to_hex(hotkey), "left": w3.eth.get_balance(box.address),
}  # fmt: skip
print(json.dumps(found))
