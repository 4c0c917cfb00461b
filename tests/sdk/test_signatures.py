"""A misspelt option is refused with the word that was meant, before anything happens."""

from collections.abc import Callable
from typing import Any

import pytest

import subnetlab as sl
from subnetlab.errors import ArgumentInvalid, SubnetLabError
from subnetlab.signatures import known_arguments, nearest

CALLS: dict[str, tuple[Callable[[], Any], str]] = {
    "a typo of a fleet": (lambda: sl.LocalFleet(minres=2), "no option 'minres'. Did you mean miners=?"),  # type: ignore[call-arg]
    "a word of others": (lambda: sl.LocalFleet(num_miners=2), "Did you mean miners=?"),  # type: ignore[call-arg]
    "by place": (lambda: sl.LocalFleet(3), "too many positional arguments"),  # type: ignore[call-arg]
    "a typo of connect": (lambda: sl.connect(sealling="instant"), "Did you mean sealing=?"),  # type: ignore[call-arg]
    "a place too many": (lambda: sl.connect("devnet", "instant"), "sl.connect: too many"),  # type: ignore[call-arg,misc]
    "a typo of compare": (
        lambda: sl.compare({"dense": sl.strategies.DiLoCo()}, batchsize=3), "Did you mean batch_size=?",
    ),
    "a word of others in compare": (
        lambda: sl.compare({"dense": {"learning_rate": 1.0}}), "'learning_rate'. Did you mean lr=?",
    ),
    "a typo of a strategy": (
        lambda: sl.strategies.DiLoCo(inner_step=3), "no option 'inner_step'. Did you mean inner_steps=?",  # type: ignore[call-arg]
    ),
    "a typo of an optimizer": (
        lambda: sl.optimizers.MuonConfig(momentun=0.9), "MuonConfig has no option 'momentun'",  # type: ignore[call-arg]
    ),
    "a typo of a model": (lambda: sl.models.TinyGPT("demo", n_embed=3), "Did you mean n_embd=?"),  # type: ignore[call-arg]
    "data in two places": (
        lambda: sl.data.of([[1.0]], [2.0]), "A pair is one argument: sl.data.of((x, y))",  # type: ignore[call-arg,misc]
    ),
    "a typo of text": (lambda: sl.data.text("a b", charcters=True), "Did you mean characters=?"),  # type: ignore[call-arg]
    "nothing to open": (sl.open, "missing a required argument: 'path'"),
    "an unknown word of open": (lambda: sl.open("x.zip", password=""), "It takes path."),  # type: ignore[call-arg]
    "nothing to attach": (sl.attach, "missing a required argument: 'name'"),
}  # fmt: skip


@pytest.mark.parametrize("kind", CALLS)
def test_what_a_call_does_not_take_is_named_with_what_it_does(kind: str) -> None:
    call, words = CALLS[kind]
    with pytest.raises(ArgumentInvalid) as refused:
        call()
    assert words in str(refused.value)


def test_a_call_that_fits_is_the_function_itself() -> None:
    @known_arguments("f")
    def given(a: int, *, b: int = 2, **rest: int) -> tuple[int, int, dict[str, int]]:
        """Documented."""
        return a, b, rest

    assert given(1, b=3, c=4) == (1, 3, {"c": 4})
    assert given.__doc__ == "Documented."
    assert given.__name__ == "given"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("epochs", "rounds"), ("learning_rate", "lr"), ("round", "rounds"), ("metric", "metrics"), ("zzz", "")],
)
def test_the_word_of_another_library_leads_to_ours(typed: str, meant: str) -> None:
    assert nearest(typed, ["rounds", "lr", "metrics", "seed"]) == meant


def test_every_refusal_is_caught_by_the_name_at_the_top_of_the_package() -> None:
    assert sl.SubnetLabError is SubnetLabError
    with pytest.raises(sl.SubnetLabError):
        sl.LocalFleet(miners=0)
    assert issubclass(sl.errors.MoneyError, sl.SubnetLabError)
