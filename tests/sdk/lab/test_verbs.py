"""Every verb of a run, a network and a package with values of a wrong type: one sentence."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.sdk.lab import story

import subnetlab as sl
from subnetlab.lab.run import Run

WRONG: list[Any] = [5, 1.5, -1, True, None, b"x", object(), [], {}, float("nan"), int]
NO_TEXT = [value for value in WRONG if value is not None]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(story.write(tmp_path_factory.mktemp("runs") / "r1", story.story()))


@pytest.fixture
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBNETLAB_HOME", str(tmp_path))


def refused(call: Callable[[Any], Any], values: list[Any]) -> list[str]:
    """What a call says of each value where it is no sentence of ours."""
    said: list[str] = []
    for value in values:
        try:
            call(value)
        except sl.SubnetLabError as error:
            if "\n" in str(error).strip() or len(str(error)) > 600:
                said.append(f"{value!r}: no sentence: {error}")
        except Exception as error:  # noqa: BLE001 - what this test looks for
            said.append(f"{value!r}: {type(error).__name__}: {error}")
        else:
            said.append(f"{value!r}: accepted")
    return said


OF_A_RUN: dict[str, tuple[Callable[[Run, Any], Any], list[Any]]] = {
    "save": (lambda run, value: run.save(value), [*WRONG, "", " "]),
    "save(model=)": (lambda run, value: run.save("x.zip", model=value), [5, "no", None]),
    "wait": (lambda run, value: run.wait(value), ["x", -1, True, b"x", object(), [], float("nan"), int]),
    "wait(progress=)": (lambda run, value: run.wait(progress=value), [5, "yes", object()]),
    "result": (lambda run, value: run.result(value), ["x", -1, True, object(), [], float("nan")]),
    "stop": (lambda run, value: run.stop(value), ["x", -1, True, None, object(), [], float("nan")]),
    "state_dict": (lambda run, value: run.state_dict(value), ["x", -1, True, 1.5, 99, object(), [], {}]),
    "frame": (lambda run, value: run.frame(value), [*WRONG, "miner", ""]),
    "explain": (lambda run, value: run.explain(value), ["3", 99, -1, True, None, 1.5, object(), [], {}]),
    "kill": (lambda run, value: run.kill(value), ["3", 99, True, None, object(), []]),
    "kill(restart=)": (lambda run, value: run.kill(1, restart=value), [5, "yes", None]),
    "pause": (lambda run, value: run.pause(1, value), ["x", -1, None, object(), [], float("nan")]),
    "join": (lambda run, value: run.join(value), ["x", 0, -1, True, None, 1.5, 65, object(), []]),
    "join(attacker=)": (lambda run, value: run.join(attacker=value), [5, None, object(), []]),
}  # fmt: skip


@pytest.mark.parametrize("verb", OF_A_RUN)
def test_a_verb_of_a_run_takes_wrong_types_in_a_sentence(run: Run, verb: str) -> None:
    call, values = OF_A_RUN[verb]
    assert refused(lambda value: call(run, value), values) == []


OF_THE_PACKAGE: dict[str, tuple[Callable[[Any], Any], list[Any]]] = {
    "open": (sl.open, [*WRONG, "", "/nope.zip"]),
    "attach": (sl.attach, [*WRONG, "", "nope"]),
    "runs": (lambda value: sl.runs(all=value), [5, "yes", None]),
    "connect": (sl.connect, [*WRONG, "", "nope"]),
    "sealing": (lambda value: sl.connect(sealing=value), ["x", 0, -1, True, None, [], float("nan")]),
    "connect(idle_limit_s=)": (lambda value: sl.connect(idle_limit_s=value), ["x", -1, True, None, []]),
    "connect(confirm=)": (lambda value: sl.connect(confirm=value), [5, "yes", object()]),
    "compare": (sl.compare, [*WRONG, "DiLoCo", sl.strategies.DiLoCo()]),
    "compare(seeds=)": (
        lambda value: sl.compare({"a": sl.strategies.DiLoCo()}, seeds=value), [5, "x", None, (), [1.5]],
    ),
    "compare(fleet=)": (lambda value: sl.compare({"a": sl.strategies.DiLoCo()}, fleet=value), [5, "x"]),
    "LocalFleet(miners=)": (lambda value: sl.LocalFleet(miners=value), [0, *NO_TEXT[1:], None]),
    "LocalFleet(stakes_tao=)": (lambda value: sl.LocalFleet(stakes_tao=value), [5, "x", None, (), (0,)]),
    "LocalFleet(phase_limit_s=)": (lambda value: sl.LocalFleet(phase_limit_s=value), ["x", None, 0, -1, []]),
    "LocalFleet(baseline=)": (lambda value: sl.LocalFleet(baseline=value), ["ddp", 5, None]),
    "data.text": (sl.data.text, [5, None, object(), [], int, "/nope.txt", "./notes.md", Path("x")]),
    "models.of": (sl.models.of, [*WRONG, "gpt2"]),
}  # fmt: skip


@pytest.mark.usefixtures("_own_home")
@pytest.mark.parametrize("verb", OF_THE_PACKAGE)
def test_a_verb_of_the_package_takes_wrong_types_in_a_sentence(verb: str) -> None:
    assert refused(*OF_THE_PACKAGE[verb]) == []


def test_a_verb_of_a_network_takes_wrong_types_in_a_sentence(net: sl.Net) -> None:
    head = net.block
    subnet = net.create_subnet("verbs", wallet="alice")
    said = {
        "create_subnet": refused(net.create_subnet, [*WRONG, ""]),
        "create_subnet(wallet=)": refused(
            lambda value: net.create_subnet("x", wallet=value), [5, None, "zed"]
        ),
        "subnet": refused(net.subnet, [*WRONG[1:], 999]),
        "seal": refused(net.seal, [0, -1, 1.5, True, "x", None, []]),
        "wallet": refused(net.wallet, [*WRONG, "zed"]),
        "hotkey": refused(subnet.hotkey, ["x", -1, 999, None, 1.5, []]),
        "a misspelt name": refused(lambda value: net.create_subnet(**value), [{"nmae": "x"}, {}]),
    }
    assert {verb: errors for verb, errors in said.items() if errors} == {}
    assert net.block > head


def test_a_misspelt_option_of_train_is_refused_for_nothing(net: sl.Net) -> None:
    subnet = net.create_subnet("options", wallet="alice")
    before = (net.block, net.balance("alice"))
    for options, words in (
        ({"epochs": 3}, "subnet.train has no option 'epochs'. Did you mean rounds=?"),
        ({"batchsize": 3}, "Did you mean batch_size=?"),
        ({"wibble": 3}, "It takes model, data, task"),
    ):
        with pytest.raises(sl.errors.ArgumentInvalid) as error:
            subnet.train(**options)  # type: ignore[arg-type]
        assert words in str(error.value)
    with pytest.raises(sl.errors.ArgumentInvalid, match=r"too many .* subnet.train\(model, \(x, y\)\)"):
        subnet.train(None, [1.0], [2.0])  # type: ignore[misc]
    assert (net.block, net.balance("alice")) == before
