"""Signed transfers of the Substrate half a second, all sent before the first answer is read."""

import asyncio
import json
from typing import Any

import aiohttp
from bittensor_core import Keypair

from subnetlab.devnet.node.node import Node
from tests.sdk.devnet.conftest import StillClock, recorded_codec
from tests.sdk.devnet.signing import Signer

BOB = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"


def transfers_a_second(endpoint: str, count: int) -> float:
    """Submit so many of Alice's transfers through one WebSocket of a node that seals each at once."""
    return asyncio.run(_rate(endpoint, count))


async def _rate(endpoint: str, count: int) -> float:
    async with aiohttp.ClientSession() as session, session.ws_connect(endpoint) as socket:
        (genesis,) = await _answers(socket, [("chain_getBlockHash", 0)])
        signer = Signer(Node(recorded_codec(), StillClock()), Keypair.create_from_uri("//Alice"))
        hashed = bytes.fromhex(genesis[2:])
        sent = [signer.transfer(BOB, 10**6, nonce=nonce, genesis_hash=hashed) for nonce in range(count)]
        asked = [("author_submitExtrinsic", "0x" + one.hex()) for one in sent]
        loop = asyncio.get_running_loop()
        start = loop.time()
        await _answers(socket, asked)
        return count / (loop.time() - start)


async def _answers(socket: aiohttp.ClientWebSocketResponse, asked: list[tuple[str, Any]]) -> list[Any]:
    for number, (method, parameter) in enumerate(asked):
        request = {"jsonrpc": "2.0", "id": number, "method": method, "params": [parameter]}
        await socket.send_str(json.dumps(request))
    answers = [json.loads(await socket.receive_str()) for _ in asked]
    if any("result" not in one for one in answers):
        raise RuntimeError(str(next(one for one in answers if "result" not in one)))
    return [one["result"] for one in answers]
