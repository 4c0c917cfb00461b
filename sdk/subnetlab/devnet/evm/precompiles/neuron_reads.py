"""What 0x804 reads of neurons: seats, weights, bonds, commits, certificates and identities.

A commit that is locked until a drand round is shown by its ciphertext's hash and length. Source: `neuron.rs`.
"""

from collections.abc import Sequence
from typing import Any

from subnetlab.devnet.chain.codec import bytes_of
from subnetlab.devnet.evm.keccak import keccak
from subnetlab.devnet.evm.precompiles.frame import Frame, Reverted
from subnetlab.devnet.evm.precompiles.words import Arguments, Body, Maybe, Several, Stored, account

_LEGACY = {1: "CRV3WeightCommits", 2: "CRV3WeightCommitsV2"}
"""Superseded maps by the version that callers name them with; the first kept no block."""


def _subtensor(item: str, *keys: str) -> Stored:
    return Stored(f"SubtensorModule.{item}", *keys)


def _stored(frame: Frame, item: str, *keys: Any) -> list[Any]:
    frame.charge_reads(1)
    return list(frame.ledger.get("SubtensorModule", item, *keys) or ())


def _commits(frame: Frame, arguments: Arguments) -> list[Any]:
    return _stored(frame, "WeightCommits", arguments["netuid"], account(arguments["hotkey"]))


def _weight_commit(frame: Frame, arguments: Arguments) -> Sequence[Any]:
    found = _commits(frame, arguments)[arguments["index"] :][:1]
    return [True, *found[0][:3]] if found else [False]


def _weight_commit_count(frame: Frame, arguments: Arguments) -> Sequence[Any]:
    return [len(_commits(frame, arguments))]


def _timelocked(frame: Frame, arguments: Arguments) -> list[Any]:
    item = "TimelockedWeightCommits"
    if "version" in arguments:
        item = _LEGACY.get(arguments["version"], "")
        if not item:
            raise Reverted("unsupported legacy weight-commit version")
    return _stored(frame, item, arguments["netuid"], arguments["epoch"])


def _timelocked_commit(frame: Frame, arguments: Arguments) -> Sequence[Any]:
    found = _timelocked(frame, arguments)[arguments["index"] :][:1]
    if not found:
        return [False]
    who, *block, sealed, reveal_round = found[0]
    ciphertext = bytes_of(sealed)
    return [True, who, block[0] if block else 0, keccak(ciphertext), len(ciphertext), reveal_round]


def _timelocked_count(frame: Frame, arguments: Arguments) -> Sequence[Any]:
    return [len(_timelocked(frame, arguments))]


READS: dict[str, Body] = {
    "getUid": Maybe(_subtensor("Uids")),
    "isNetworkMember": _subtensor("IsNetworkMember"),
    "getBlockAtRegistration": _subtensor("BlockAtRegistration"),
    "getWeights": _subtensor("Weights"),
    "getBonds": _subtensor("Bonds"),
    "getNeuronCertificate": Maybe(_subtensor("NeuronCertificates"), "algorithm", "public_key"),
    "getPrometheus": Maybe(_subtensor("Prometheus"), "block", "version", "ip", "port", "ip_type"),
    "getChainIdentity": Maybe(
        _subtensor("IdentitiesV2"),
        "name",
        "url",
        "github_repo",
        "image",
        "discord",
        "description",
        "additional",
    ),
    "getSubnetIdentity": Maybe(
        _subtensor("SubnetIdentitiesV3"),
        "subnet_name",
        "github_repo",
        "subnet_contact",
        "subnet_url",
        "discord",
        "description",
        "logo_url",
        "additional",
    ),
    "getLoadedEmission": Maybe(_subtensor("LoadedEmission")),
    "getTransactionKeyLastBlock": _subtensor("TransactionKeyLastBlock"),
    "getLegacyTransactionRateBlocks": Several(
        _subtensor("LastTxBlock"),
        _subtensor("LastTxBlockChildKeyTake"),
        _subtensor("LastTxBlockDelegateTake"),
    ),
    "getWeightCommit": _weight_commit,
    "getWeightCommitCount": _weight_commit_count,
    "getTimelockedWeightCommit": _timelocked_commit,
    "getTimelockedWeightCommitCount": _timelocked_count,
    "getLegacyTimelockedWeightCommit": _timelocked_commit,
    "getLegacyTimelockedWeightCommitCount": _timelocked_count,
}
