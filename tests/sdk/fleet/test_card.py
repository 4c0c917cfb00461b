"""The folder of a saved model says what goes in and which output is which class."""

import json
from typing import Any

import numpy as np
import polars as pl
import torch
from torch import nn

from subnetlab.fleet.worker.card import card
from subnetlab.fleet.worker.meaning import meaning
from subnetlab.lab.plan import plan
from subnetlab.train import data, models
from subnetlab.train.manifest import Manifest

OPTIONS: dict[str, Any] = {"strategy": None, "rounds": 2, "batch_size": 4, "seed": 0, "prompt": ""}
N = 60
SIZES = np.linspace(0, 1, N)
KINDS = np.array(["cat", "dog", "eel"])[np.arange(N) % 3]


def manifest(model: Any, given: Any, **options: Any) -> Manifest:
    return plan(model, given, **OPTIONS, **options).manifest("run", 1, 5)


def written(of: Manifest) -> tuple[dict[str, Any], list[str]]:
    """The configuration's part after JSON, which has no NaN, and the lines of the card."""
    found = json.loads(json.dumps(meaning(of), allow_nan=False))
    config = {"rounds": 2, "parameters": 9, "val_loss": 0.5, "theta_hash": "0"}
    return found, card(of, "a devnet", config).splitlines()


def test_a_classifier_of_a_frame_names_features_and_classes_in_order() -> None:
    frame = pl.DataFrame({"size": SIZES, "soil": ["clay", "sand"] * (N // 2), "kind": KINDS})
    found, lines = written(manifest(nn.Linear(3, 3), frame, target="kind"))
    assert found["features"] == ["size", "soil=clay", "soil=sand"]
    assert (found["target"], found["classes"]) == ("kind", ["cat", "dog", "eel"])
    assert found["standardised"] is False
    assert found["inputs"] == [
        {
            "name": "x", "dtype": "float32", "shape": [3], "features": ["size", "soil=clay", "soil=sand"],
            "divided_by": 1,
        }
    ]  # fmt: skip
    assert lines.index('    0  "size"') < lines.index('    2  "soil=sand"') < lines.index('    0  "cat"')
    assert "The outputs are of the classes of the target `kind`, in this order:" in lines
    assert any("neither centred nor scaled" in line for line in lines)


def test_one_output_of_two_classes_is_said_to_be_the_second() -> None:
    found, lines = written(manifest(nn.Linear(1, 1), (SIZES[:, None], SIZES > 0.5)))
    assert found["classes"] == [False, True]
    assert any("A single output is the logit of the second class." in line for line in lines)


class Two(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table, self.head = nn.Embedding(3, 4), nn.Linear(5, 1)

    def forward(self, num: torch.Tensor, cat: torch.Tensor) -> torch.Tensor:
        return self.head(torch.cat([num[:, None], self.table(cat)], 1)).squeeze(1)


def test_several_inputs_keep_their_names_and_types() -> None:
    given = {"num": SIZES, "cat": np.arange(N) % 3, "y": SIZES}
    found, lines = written(manifest(Two(), given))
    assert [(one["name"], one["dtype"], one["shape"]) for one in found["inputs"]] == [
        ("num", "float32", []), ("cat", "int64", []),
    ]  # fmt: skip
    assert "classes" not in found
    assert "The input `cat` is int64 of shape (B), of B items." in lines
    assert "The output is trained on the target `y`, as it is in the data." in lines


def test_images_are_said_to_be_divided() -> None:
    images = np.zeros((N, 2, 2), dtype=np.uint8)
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
    found, lines = written(manifest(model, (images, KINDS)))
    assert found["inputs"][0]["divided_by"] == 255
    assert any("`x` are bytes divided by 255" in line for line in lines)


def test_names_that_markdown_would_read_and_many_classes_stay_a_list() -> None:
    names = np.array([f"a|b`c\n{place:02}" for place in range(50)])[np.arange(200) % 50]
    found, lines = written(manifest(nn.Linear(1, 50), (np.arange(200.0)[:, None] / 200, names)))
    assert len(found["classes"]) == 50
    assert '    39  "a|b`c\\n39"' in lines
    assert "    … and 10 more" in lines


def test_text_has_no_features() -> None:
    found, lines = written(manifest(models.TinyGPT("binder"), data.text("a subnet pays " * 200)))
    assert found == {}
    assert not any("What goes in" in line for line in lines)
