"""What neurons and their owners say and choose: endpoints, takes, children, identities, keys."""

from typing import Any

import pytest
from tests.sdk.devnet.pallets.refusals import refused
from tests.sdk.devnet.pallets.stage import ALICE, BOB, CHARLIE, OWNER_HOTKEY, TAO, Stage, key

from subnetlab.devnet.pallets.subtensor import stake_weight

MINER, SECOND = key("//miner"), key("//second")
HALF = 2**63
AXON = {
    "version": 1,
    "ip": 0x0A000001,
    "port": 8091,
    "ip_type": 4,
    "protocol": 4,
    "placeholder1": 0,
    "placeholder2": 0,
}


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def netuid(stage: Stage) -> int:
    netuid = stage.subnet()
    stage.register(netuid, (BOB, MINER), (CHARLIE, SECOND))
    stage.blocks()
    return netuid


def test_an_axon_is_stored_with_its_block(stage: Stage, netuid: int) -> None:
    stage.call(MINER, "serve_axon", netuid=netuid, **AXON)
    assert stage.read("Axons", netuid, MINER) == {"block": stage.ledger.block_number, **AXON}
    assert stage.events("AxonServed") == [[netuid, MINER]]
    refused(stage, "ServingRateLimitExceeded", MINER, "serve_axon", netuid=netuid, **AXON)
    stage.blocks(50)
    stage.call(MINER, "serve_axon", netuid=netuid, **AXON)


@pytest.mark.parametrize(
    ("who", "terms", "error"),
    [
        (BOB, {}, "HotKeyNotRegisteredInNetwork"),
        (MINER, {"ip_type": 5}, "InvalidIpType"),
        (MINER, {"ip": 0x7F000001}, "InvalidIpAddress"),
        (MINER, {"ip": 2**32 - 1}, "InvalidIpAddress"),
        (MINER, {"ip": 1, "ip_type": 6}, "InvalidIpAddress"),
        (MINER, {"port": 0}, "InvalidPort"),
    ],
)
def test_an_axon_is_refused(
    *, stage: Stage, netuid: int, who: str, terms: dict[str, Any], error: str
) -> None:
    refused(stage, error, who, "serve_axon", netuid=netuid, **{**AXON, **terms})


def test_a_certificate_is_an_algorithm_and_a_key(stage: Stage, netuid: int) -> None:
    stage.call(MINER, "serve_axon_tls", netuid=netuid, certificate="\x01abc", **AXON)
    assert stage.read("NeuronCertificates", netuid, MINER) == {"public_key": "abc", "algorithm": 1}


def test_prometheus_needs_a_real_address(stage: Stage, netuid: int) -> None:
    endpoint = {"version": 1, "ip": 0x0A000001, "port": 7000, "ip_type": 4}
    call = "serve_prometheus"
    refused(stage, "InvalidIpAddress", MINER, call, netuid=netuid, **{**endpoint, "ip": 0})
    refused(stage, "HotKeyNotRegisteredInNetwork", BOB, call, netuid=netuid, **endpoint)
    stage.call(MINER, call, netuid=netuid, **endpoint)
    assert stage.read("Prometheus", netuid, MINER)["port"] == 7000


def test_a_take_falls_freely_and_rises_slowly(stage: Stage, netuid: int) -> None:
    del netuid
    refused(stage, "NonAssociatedColdKey", ALICE, "decrease_take", hotkey=MINER, take=100)
    refused(stage, "DelegateTakeTooHigh", BOB, "increase_take", hotkey=MINER, take=11_797)
    refused(stage, "HotKeyAccountNotExists", BOB, "decrease_take", hotkey=key("//x"), take=1)
    stage.call(BOB, "decrease_take", hotkey=MINER, take=100)
    assert stage.number("Delegates", MINER) == 100
    refused(stage, "DelegateTakeTooLow", BOB, "decrease_take", hotkey=MINER, take=100)
    refused(stage, "DelegateTakeTooLow", BOB, "increase_take", hotkey=MINER, take=100)
    refused(stage, "DelegateTxRateLimitExceeded", BOB, "increase_take", hotkey=MINER, take=200)
    stage.call(None, "sudo_set_tx_delegate_take_rate_limit", "AdminUtils", tx_rate_limit=0)
    stage.call(BOB, "increase_take", hotkey=MINER, take=200)
    assert stage.number("Delegates", MINER) == 200


def test_children_wait_for_their_cooldown_and_then_weigh_more(stage: Stage, netuid: int) -> None:
    stage.stake(BOB, MINER, netuid, 20 * TAO)
    own = stake_weight.of(stage.ledger, MINER, netuid).alpha
    stage.call(BOB, "set_children", hotkey=MINER, netuid=netuid, children=[(HALF, SECOND)])
    assert list(stage.read("ChildKeys", MINER, netuid)) == []
    for _ in range(4):
        stage.until_epoch(netuid)
    assert list(stage.read("ChildKeys", MINER, netuid)) == [(HALF, SECOND)]
    assert list(stage.read("ParentKeys", SECOND, netuid)) == [(HALF, MINER)]
    given = stake_weight.of(stage.ledger, SECOND, netuid).alpha
    kept = stake_weight.of(stage.ledger, MINER, netuid).alpha
    assert given > own // 3
    assert abs(given - kept) <= given // 100


def test_children_of_a_subnet_that_has_not_started_count_at_once(stage: Stage) -> None:
    netuid = stage.subnet(start=False)
    stage.register(netuid, (BOB, MINER))
    stage.call(BOB, "set_children", hotkey=MINER, netuid=netuid, children=[(HALF, SECOND), (1, ALICE)])
    assert {child for _, child in stage.read("ChildKeys", MINER, netuid)} == {SECOND, ALICE}
    stage.write("TransactionKeyLastBlock", MINER, netuid, 0, value=0)
    stage.call(BOB, "set_children", hotkey=MINER, netuid=netuid, children=[(5, ALICE)])
    assert list(stage.read("ParentKeys", SECOND, netuid)) == []
    assert list(stage.read("ParentKeys", ALICE, netuid)) == [(5, MINER)]


@pytest.mark.parametrize(
    ("who", "children", "error"),
    [
        (ALICE, [], "NonAssociatedColdKey"),
        (BOB, [(1, SECOND), (2, SECOND)], "DuplicateChild"),
        (BOB, [(1, MINER)], "InvalidChild"),
        (BOB, [(1, key(f"//child{n}")) for n in range(6)], "TooManyChildren"),
        (BOB, [(HALF, SECOND), (HALF, ALICE)], "ProportionOverflow"),
    ],
)
def test_children_are_refused(
    *, stage: Stage, netuid: int, who: str, children: list[tuple[int, str]], error: str
) -> None:
    refused(stage, error, who, "set_children", hotkey=MINER, netuid=netuid, children=children)


def test_nobody_is_both_parent_and_child(stage: Stage, netuid: int) -> None:
    stage.write("ParentKeys", MINER, netuid, value=[(1, SECOND)])
    terms = {"hotkey": MINER, "netuid": netuid, "children": [(1, SECOND)]}
    refused(stage, "ChildParentInconsistency", BOB, "set_children", **terms)
    refused(stage, "RegistrationNotPermittedOnRootSubnet", BOB, "set_children", **{**terms, "netuid": 0})
    stage.write("StakeThreshold", value=TAO)
    terms = {**terms, "children": [(1, ALICE)]}
    refused(stage, "NotEnoughStakeToSetChildkeys", BOB, "set_children", **terms)


def test_a_childkey_take_has_bounds_and_a_limit(stage: Stage, netuid: int) -> None:
    terms = {"hotkey": MINER, "netuid": netuid}
    refused(stage, "NonAssociatedColdKey", ALICE, "set_childkey_take", take=1, **terms)
    refused(stage, "InvalidChildkeyTake", BOB, "set_childkey_take", take=11_797, **terms)
    stage.call(BOB, "set_childkey_take", take=100, **terms)
    refused(stage, "TxChildkeyTakeRateLimitExceeded", BOB, "set_childkey_take", take=101, **terms)
    stage.call(BOB, "set_childkey_take", take=50, **terms)
    assert stage.number("ChildkeyTake", MINER, netuid) == 50


def test_root_validators_adopt_the_owner_of_a_new_subnet(stage: Stage) -> None:
    validator, shy = key("//validator"), key("//shy")
    for hotkey in (validator, shy):
        stage.call(BOB, "root_register", hotkey=hotkey)
        stage.blocks()
    stage.call(BOB, "set_auto_parent_delegation_enabled", hotkey=shy, enabled=False)
    stage.call(ALICE, "register_network", hotkey=OWNER_HOTKEY)
    assert list(stage.read("ParentKeys", OWNER_HOTKEY, 2)) == [(2**64 - 1, validator)]


def test_people_and_subnets_describe_themselves(stage: Stage, netuid: int) -> None:
    names = ("name", "url", "github_repo", "image", "discord", "description", "additional")
    person = dict.fromkeys(names, "x")
    refused(
        stage,
        "HotKeyNotRegisteredInNetwork",
        key("//nobody"),
        "set_identity",
        **person,
    )
    refused(stage, "InvalidIdentity", BOB, "set_identity", **{**person, "name": "x" * 257})
    stage.call(BOB, "set_identity", **person)
    assert stage.read("IdentitiesV2", BOB)["discord"] == "x"
    subnet = dict.fromkeys(
        (
            "subnet_name",
            "github_repo",
            "subnet_contact",
            "subnet_url",
            "discord",
            "description",
            "logo_url",
            "additional",
        ),
        "y",
    )
    refused(stage, "NotSubnetOwner", BOB, "set_subnet_identity", netuid=netuid, **subnet)
    stage.call(ALICE, "set_subnet_identity", netuid=netuid, **subnet)
    assert stage.read("SubnetIdentitiesV3", netuid)["subnet_name"] == "y"


def test_a_hotkey_is_paired_once(stage: Stage) -> None:
    stage.call(BOB, "try_associate_hotkey", hotkey=MINER)
    stage.call(CHARLIE, "try_associate_hotkey", hotkey=MINER)
    assert stage.read("Owner", MINER) == BOB
    assert MINER in stage.read("OwnedHotkeys", BOB)
    assert MINER not in stage.read("OwnedHotkeys", CHARLIE)
