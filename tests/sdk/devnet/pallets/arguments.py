"""Arguments for any call, made from the metadata's own types: ordinary values, and the edges of each type."""

from random import Random
from typing import Any

from tests.sdk.devnet.pallets.stage import ALICE, BOB, CHARLIE, OWNER_HOTKEY, TAO, key, recorded_codec

ACCOUNTS = (ALICE, BOB, CHARLIE, OWNER_HOTKEY, key("//miner"), key("//stranger"))
INTEGERS = {
    "u8": 8,
    "u16": 16,
    "u32": 32,
    "u64": 64,
    "u128": 128,
    "i16": 16,
    "i32": 32,
    "i64": 64,
    "i128": 128,
}
SMALL = (0, 1, 2, 3, 7, 65_535)
AMOUNTS = (500, 2_000_000, TAO, 30 * TAO, 10**15)


def integer(kind: str, random: Random) -> int:
    bits = INTEGERS[kind]
    top = 2 ** (bits - kind.startswith("i")) - 1
    choices = [value for value in (*SMALL, *AMOUNTS, top, top - 1) if value <= top]
    return random.choice(choices)


class Sampler:
    """Values of the registry's types, chosen by one seeded generator."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.codec = recorded_codec()

    def value(self, number: int) -> Any:
        described = self.codec.type_def(number)
        name = (described.get("path") or [""])[-1]
        shape, body = next(iter(described["def"].items()))
        if name == "AccountId32":
            return self.random.choice(ACCOUNTS)
        if name == "NetUid":
            return self.random.choice((0, 1, 2, 2, 2, 2, 9, 65_535))
        if name == "Option":
            inner = body["variants"][1]["fields"][0]["type"]
            return self.random.choice((None, self.value(inner)))
        return getattr(self, shape)(body)

    def primitive(self, kind: str) -> Any:
        if kind == "bool":
            return self.random.random() < 0.5
        return "text" if kind == "str" else integer(kind, self.random)

    def composite(self, body: dict[str, Any]) -> Any:
        members = body.get("fields", [])
        if len(members) == 1 and members[0].get("name") is None:
            return self.value(members[0]["type"])
        if all(member.get("name") for member in members):
            return {member["name"]: self.value(member["type"]) for member in members}
        return [self.value(member["type"]) for member in members]

    def variant(self, body: dict[str, Any]) -> Any:
        chosen = self.random.choice(body["variants"])
        members = chosen.get("fields", [])
        if not members:
            return chosen["name"]
        if members[0].get("name"):
            return {chosen["name"]: {m["name"]: self.value(m["type"]) for m in members}}
        inner = [self.value(member["type"]) for member in members]
        return {chosen["name"]: inner[0] if len(inner) == 1 else inner}

    def sequence(self, body: dict[str, Any]) -> Any:
        if self.codec.type_def(body["type"])["def"].get("primitive") == "u8":
            return list(self.random.randbytes(self.random.choice((0, 1, 33, 300))))
        return [self.value(body["type"]) for _ in range(self.random.choice((0, 1, 2, 3)))]

    def array(self, body: dict[str, Any]) -> Any:
        if self.codec.type_def(body["type"])["def"].get("primitive") == "u8":
            return "0x" + self.random.randbytes(body["len"]).hex()
        return [self.value(body["type"]) for _ in range(body["len"])]

    def tuple(self, body: list[int]) -> Any:
        return tuple(self.value(part) for part in body)

    def compact(self, body: dict[str, Any]) -> Any:
        return self.value(body["type"])
