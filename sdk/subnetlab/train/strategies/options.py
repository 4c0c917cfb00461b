"""What no strategy can have for an option, said in the strategy's own name as soon as it is made."""

from typing import get_args

from subnetlab.errors import ArgumentInvalid
from subnetlab.train.choices import Clip, Rule
from subnetlab.train.payload.quantise import Bins


def check_steps(strategy: object, inner_steps: object, clip: object) -> None:
    """Refuse what no strategy can have.

    Raises:
        ArgumentInvalid: `inner_steps` is no whole number above 0, or there is no such clip.
    """
    name = type(strategy).__name__
    if type(inner_steps) is not int or inner_steps < 1:
        raise ArgumentInvalid(
            f"{name} needs inner_steps >= 1, a whole number.",
            hint="Give inner_steps=8, for instance: the steps a miner takes between two messages.",
        )
    if clip not in get_args(Clip):
        raise ArgumentInvalid(
            f"{name} needs clip to be one of {', '.join(map(repr, get_args(Clip)))}.",
            hint="Leave clip out for the usual one.",
        )


def check_rule(strategy: object, rule: object, hostile: float) -> None:
    """Refuse a rule of aggregation that there is not, or one against a majority.

    Raises:
        ArgumentInvalid: as said.
    """
    name = type(strategy).__name__
    if rule not in get_args(Rule):
        raise ArgumentInvalid(
            f"{name} needs aggregate to be one of {', '.join(map(repr, get_args(Rule)))}.",
            hint="Leave aggregate out for the usual one, the mean.",
        )
    if not 0 <= hostile < 0.5:
        raise ArgumentInvalid(
            f"{name} needs 0 <= hostile < 0.5: no rule holds against a majority.",
            hint="Give the share of miners that you fear, such as hostile=0.25.",
        )


def check_feedback(strategy: object, feedback: float) -> None:
    """Refuse a share of what was not sent that is no share.

    Raises:
        ArgumentInvalid: it is not between 0 and 1.
    """
    if not 0 <= feedback <= 1:
        raise ArgumentInvalid(
            f"{type(strategy).__name__} needs 0 <= feedback <= 1.",
            hint="Leave feedback out: 1 remembers all of what was not sent, 0 nothing.",
        )


def check_top(strategy: object, k: object, chunk: object, bins: object) -> None:
    """Refuse a choice of the largest values that cannot be made.

    Raises:
        ArgumentInvalid: an option is out of its range.
    """
    name = type(strategy).__name__
    whole = type(k) is int and type(chunk) is int
    if not (whole and 1 <= k <= chunk <= 1 << 20):  # pyright: ignore[reportOperatorIssue]
        raise ArgumentInvalid(
            f"{name} needs 1 <= k <= chunk, whole numbers.",
            hint="Give k=64 and chunk=4096, for instance: 64 numbers of every 4,096 are sent.",
        )
    if bins not in get_args(Bins):
        raise ArgumentInvalid(
            f"{name} needs bins to be one of {', '.join(map(repr, get_args(Bins)))}.",
            hint="Leave bins out for the usual one.",
        )
