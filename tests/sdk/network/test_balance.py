"""A balance keeps its unit, whatever is done with it."""

from decimal import Decimal
from fractions import Fraction

import bittensor
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from subnetlab.network.balance import Balance
from subnetlab.units import RAO_PER_TAO, rao

TEN = Balance(10 * RAO_PER_TAO)


def test_it_is_the_sdks_balance() -> None:
    assert isinstance(TEN, bittensor.Balance)
    assert bittensor.tao(10) == TEN
    assert hash(TEN) == hash(bittensor.tao(10))
    assert (str(TEN), TEN.tao, TEN.unit) == (str(bittensor.tao(10)), 10.0, "τ")


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (TEN / 2, 5 * RAO_PER_TAO),
        (TEN * 0.1, RAO_PER_TAO),
        (0.1 * TEN, RAO_PER_TAO),
        (TEN * Fraction(1, 3), 3_333_333_333),
        (TEN / Decimal(4), 2_500_000_000),
        (np.float64(0.5) * TEN, 5 * RAO_PER_TAO),
        (TEN * np.float32(0.1), RAO_PER_TAO),
        (TEN * torch.tensor(0.1), RAO_PER_TAO),
        (TEN + TEN, 20 * RAO_PER_TAO),
        (bittensor.tao(1) + TEN, 11 * RAO_PER_TAO),
        (bittensor.tao(11) - TEN, RAO_PER_TAO),
        (TEN - bittensor.tao(1), 9 * RAO_PER_TAO),
        (sum([TEN, TEN]) / 2, 10 * RAO_PER_TAO),
        (min(TEN, bittensor.tao(1)), RAO_PER_TAO),
        (round(TEN / 3, 2), 3_330_000_000),
        (abs(-TEN), 10 * RAO_PER_TAO),
    ],
)
def test_halves_products_sums_and_differences_are_balances(made: bittensor.Balance, expected: int) -> None:
    assert isinstance(made, bittensor.Balance)
    assert made.rao == rao(made) == expected


def test_a_ratio_of_balances_is_a_number() -> None:
    assert TEN / bittensor.tao(4) == bittensor.tao(25) / TEN == 2.5


def test_a_number_beside_a_balance_has_no_unit_and_is_refused() -> None:
    for wrong in (lambda: TEN + 1, lambda: 1 - TEN, lambda: TEN > 5, lambda: TEN - 0.5, lambda: TEN + True):
        with pytest.raises(TypeError, match="may be TAO or rao"):
            wrong()
    assert TEN > 0
    with pytest.raises(TypeError):
        _ = TEN * TEN
    with pytest.raises(TypeError):
        _ = TEN * True


def test_alpha_and_tao_do_not_mix() -> None:
    with pytest.raises(bittensor.UnitMismatchError):
        _ = TEN + Balance(1, 7)
    with pytest.raises(bittensor.UnitMismatchError):
        _ = TEN / Balance(1, 7)
    assert (Balance(9, 7) / 2).netuid == 7


@given(st.integers(0, 2**64 - 1), st.integers(1, 1000))
def test_shares_are_never_more_than_the_whole(amount: int, parts: int) -> None:
    share = Balance(amount) / parts
    assert share.rao == amount // parts
    assert sum([share] * parts) <= Balance(amount)


def test_a_balance_is_formatted_as_a_number_of_tokens() -> None:
    assert f"{Balance(1_234_500_000_000):,.2f}" == "1,234.50"
    assert f"{Balance(5)}" == str(Balance(5))
