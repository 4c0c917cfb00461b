"""An amount in whatever form a person has it in hand becomes the rao that were meant, or is refused."""

from decimal import Decimal
from fractions import Fraction

import bittensor
import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from subnetlab.errors import InvalidAmount
from subnetlab.units import RAO_PER_TAO, U64_MAX, Amount, format_tao, rao, tao

HALF = RAO_PER_TAO // 2
MEANT: dict[str, tuple[Amount, int]] = {
    "an integer": (3, 3 * RAO_PER_TAO),
    "a float": (0.5, HALF),
    "a sum of floats": (0.1 + 0.2, 300_000_000),
    "a difference of floats": (9.95 - 0.05, 9_900_000_000),
    "a thousand floats": (sum([0.1] * 1000), 100 * RAO_PER_TAO),
    "what is left of a large float": (5_000_000.1, 5_000_000_100_000_000),
    "a third that no float can hold to the rao": (1e7 / 3, 3_333_333_333_333_334),
    "one rao": (1e-9, 1),
    "a decimal": (Decimal("0.5"), HALF),
    "a fraction": (Fraction(1, 2), HALF),
    "a numpy integer": (np.int64(3), 3 * RAO_PER_TAO),
    "a numpy double": (np.float64(0.1) + np.float64(0.2), 300_000_000),
    "a numpy single": (np.float32(0.1), 100_000_000),
    "a numpy half": (np.float16(0.1), 100_000_000),
    "a numpy array of one": (np.array(0.5), HALF),
    "a torch single": (torch.tensor(0.1), 100_000_000),
    "a torch double": (torch.tensor(9.95, dtype=torch.float64) - 0.05, 9_900_000_000),
    "a torch bfloat": (torch.tensor(0.1, dtype=torch.bfloat16), 100_000_000),
    "a torch integer": (torch.tensor(3), 3 * RAO_PER_TAO),
    "a torch scalar that is being trained": (torch.tensor(0.5, requires_grad=True), HALF),
    "a polars cell": (pl.DataFrame({"tao": [0.5]})["tao"][0], HALF),
    "a polars series of one": (pl.Series([0.5]), HALF),
    "a polars decimal": (pl.Series([Decimal("0.5")])[0], HALF),
    "a text": ("0.5", HALF),
    "a text with its unit": ("0.5 TAO", HALF),
    "a text with its sign": ("0.5 τ", HALF),
    "play money": ("0.5 play τ", HALF),
    "a text with spaces": (" 0.5tao ", HALF),
    "an exponent": ("5e-1", HALF),
    "what the SDK prints": (str(bittensor.Balance(1_234_500_000_000)), 1_234_500_000_000),
    "a balance": (bittensor.Balance(7), 7),
}


@pytest.mark.parametrize(("amount", "expected"), MEANT.values(), ids=MEANT)
def test_what_was_meant_is_read(amount: Amount, expected: int) -> None:
    assert rao(amount) == expected


REFUSED: dict[str, tuple[object, str]] = {
    "a truth value": (True, "True is not a positive amount"),
    "numpy's truth value": (np.array([True])[0], "is not a positive amount"),
    "torch's truth value": (torch.tensor([True]), "is not a positive amount"),
    "not a number": (float("nan"), "nan is not a positive amount"),
    "torch's not a number": (torch.tensor(float("nan")), "is not a positive amount"),
    "infinity": (Decimal("inf"), "is not a positive amount"),
    "infinity in words": ("-inf", "is not a positive amount"),
    "zero": (0, "0 is not a positive amount"),
    "an empty balance": (bittensor.Balance(0), "is not a positive amount"),
    "a negative balance": (bittensor.Balance(-1), "is not a positive amount"),
    "a negative fraction": (Fraction(-1, 2), "is not a positive amount"),
    "ten decimals": (0.1234567891, "more than nine decimals"),
    "a third": (Fraction(1, 3), "more than nine decimals"),
    "less than a rao": (1e-12, "more than nine decimals"),
    "a decimal that is almost exact": (Decimal("0.10000000000000000000000000000000001"), "nine decimals"),
    "an exponent without end": (Decimal("1e-999999999"), "more than nine decimals"),
    "a text of an exponent without end": ("1e999999999", "more than the chain can count"),
    "thousands of digits": (10**5000, "more than the chain can count"),
    "above 2^64 rao": (18_446_744_074, "more than the chain can count"),
    "alpha": (bittensor.Balance(5, 7), "is alpha of subnet 7, where TAO is asked for"),
    "alpha in words": ("5 α", "is not an amount of TAO"),
    "rao in words": ("5 rao", "is not an amount"),
    "half of the world's decimals": ("1,500", "can be read in two ways"),
    "groups by underscores": ("1_0", "is not an amount"),
    "groups by underscores behind a comma": ("1,0_00.5", "is not an amount"),
    "digits of another script": ("\uff11\uff10", "is not an amount"),
    "Arabic digits": ("\u0661\u0660", "is not an amount"),
    "a decimal comma": ("0,5", "can be read in two ways"),
    "several numbers": (np.array([1, 2]), "is not one number"),
    "several numbers of torch": (torch.tensor([1, 2]), "is not one number"),
    "several numbers of polars": (pl.Series([1, 2]), "is not one number"),
    "a complex number": (1j, "is not an amount"),
    "a text of another kind": (pl.Series(["much"]), "is not an amount"),
    "nothing": (None, "None is not an amount"),
}


@pytest.mark.parametrize(("amount", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_amount_is_refused_in_one_sentence(amount: object, words: str) -> None:
    with pytest.raises(InvalidAmount, match=words) as caught:
        rao(amount)  # pyright: ignore[reportArgumentType]
    assert len(str(caught.value)) < 160


def test_a_long_text_is_never_repeated() -> None:
    with pytest.raises(InvalidAmount, match="That text is not an amount") as caught:
        rao("5a" * 32)
    assert "5a5a" not in str(caught.value)


def test_alpha_is_read_where_alpha_is_asked_for() -> None:
    assert rao(bittensor.Balance(5, 7), netuid=7) == 5
    assert rao("0.5 α₇", netuid=7) == rao("0.5 alpha", netuid=7) == HALF
    for wrong in (bittensor.Balance(5), bittensor.Balance(5, 8), "0.5 TAO"):
        with pytest.raises(InvalidAmount, match="alpha of subnet 7"):
            rao(wrong, netuid=7)


def test_zero_is_read_where_it_has_a_meaning() -> None:
    assert rao(0, zero=True) == rao("0 TAO", zero=True) == rao(bittensor.Balance(0), zero=True) == 0
    for wrong in (False, -1, 1e-12):
        with pytest.raises(InvalidAmount):
            rao(wrong, zero=True)


@given(st.integers(1, U64_MAX))
def test_every_amount_of_the_chain_comes_back_from_every_exact_form(amount: int) -> None:
    exact = tao(amount)
    forms = (exact, Fraction(amount, RAO_PER_TAO), str(exact), format_tao(amount), bittensor.Balance(amount))
    for form in forms:
        assert rao(form) == amount


@given(st.integers(1, 10**15))
def test_a_float_of_nine_decimals_is_the_number_that_was_typed(amount: int) -> None:
    typed = float(f"{amount / RAO_PER_TAO:.9f}")
    assert rao(typed) == round(Decimal(repr(typed)) * RAO_PER_TAO)
    if amount < 10**14:  # below a hundred thousand TAO every rao has a float of its own
        assert rao(typed) == amount


@given(st.integers(1, 10**13), st.integers(1, 10**13))
def test_the_sum_of_two_floats_is_the_sum_of_their_rao(one: int, other: int) -> None:
    total = one / RAO_PER_TAO + other / RAO_PER_TAO
    assert rao(total) == one + other
