"""A person whose numbers are far from 1 is told which, and nobody else is."""

import numpy as np
import polars as pl

from subnetlab.train import data
from subnetlab.train.data.scales import scale_note

DRAW = np.random.default_rng(3)
RAW = pl.DataFrame(
    {
        "sqm": DRAW.normal(115, 50, 200),
        "share": DRAW.uniform(0, 1, 200),
        "city": DRAW.choice(["Lyon", "Nice"], 200),
        "price": DRAW.normal(5e5, 2e5, 200),
    }
)


def test_features_and_a_target_far_from_one_are_named() -> None:
    said = scale_note(data.of(RAW, target="price").load(), target=True)
    assert "'sqm' is 11" in said
    assert "the target 'price' is" in said
    assert "share" not in said
    assert "city" not in said
    assert "the target" not in scale_note(data.of(RAW, target="price").load(), target=False)


def test_scaled_numbers_text_and_images_need_no_word() -> None:
    scaled = RAW.with_columns((pl.col("sqm", "price") - pl.col("sqm", "price").mean()) / 1e6)
    assert scale_note(data.of(scaled, target="price").load(), target=True) == ""
    assert scale_note(data.text("a text " * 50).read(), target=True) == ""
    images = (np.zeros((20, 8, 8), dtype=np.uint8), np.arange(20) % 2)
    assert scale_note(data.of(images).load(), target=True) == ""


def test_many_features_are_said_in_one_sentence() -> None:
    wide = DRAW.normal(100, 1, (50, 40)).astype(np.float32)
    said = scale_note(data.of((wide, np.arange(50) % 2)).load(), target=False)
    assert said.startswith("Numbers far from 1 train badly: 40 numbers of 'x'.")
    named = pl.DataFrame(wide, schema=[f"f{i}" for i in range(40)]).with_columns(y=pl.lit(0.5))
    assert " and 37 more." in scale_note(data.of(named, target="y").load(), target=True)
