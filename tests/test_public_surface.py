"""What `import subnetlab` shows a notebook user, and what it costs."""

import json
import subprocess
import sys

import pytest

import subnetlab
from subnetlab.signatures import VERBS

MOST_NAMES = 25
HEAVY = {
    "torch",
    "polars",
    "bittensor",
    "bittensor_core",
    "web3",
    "numpy",
    "aiohttp",
    "IPython",
    "ipywidgets",
}


def test_the_surface_is_small_and_every_name_is_there() -> None:
    assert 0 < len(subnetlab.__all__) <= MOST_NAMES
    assert len(set(subnetlab.__all__)) == len(subnetlab.__all__)
    for name in subnetlab.__all__:
        assert getattr(subnetlab, name) is not None
    assert set(subnetlab.__all__) <= set(dir(subnetlab))


def test_tab_shows_public_names_alone() -> None:
    assert sorted(dir(subnetlab)) == sorted(subnetlab.__all__)


@pytest.mark.parametrize(
    ("word", "meant"),
    [("DiLoCo", "sl.strategies.DiLoCo"), ("diloco", "sl.strategies.DiLoCo"), ("TinyGPT", "sl.models.TinyGPT"),
     ("AdamW", "sl.optimizers.AdamW"), ("stdlib", "sl.data.stdlib"), ("conect", "sl.connect"),
     ("strategys", "sl.strategies"), ("LocalFlet", "sl.LocalFleet"), ("stake", "net.stake"),
     ("create_subnet", "net.create_subnet")],
)  # fmt: skip
def test_a_name_that_is_almost_one_is_named(word: str, meant: str) -> None:
    with pytest.raises(AttributeError) as caught:
        getattr(subnetlab, word)
    assert str(caught.value).endswith(f"Did you mean {meant}?")


def test_every_method_that_is_named_instead_is_there() -> None:
    holders = {"net": subnetlab.Net, "subnet": subnetlab.Subnet, "run": subnetlab.Run}
    assert [word for word, holder in VERBS.items() if not hasattr(holders[holder], word)] == []


def test_a_name_that_means_nothing_gets_no_hint_and_loads_nothing() -> None:
    for word in ("zebra", "_ipython_display_", "__wrapped__"):
        assert not hasattr(subnetlab, word)
    code = "import subnetlab, sys; hasattr(subnetlab, 'DiLoCo'); print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300
    )
    assert done.stdout == "False\n"


def test_a_network_has_one_public_client_and_it_is_the_sdks() -> None:
    assert not hasattr(subnetlab.Net, "network")
    assert "bittensor SDK" in (subnetlab.Net.client.__doc__ or "")


def test_every_public_name_explains_itself() -> None:
    assert [name for name in subnetlab.__all__ if not getattr(subnetlab, name).__doc__] == []


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import subnetlab, sys, json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300
    )
    assert HEAVY & set(json.loads(done.stdout)) == set()
