"""Taking up what was left: by several at once, and long after the notebook that began it has gone."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
from tests.chaos.small import alive_below, begin, check, kill, reach, until

import subnetlab as sl
from subnetlab.network.dev import DevControls
from subnetlab.record.line import FILE_NAME
from subnetlab.settings import nodes_folder


def programs(home: Path) -> list[str]:
    """The module that each process below a home was started with."""

    def module(process: psutil.Process) -> str:
        line = process.cmdline()
        return line[line.index("-m") + 1] if "-m" in line else ""

    return sorted(name for process in alive_below(home) if (name := module(process)))


def supervisor_of(run: sl.Run) -> int:
    return json.loads((run.folder / "supervisor.json").read_text())["pid"]


def test_however_many_attach_one_node_and_one_supervisor_come_back(home: Path) -> None:
    with sl.connect() as net:
        run = begin(net)
        reach(run.folder, 1, 0)
        before = (run.folder / FILE_NAME).read_bytes()
        assert net._node is not None
        kill(net._node.pid)
        kill(supervisor_of(run))
        until(lambda: not alive_below(home), "peers outlive their supervisor")
        with ThreadPoolExecutor(3) as hands:
            notes = [taken.note for taken in hands.map(sl.attach, [run.id] * 3)]
        assert any("started again" in note for note in notes), notes
        assert not any("cannot" in note for note in notes)
        assert programs(home) == ["subnetlab.devnet", "subnetlab.fleet"]
        check(run.wait(300), before)
    until(lambda: not alive_below(home), "somebody is left")
    assert not list(nodes_folder().glob("*/chain*"))


def test_a_run_left_by_its_notebook_waits_with_its_chain(home: Path) -> None:
    with sl.connect() as net:
        run = begin(net)
        reach(run.folder, 1, 1)
        kill(supervisor_of(run))
        until(lambda: run.status == "interrupted", "its end is not noticed")
    until(lambda: not alive_below(home), "somebody is left")
    before = (run.folder / FILE_NAME).read_bytes()
    again = sl.attach(run.id)
    assert "Its node and its supervisor were" in again.note
    check(again.wait(300), before)
    DevControls(run.endpoint).shutdown()
    until(lambda: not alive_below(home), "somebody is left")


def test_a_detached_run_outlives_its_notebook_and_its_node_ends_when_nobody_is_left(home: Path) -> None:
    with sl.connect(idle_limit_s=2) as net:
        run = begin(net, detach=True)
        before = (run.folder / FILE_NAME).read_bytes()
    assert "subnetlab.devnet" in programs(home)
    check(run.wait(300), before)
    until(lambda: not alive_below(home), "somebody is left")
