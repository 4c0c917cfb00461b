"""0x804: registering, weights, serving and identities of neurons.

Registering signs as the coldkey; weights and serving sign as the hotkey, so only a hotkey that is an EVM
account's mirror can use them. Source: `neuron.rs`.
"""

from collections.abc import Callable, Sequence
from typing import Any

from subnetlab.devnet.evm.precompiles.frame import Frame, Reverted
from subnetlab.devnet.evm.precompiles.neuron_reads import READS
from subnetlab.devnet.evm.precompiles.words import Arguments, Body, Call, Precompile, optional

_SIGNATURE_BYTES = 65


def _subtensor(name: str, /, **values: Any) -> Call:
    return Call(f"SubtensorModule.{name}", **values)


def _checked(check: Callable[[Arguments], bool], reason: str, call: Call) -> Body:
    """A call that reverts before it is made unless its arguments pass."""

    def body(frame: Frame, arguments: Arguments) -> Sequence[Any]:
        if not check(arguments):
            raise Reverted(reason)
        return call(frame, arguments)

    return body


def _equally_long(*names: str) -> Callable[[Arguments], bool]:
    return lambda arguments: len({len(arguments[name]) for name in names}) == 1


def _pairs(arguments: Arguments) -> list[list[tuple[int, int]]]:
    """Destinations and values zipped batch by batch."""
    batches = zip(arguments["dests"], arguments["values"], strict=True)
    if any(len(dests) != len(values) for dests, values in batches):
        raise Reverted("batch destination and value arrays must have equal lengths")
    batches = zip(arguments["dests"], arguments["values"], strict=True)
    return [list(zip(dests, values, strict=True)) for dests, values in batches]


def _children(arguments: Arguments) -> list[tuple[int, str]]:
    pairs = zip(arguments["proportions"], arguments["children"], strict=True)
    return [(proportion, f"0x{child.hex()}") for proportion, child in pairs]


_WEIGHTS: dict[str, Body] = {
    "setWeights": _subtensor("set_weights"),
    "commitWeights": _subtensor("commit_weights"),
    "revealWeights": _subtensor("reveal_weights"),
    "setMechanismWeights": _subtensor("set_mechanism_weights"),
    "setMechanismWeightsV2": _subtensor("set_mechanism_weights"),
    "commitMechanismWeights": _subtensor("commit_mechanism_weights"),
    "revealMechanismWeights": _subtensor("reveal_mechanism_weights"),
    "commitCrv3MechanismWeights": _subtensor("commit_crv3_mechanism_weights"),
    "commitTimelockedWeights": _subtensor("commit_timelocked_weights"),
    "commitTimelockedMechanismWeights": _subtensor("commit_timelocked_mechanism_weights"),
    "commitTimelockedMechanismWeightsV2": _subtensor("commit_timelocked_mechanism_weights"),
    "batchSetWeights": _checked(
        _equally_long("netuids", "dests", "values", "version_keys"),
        "batch weight arrays must have equal outer lengths",
        _subtensor("batch_set_weights", weights=_pairs),
    ),
    "batchCommitWeights": _checked(
        _equally_long("netuids", "commit_hashes"),
        "batch netuid and commitment arrays must have equal lengths",
        _subtensor("batch_commit_weights"),
    ),
    "batchRevealWeights": _checked(
        _equally_long("uids", "values", "salts", "version_keys"),
        "batch reveal arrays must have equal outer lengths",
        _subtensor("batch_reveal_weights", uids_list="uids", values_list="values", salts_list="salts"),
    ),
}
_KEYS: dict[str, Body] = {
    "register": _subtensor("register"),
    "burnedRegister": _subtensor("burned_register"),
    "registerLimit": _subtensor("register_limit"),
    "rootRegister": _subtensor("root_register"),
    "serveAxon": _subtensor("serve_axon"),
    "serveAxonTls": _subtensor("serve_axon_tls"),
    "servePrometheus": _subtensor("serve_prometheus"),
    "setIdentity": _subtensor("set_identity"),
    "setChildren": _checked(
        _equally_long("proportions", "children"),
        "child proportions and hotkeys must have equal length",
        _subtensor("set_children", children=_children),
    ),
    "tryAssociateHotkey": _subtensor("try_associate_hotkey"),
    "associateEvmKey": _checked(
        lambda arguments: len(arguments["signature"]) == _SIGNATURE_BYTES,
        "ECDSA signature must be exactly 65 bytes",
        _subtensor("associate_evm_key"),
    ),
    "swapHotkey": _subtensor("swap_hotkey", netuid=optional("has_netuid", "netuid")),
    "swapHotkeyV2": _subtensor("swap_hotkey_v2", netuid=optional("has_netuid", "netuid")),
    "announceColdkeySwap": _subtensor("announce_coldkey_swap"),
    "executeAnnouncedColdkeySwap": _subtensor("swap_coldkey_announced"),
    "disputeColdkeySwap": _subtensor("dispute_coldkey_swap"),
    "clearColdkeySwapAnnouncement": _subtensor("clear_coldkey_swap_announcement"),
}

NEURON = Precompile(name="neuron", switch="Neuron", bodies={**_WEIGHTS, **_KEYS, **READS})
