"""Which frames there are, and what each column means.

Units as in the record: losses in the run's own, sizes bytes, times seconds, money integer rao or alpha-rao,
heights of blocks. Scores of the chain (u16) become fractions from 0 to 1. A null says that nothing was
recorded, never zero.
"""

from dataclasses import dataclass
from types import MappingProxyType

import polars as pl


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, its type, and what it holds."""

    name: str
    dtype: pl.DataType
    meaning: str


def _int(name: str, meaning: str) -> Column:
    return Column(name, pl.Int64(), meaning)


def _float(name: str, meaning: str) -> Column:
    return Column(name, pl.Float64(), meaning)


def _text(name: str, meaning: str) -> Column:
    return Column(name, pl.String(), meaning)


def _flag(name: str, meaning: str) -> Column:
    return Column(name, pl.Boolean(), meaning)


ROUND = "round"
"""The column that `frames.read` counts from 1, as every page does; the record and `rows` count from 0."""
_ROUND = _int(ROUND, "round of the run, from 1; 0 for a block before the first")
_UID = _int("uid", "slot in the subnet; negative for a baseline")

_MINERS = (
    _ROUND,
    _UID,
    _text("role", "what the peer was started as"),
    _float("loss", "mean training loss over the round's inner steps"),
    _float("score", "mean over validators of the loss removed on held-out data, relative"),
    _float("rating", "mean over validators of the miner's rating after the round"),
    _float("weight", "mean over validators of the share of their weights, 0 to 1"),
    _float("incentive", "the chain's incentive, 0 to 1, as of the last epoch up to this round"),
    _int("emission_alpha_rao", "paid to the uid by epochs that ran in this round"),
    _int("wire_bytes", "size of the uploaded object, header and encryption included"),
    _int("dense_bytes", "size of the same update as plain fp32"),
    _float("compute_s", "training"),
    _float("compress_s", "compressing and encrypting"),
    _float("store_s", "uploading and downloading"),
    _float("wait_s", "waiting for the slowest peer or for the lead"),
    _float("chain_s", "submitting to, and waiting on, the chain itself"),
    _text("verdict", "the lead's verdict, or the most common one before the round closed"),
    _text("reason", "why it was gated, in words; empty if it was not"),
)

_ROUNDS = (
    _ROUND,
    _int("open", "height at which the round opens"),
    _int("commit", "height of the commit deadline"),
    _int("beacon", "height whose hash seeds the sampling"),
    _int("close", "height at which the round closes"),
    _int("lead", "uid of the validator whose aggregate the round adopted"),
    _int("payloads", "payloads that arrived"),
    _int("accepted", "payloads in the aggregate"),
    _float("val_loss", "held-out loss of the model after the round"),
    _int("wire_bytes", "uploaded by all miners together"),
    _int("dense_bytes", "the same updates as plain fp32"),
    _float("aggregate_s", "the lead's aggregation"),
    _float("waited_s", "peers working before the round's blocks, in all"),
    _float("chain_s", "from the order to seal until the blocks were there, in all"),
    _text("aggregate_hash", "of the published aggregate"),
    _text("theta_hash", "of the model after the round"),
    _text("lost", "why the round left the model as it was; null if it closed"),
)

_VALIDATORS = (
    _ROUND,
    _int("validator", "uid of the validator"),
    _int("uid", "uid of the miner it judged"),
    _text("verdict", "`accepted`, `gated` or why the payload was refused"),
    _float("score", "loss removed on held-out data, relative"),
    _float("loss_removed_assigned", "on the data the miner was assigned"),
    _float("loss_removed_held_out", "on data that no miner was assigned"),
    _float("rating", "the miner's rating after the round"),
    _float("weight", "share of this validator's weights, 0 to 1"),
    _float("norm", "of the decoded update"),
    _text("reason", "in words; empty if accepted"),
    _float("own_work", "evidence that its work is its own, in nats; 0 where the run weighs none"),
    _float("noise", "standard error of the difference between the two losses removed; 0 where not weighed"),
    Column("tried", pl.Boolean(), "whether a sound payload was tried on data, of many a sample"),
    _text("audit", "what training the round again came to; empty where it was not drawn"),
)

_BLOCKS = (
    _int("number", "height"),
    _text("hash", "`0x…`"),
    _ROUND,
    _float("time", "Unix seconds at which it was recorded"),
    _float("waited_s", "from the previous seal until every live peer had reported"),
    _float("chain_s", "from the order to seal until the block was there"),
)

_EPOCHS = (
    _int("block", "height at which the result was read"),
    _int(ROUND, "round in which it ran, from 1; null before the first"),
    _UID,
    _float("incentive", "0 to 1"),
    _float("dividends", "0 to 1"),
    _float("consensus", "0 to 1"),
    _float("validator_trust", "0 to 1"),
    _int("emission_alpha_rao", "paid to the uid by this epoch"),
    _int("stake_alpha_rao", "stake behind the uid"),
    _flag("validator_permit", "whether it may set weights"),
)

_LOSSES = (
    _ROUND,
    _float("subnet", "held-out loss of the subnet's model after the round"),
    _float("alone", "held-out loss of one miner by itself after as many steps"),
)

_BASELINES = (
    _text("baseline", "`alone`, `alone_3x` (with so many times the subnet's steps) or `ddp`"),
    _int("step", "optimizer steps so far"),
    _int("steps", "optimizer steps in all: at the last one its learning rate has come to its end"),
    _float("val_loss", "held-out loss after so many steps"),
)

_METRICS = (
    _ROUND,
    _text("metric", "its name, such as `accuracy`"),
    _float("value", "of the subnet's model on the held-out data after the round"),
)

_MONEY = (
    _float("time", "Unix seconds"),
    _text("what", "`stake`, `pay`, `unstake`, `execute`, `register`, `fund`, `withdraw` or `escrow`"),
    _int("amount_rao", "what left the wallet, fee not included; below 0 what came back"),
    _text("to", "address or hotkey"),
    _text("tx", "hash of the extrinsic, or of the transaction of the EVM"),
    _text("wallet", "who paid: address; empty where not recorded"),
    _int("fee_rao", "what it cost beside the amount; 0 where not recorded"),
    _int("block", "height of its block; 0 where not recorded"),
)

_STEPS = (
    _ROUND,
    _UID,
    _int("step", "inner step of the run, from 0"),
    _float("loss", "training loss of that step"),
)

_PEERS = (
    _UID,
    _text("role", "what the peer was started as"),
    _text("hotkey", "ss58 address"),
    _int("pid", "process id"),
    _text("device", "on which its model computes; null where not recorded"),
    _float("ready_s", "from the fleet's start until it was up"),
    _float("cpu_s", "processor seconds of its process up to its last phase; null where not recorded"),
    _text("gone", "why it ended before the run; null if it did not"),
)

SCHEMAS: MappingProxyType[str, tuple[Column, ...]] = MappingProxyType(
    {
        "miners": _MINERS,
        "rounds": _ROUNDS,
        "validators": _VALIDATORS,
        "blocks": _BLOCKS,
        "epochs": _EPOCHS,
        "losses": _LOSSES,
        "metrics": _METRICS,
        "baselines": _BASELINES,
        "money": _MONEY,
        "steps": _STEPS,
        "peers": _PEERS,
    }
)
"""The columns of each frame, in order."""

NAMES = tuple(SCHEMAS)
"""The frames there are."""


def polars_schema(name: str) -> pl.Schema:
    """A frame's columns as polars knows them."""
    return pl.Schema({column.name: column.dtype for column in SCHEMAS[name]})
