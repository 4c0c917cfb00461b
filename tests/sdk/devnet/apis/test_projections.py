"""Runtime APIs: every answer encodes as its type, says what storage says, and looks back in time."""

from typing import Any

import pytest
from tests.sdk.devnet.pallets.arguments import Sampler
from tests.sdk.devnet.pallets.stage import ALICE, BOB, CHARLIE, OWNER_HOTKEY, TAO, Stage, key

import subnetlab.devnet.apis  # noqa: F401 - enters the APIs
from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import APIS
from subnetlab.devnet.pallets import swap

MINER = key("//miner")
NETUID = 2
OURS = (
    "DelegateInfoRuntimeApi",
    "NeuronInfoRuntimeApi",
    "StakeInfoRuntimeApi",
    "SubnetInfoRuntimeApi",
    "SubnetRegistrationRuntimeApi",
    "SwapRuntimeApi",
)
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "get_neuron": (NETUID, 1),
    "get_neuron_lite": (NETUID, 1),
    "get_mechagraph": (NETUID, 0),
    "get_selective_metagraph": (NETUID, list(range(80))),
    "get_selective_mechagraph": (NETUID, 0, [0, 52, 72, 73]),
    "get_stake_info_for_coldkey": (CHARLIE,),
    "get_stake_info_for_coldkeys": ([ALICE, CHARLIE],),
    "get_stake_info_for_hotkey_coldkey_netuid": (OWNER_HOTKEY, CHARLIE, NETUID),
    "get_stake_availability_for_coldkeys": ([CHARLIE, BOB], None),
    "get_stake_fee": ((OWNER_HOTKEY, 1), ALICE, (OWNER_HOTKEY, 2), ALICE, TAO),
    "get_delegate": (OWNER_HOTKEY,),
    "get_delegated": (CHARLIE,),
    "get_coldkey_auto_stake_hotkey": (ALICE, NETUID),
    "sim_swap_tao_for_alpha": (NETUID, TAO),
    "sim_swap_alpha_for_tao": (NETUID, TAO),
}


def lived_in() -> Stage:
    """A subnet with a miner, a nominator, weights, an axon and an epoch behind it."""
    stage = Stage()
    netuid = stage.subnet()
    stage.register(netuid, (BOB, MINER))
    limit = {"amount_staked": 20 * TAO, "limit_price": 2 * TAO, "allow_partial": False}
    stage.call(CHARLIE, "add_stake_limit", hotkey=OWNER_HOTKEY, netuid=netuid, **limit)
    axon = {"version": 1, "ip": 9, "port": 8, "ip_type": 4, "protocol": 4}
    stage.call(MINER, "serve_axon", netuid=netuid, placeholder1=0, placeholder2=0, **axon)
    stage.weights(OWNER_HOTKEY, netuid, {1: 1})
    note = {"netuid": netuid, "info": {"fields": [{"Raw5": "hello"}]}}
    stage.call(MINER, "set_commitment", "Commitments", **note)
    stage.until_epoch(netuid)
    stage.weights(OWNER_HOTKEY, netuid, {1: 1})
    stage.until_epoch(netuid)
    stage.state.seal(stage.ledger.block_number)
    return stage


@pytest.fixture(scope="module")
def stage() -> Stage:
    return lived_in()


@pytest.fixture(scope="module")
def view(stage: Stage) -> Ledger:
    return stage.ledger.at(stage.ledger.block_number)


def ask(view: Ledger, api: str, method: str, *arguments: Any) -> Any:
    """The answer as a client decodes it."""
    answer = APIS[api, method](view, *arguments)
    if answer is None:
        return None
    output = view.codec.apis[api][method]["output"]
    return view.codec.decode(output, view.codec.encode(output, answer))


@pytest.mark.parametrize(("api", "method"), sorted(name for name in APIS if name[0] in OURS))
def test_every_answer_encodes_as_its_type(view: Ledger, api: str, method: str) -> None:
    inputs = view.codec.apis[api][method]["inputs"]
    arguments = ARGUMENTS.get(method, tuple(NETUID for _ in inputs))
    assert len(arguments) == len(inputs)
    answer = ask(view, api, method, *arguments)
    assert answer is not None or method == "get_coldkey_auto_stake_hotkey"


@pytest.mark.parametrize(
    ("api", "method"),
    [
        ("SubnetInfoRuntimeApi", "get_metagraph"),
        ("SubnetInfoRuntimeApi", "get_dynamic_info"),
        ("SubnetInfoRuntimeApi", "get_subnet_info_v2"),
        ("SubnetInfoRuntimeApi", "get_subnet_hyperparams_v3"),
        ("SubnetInfoRuntimeApi", "get_subnet_state"),
        ("SubnetInfoRuntimeApi", "get_subnet_account_id"),
    ],
)
def test_an_unknown_subnet_has_no_answer(view: Ledger, api: str, method: str) -> None:
    assert ask(view, api, method, 77) is None
    assert ask(view, "NeuronInfoRuntimeApi", "get_neurons", 77) == []
    assert ask(view, "NeuronInfoRuntimeApi", "get_neuron", NETUID, 77) is None


def test_the_metagraph_agrees_with_the_neurons(view: Ledger) -> None:
    graph = ask(view, "SubnetInfoRuntimeApi", "get_metagraph", NETUID)
    neurons = ask(view, "NeuronInfoRuntimeApi", "get_neurons", NETUID)
    assert graph["hotkeys"] == [n["hotkey"] for n in neurons] == [OWNER_HOTKEY, MINER]
    for column, field in (("emission", "emission"), ("incentives", "incentive"), ("dividends", "dividends")):
        assert list(graph[column]) == [n[field] for n in neurons]
    assert graph["emission"][1] > 0
    assert neurons[0]["weights"] == [(1, 65_535)]
    assert neurons[1]["axon_info"]["port"] == 8
    assert graph["axons"][1]["port"] == 8
    assert graph["tao_in"] == view.get("SubtensorModule", "SubnetTAO", NETUID)
    assert graph["total_stake"][0] >= graph["alpha_stake"][0] > 0


def test_chosen_fields_alone(view: Ledger) -> None:
    some = ask(view, "SubnetInfoRuntimeApi", "get_selective_metagraph", NETUID, [52, 72, 73])
    assert {name for name, value in some.items() if value is not None} == {
        "netuid",
        "hotkeys",
        "validators",
        "commitments",
    }
    assert some["validators"] == [0]
    assert [who for who, _ in some["commitments"]] == [MINER]


def test_stake_is_told_position_by_position(view: Ledger) -> None:
    (position,) = ask(view, "StakeInfoRuntimeApi", "get_stake_info_for_coldkey", CHARLIE)
    assert position["hotkey"] == OWNER_HOTKEY
    assert position["is_registered"]
    assert position["emission"] > 0
    free = ask(view, "StakeInfoRuntimeApi", "get_stake_availability_for_coldkeys", [CHARLIE, BOB], [NETUID])
    assert free[CHARLIE][NETUID]["available"] == position["stake"]
    assert ask(
        view, "StakeInfoRuntimeApi", "get_stake_availability_for_coldkeys", [DEAD := key("//x")], None
    ) == {DEAD: {}}


def test_a_delegate_names_its_nominators(view: Ledger) -> None:
    delegate = ask(view, "DelegateInfoRuntimeApi", "get_delegate", OWNER_HOTKEY)
    assert CHARLIE in dict(delegate["nominators"])
    assert delegate["registrations"] == [NETUID]
    assert ask(view, "DelegateInfoRuntimeApi", "get_delegate", MINER) is None


def test_quotes_are_what_a_trade_would_do(view: Ledger) -> None:
    quote = ask(view, "SwapRuntimeApi", "sim_swap_tao_for_alpha", NETUID, TAO)
    done = swap.buy(view, NETUID, TAO)
    assert (quote["tao_amount"], quote["tao_fee"], quote["alpha_amount"]) == (done.taken, done.fee, done.paid)
    assert quote["alpha_slippage"] > 0
    absurd = ask(view, "SwapRuntimeApi", "sim_swap_tao_for_alpha", NETUID, 2**63)
    assert set(absurd.values()) == {0}
    assert ask(view, "SwapRuntimeApi", "current_alpha_price", 0) == TAO


def test_an_answer_is_about_its_block(stage: Stage) -> None:
    early = ask(stage.ledger.at(1), "SubnetInfoRuntimeApi", "get_metagraph", NETUID)
    late = ask(stage.ledger.at(stage.ledger.block_number), "SubnetInfoRuntimeApi", "get_metagraph", NETUID)
    assert early["block"] == 1
    assert list(early["emission"]) == [0, 0]
    assert late["emission"][1] > 0


@pytest.mark.parametrize(("api", "method"), sorted(name for name in APIS if name[0] in OURS))
def test_any_question_is_answered(view: Ledger, api: str, method: str) -> None:
    inputs = view.codec.apis[api][method]["inputs"]
    for seed in range(12):
        sampler = Sampler(seed)
        arguments = [sampler.value(int(kind.split("::")[1])) for _, kind in inputs]
        ask(view, api, method, *arguments)
