"""Whatever a person has in hand becomes tokens or rows, or is refused in one sentence."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from subnetlab.errors import DataInvalid, DatasetEmpty
from subnetlab.train import data
from subnetlab.train.data import spec
from subnetlab.train.data.corpus import DataManifest

N = 40
X = np.arange(N * 3, dtype=np.float64).reshape(N, 3) / 7
Y = np.arange(N) % 4
FRAME = pl.DataFrame(
    {
        "age": range(N), "city": ["Rome", "Oslo"] * (N // 2), "member": [True, False] * (N // 2),
        "species": ["cat", "dog", "eel", "fox"] * (N // 4),
    }
)  # fmt: skip


def rows(corpus: data.Corpus, name: str) -> np.ndarray:
    both = np.concatenate([corpus.train[name], corpus.validation[name]])
    return both[np.lexsort(both.reshape(len(both), -1).T[::-1])]


class Pairs(Dataset[Any]):
    def __len__(self) -> int:
        return N

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return torch.from_numpy(X[index]), int(Y[index])


class Stream(IterableDataset[Any]):
    def __iter__(self) -> Iterator[Any]:
        return iter([(X[i], Y[i]) for i in range(N)])


class Columns:
    """As a Hugging Face data set shows itself."""

    column_names = ("x", "label")

    def __init__(self) -> None:
        self.features = {"x": object(), "label": type("ClassLabel", (), {"names": ["a", "b", "c", "d"]})()}

    def to_polars(self) -> pl.DataFrame:
        return pl.DataFrame({"x": X.tolist(), "label": Y})

    def __iter__(self) -> Iterator[Any]:
        return iter(self.to_polars().to_dicts())


PAIRS: dict[str, Any] = {
    "arrays": (X, Y),
    "tensors": (torch.from_numpy(X), torch.from_numpy(Y)),
    "series": (X, pl.Series("y", Y)),
    "data set": Pairs(),
    "tensor data set": TensorDataset(torch.from_numpy(X), torch.from_numpy(Y)),
    "loader": DataLoader(Pairs(), batch_size=7),
    "iterable": Stream(),
    "generator": ((X[i], Y[i]) for i in range(N)),
    "list of pairs": [(X[i], Y[i]) for i in range(N)],
    "frame of features": (pl.DataFrame(X, schema=["a", "b", "c"]), Y),
}


@pytest.mark.parametrize("kind", PAIRS)
def test_inputs_and_targets_are_the_same_rows_however_they_come(kind: str) -> None:
    corpus = data.of(PAIRS[kind]).load()
    assert rows(corpus, "x").tolist() == X.astype(np.float32).tolist()
    target = corpus.manifest.target
    assert target is not None
    assert target.classes == (0, 1, 2, 3)
    assert (len(corpus.train), len(corpus.validation)) == (36, 4)


def test_rows_that_come_sorted_by_class_are_in_both_parts() -> None:
    corpus = data.of((np.arange(1000.0)[:, None], np.repeat([0, 1], 500))).load()
    assert set(corpus.validation["y"].tolist()) == {0, 1} == set(corpus.train["y"][:20].tolist())
    again = data.of((np.arange(1000.0)[:, None], np.repeat([0, 1], 500))).load()
    assert again.manifest == corpus.manifest


def test_a_frame_is_encoded_and_says_how(tmp_path: Path) -> None:
    corpus = data.of(FRAME, target="species").materialise(tmp_path)
    (x,) = corpus.manifest.inputs
    assert x.names == ("age", "city=Oslo", "city=Rome", "member")
    assert x.shape == (4,)
    target = corpus.manifest.target
    assert target is not None
    assert target.classes == ("cat", "dog", "eel", "fox")
    ages = corpus.train["x"][:, 0].astype(int)
    assert (corpus.train["species"] == ages % 4).all()
    assert (corpus.train["x"][:, 2] == (ages % 2 == 0)).all()
    again = data.Corpus.open(tmp_path)
    again.verify()
    assert DataManifest.from_json(corpus.manifest.to_json()) == again.manifest == corpus.manifest


@pytest.mark.parametrize("suffix", ["parquet", "csv", "arrow", "ndjson"])
def test_a_table_in_a_file_is_the_frame_it_holds(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"table.{suffix}"
    write = {"arrow": FRAME.write_ipc, "ndjson": FRAME.write_ndjson}.get(suffix)
    (write or getattr(FRAME, f"write_{suffix}"))(path)
    root = data.of(FRAME, target="species").load().manifest.root
    assert data.of(path, target="species").load().manifest.root == root
    assert data.of(str(path), target="species").load().manifest.root == root
    assert data.of(FRAME.lazy(), target="species").load().manifest.root == root


def test_arrays_in_files(tmp_path: Path) -> None:
    np.savez(tmp_path / "pair.npz", x=X, y=Y)
    np.save(tmp_path / "tokens.npy", Y)
    assert rows(data.of(tmp_path / "pair.npz").load(), "x").shape == (N, 3)
    assert data.of(tmp_path / "tokens.npy").load().train.tolist() == Y[:36].tolist()


def test_text_files_and_folders_are_documents(tmp_path: Path) -> None:
    for place in range(10):
        (tmp_path / f"{place}.txt").write_text(f"document {place} ")
    corpus = data.of(tmp_path).load()
    assert corpus.validation.tobytes() == b"document 9 "
    assert data.of(tmp_path / "3.txt").load().train.tobytes() == b"document 3"
    (tmp_path / "blob.bin").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataInvalid, match=r"no text in UTF-8"):
        data.of(tmp_path)


def test_rows_of_dicts_and_dicts_of_arrays_are_one_table() -> None:
    found = [
        data.of([{"x": X[i], "y": int(Y[i])} for i in range(N)]).load(),
        data.of({"x": X, "y": Y}).load(),
        data.of(Columns()).load(),
    ]
    assert [rows(corpus, "x").tolist() for corpus in found] == [X.astype(np.float32).tolist()] * 3
    target = found[2].manifest.target
    assert target is not None
    assert target.classes == ("a", "b", "c", "d")
    assert target.coded


def test_numbers_of_a_dict_become_one_vector() -> None:
    corpus = data.of({"a": X[:, 0], "b": X[:, 1], "y": Y}).load()
    assert corpus.manifest.inputs[0].names == ("a", "b")
    assert rows(corpus, "x").tolist() == X[:, :2].astype(np.float32).tolist()


def test_images_stay_bytes() -> None:
    images = np.zeros((20, 8, 8), dtype=np.uint8)
    assert data.of((images, Y[:20])).load().train["x"].dtype == np.uint8


@pytest.mark.parametrize(
    "tokens", [list(b"abc" * 30), np.frombuffer(b"abc" * 30, dtype=np.uint8), torch.tensor(list(b"abc" * 30))]
)
def test_flat_whole_numbers_are_one_stream(tokens: Any) -> None:
    for source in (data.of(tokens), data.dataset(tokens)):
        corpus = source.load()
        assert bytes(corpus.train) + bytes(corpus.validation) == b"abc" * 30
        assert len(corpus.validation) == 9


def test_whole_numbers_in_rows_are_sequences_of_any_vocabulary() -> None:
    corpus = data.of(np.arange(65).repeat(40).reshape(-1, 40)).load()
    assert corpus.train.dtype == np.uint8
    assert data.of([[50_256, 1, 2]] * 10).load().train.dtype == np.uint16
    assert data.of([[70_000, 1, 2]] * 10).load().train.dtype == np.int32


def test_characters_are_tokens_with_words() -> None:
    corpus = data.text("hello wörld " * 20, characters=True).load()
    words = corpus.manifest.words
    assert words == tuple(sorted(set("hello wörld ")))
    assert "".join(words[token] for token in corpus.train[:12]) == "hello wörld "
    assert DataManifest.from_json(corpus.manifest.to_json()) == corpus.manifest


def test_a_column_of_text_alone_is_read_as_documents() -> None:
    corpus = data.of(pl.DataFrame({"text": ["one ", "two "] * 10})).load()
    assert corpus.train.tobytes().startswith(b"one two one ")
    assert data.of(["one ", "two "] * 10).load().manifest.root == corpus.manifest.root


def test_evaluation_data_takes_the_place_of_the_split() -> None:
    corpus = data.of(FRAME, eval_data=FRAME[:7], target="species").load()
    assert (len(corpus.train), len(corpus.validation)) == (N, 7)
    assert corpus.validation["species"].tolist() == [0, 1, 2, 3, 0, 1, 2]
    tokens = data.of("tests/conftest.py", eval_data=data.text("held out")).load()
    assert tokens.validation.tobytes() == b"held out"
    text = data.text("abcabc" * 9, characters=True)
    held = data.of(text, eval_data=data.text("cba", characters=True)).load()
    assert held.validation.tolist() == [2, 1, 0]


class Broken(Dataset[Any]):
    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> Any:
        raise KeyError("missing.png")


HOLED = FRAME.with_columns(age=pl.when(pl.col("age") > 3).then(pl.col("age")))
REFUSED: dict[str, tuple[Any, dict[str, Any], str]] = {
    "no data": (42, {}, "An? int is no data"),
    "a class": (torch.nn.Linear, {}, "class Linear is no data"),
    "a model": (torch.nn.Linear(2, 2), {}, "Linear is no data"),
    "none": (object(), {}, "is no data"),
    "text for a path": ("hello " * 500, {}, "no file or folder"),
    "a path that is not there": (Path("/nowhere/at/all.csv"), {}, "no file or folder"),
    "nulls": (HOLED, {"target": "species"}, r"'age' \(4\)"),
    "an unknown target": (FRAME, {"target": "price"}, "no column 'price'"),
    "an unknown feature": (FRAME, {"target": "age", "features": ["a"]}, "no column 'a'"),
    "a feature that is the target": (FRAME, {"target": "age", "features": ["age"]}, "is a feature and"),
    "a target that names no column": (FRAME, {"target": 3}, "names no columns"),
    "a date": (FRAME.with_columns(day=pl.date(2026, 1, 1)), {"target": "species"}, "holds Date"),
    "columns of arrays": (X, {"target": "y"}, "has none"),
    "not a number": ((np.where(X[2, 1] == X, np.nan, X), Y), {}, "'x' holds 1 numbers that are not finite"),
    "too large for a float": ((X * 1e300, Y), {}, "not finite as 32-bit"),
    "different lengths": ((X, Y[:-1]), {}, "different lengths"),
    "ragged": ([([1.0], 0), ([1.0, 2.0], 1)], {}, "has shape"),
    "ragged lists": (([[1.0], [1.0, 2.0]], [0, 1]), {}, "is no array"),
    "rows of other keys": ([{"x": 1.0, "y": 2}, {"x": 1.0}], {}, "Row 1 has other keys"),
    "objects": (([object()] * 4, [1] * 4), {}, "a model takes numbers|is no array"),
    "nulls in a list": (([[1.0], [2.0]], ["a", None]), {}, "holds 1 nulls"),
    "fractions alone": (X[:, 0], {}, "no inputs and targets"),
    "an item that cannot be read": (Broken(), {}, "KeyError"),
    "nothing in an item": ((np.zeros((5, 0)), np.zeros(5)), {}, "hold nothing"),
    "dates": (np.array(["2026-01-01"] * 4, dtype="datetime64[D]"), {}, "datetime64"),
    "another kind to evaluate on": ((X, Y), {"eval_data": ["text"]}, "two kinds"),
    "other columns to evaluate on": (
        FRAME, {"target": "species", "eval_data": FRAME.drop("age")}, "has shape|have shape",
    ),
    "another class to evaluate on": (
        FRAME, {"target": "species", "eval_data": FRAME.with_columns(species=pl.lit("gnu"))}, "'gnu'",
    ),
    "another text to evaluate on": (
        FRAME, {"target": "species", "eval_data": FRAME.with_columns(city=pl.lit("Bonn"))}, "'Bonn'",
    ),
    "another text beside targets": (
        (FRAME[["city"]], Y), {"eval_data": (pl.DataFrame({"city": ["Bonn", "Rome"]}), Y[:2])}, "'Bonn'",
    ),
    "another order to evaluate on": (
        (FRAME[["age", "member"]], Y), {"eval_data": (FRAME[["member", "age"]], Y)}, "differ between",
    ),
    "lists called as the vector of the other columns": (
        pl.DataFrame({"x": X.tolist(), "age": Y, "y": Y}), {}, "The column 'x' holds lists, and 'age'",
    ),
    "negative tokens": ([[1, -1]], {}, "-1"),
    "a mixture": ([[1, 2], 3, [4]], {}, "single tokens and sequences"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_trained_on_is_refused_in_a_sentence(kind: str) -> None:
    given, options, words = REFUSED[kind]
    with pytest.raises(DataInvalid, match=words) as refused:
        data.of(given, **options).load()
    assert "\n" not in str(refused.value).strip()


@pytest.mark.parametrize(
    "empty", [[], (), {}, np.zeros(0, dtype=np.int64), pl.DataFrame({"x": [], "y": []}), iter(())]
)
def test_nothing_is_called_empty(empty: Any) -> None:
    with pytest.raises(DatasetEmpty):
        data.of(empty).load()


def test_endless_data_ends_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spec, "MOST_ITEMS", 1_000)
    for endless in (
        itertools.repeat(b"x"),
        itertools.count(),
        itertools.repeat([]),
        itertools.cycle([(X[0], 1)]),
    ):
        with pytest.raises(DataInvalid, match=r"not ended after 1,000 items"):
            data.of(endless).load()
        with pytest.raises(DataInvalid, match=r"not ended after"):
            data.dataset(itertools.repeat(b"x")).load()


def test_more_bytes_than_a_run_can_hold_end_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spec, "MOST_BYTES", 400)
    for large in ((X.repeat(50, axis=0), Y.repeat(50)), Pairs(), itertools.repeat(X)):
        with pytest.raises(DataInvalid, match=r"larger than"):
            data.of(large).load()


def test_an_empty_item_among_others_is_left_out() -> None:
    assert len(data.dataset([[1, 2, 3] * 100] * 20 + [[]]).load().train) == 18 * 300


def test_a_manifest_with_impossible_columns_is_refused() -> None:
    told = data.of((X, Y)).load().manifest.to_json()
    for change in (
        {"dtype": "f9"}, {"shape": [-1]}, {"shape": [1 << 40]}, {"name": 3}, {"strange": 1}, {"name": "y"},
    ):  # fmt: skip
        columns = [dict(told["columns"][0]) | change, *told["columns"][1:]]
        with pytest.raises(Exception, match=r"columns|larger") as refused:
            DataManifest.from_json({**told, "columns": columns})
        assert type(refused.value).__name__ == "ManifestInvalid"


def test_chunks_of_a_frame_are_the_frame() -> None:
    root = data.of(FRAME, target="species").load().manifest.root
    chunks = (FRAME[start : start + 7] for start in range(0, len(FRAME), 7))
    assert data.of(chunks, target="species").load().manifest.root == root
    assert data.of([FRAME[:5], FRAME[5:].lazy()], target="species").load().manifest.root == root


@pytest.mark.parametrize("other", [FRAME[:3].drop("age"), {"age": 1}])
def test_chunks_of_other_columns_are_refused(other: object) -> None:
    with pytest.raises(DataInvalid, match="Item 1 of 'list' is no frame with the columns of the first"):
        data.of([FRAME, other], target="species")


def test_objects_are_no_numbers() -> None:
    with pytest.raises(DataInvalid, match="'x' holds object"):
        data.of((np.array([object()] * 3), np.arange(3)))
