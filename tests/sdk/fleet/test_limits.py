"""What a container may use is in its control groups, whatever the machine around it has."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from subnetlab.fleet.control_groups import memory_kills
from subnetlab.fleet.limits import cores, free_memory, warning
from subnetlab.fleet.local import LocalFleet

GB = 1_000_000_000


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def test_version_2_counts_the_group_and_those_above(tmp_path: Path) -> None:
    own, groups = tmp_path / "own", tmp_path / "groups"
    own.write_text("0::/outer/inner\n")
    write(groups / "outer", cpu__max="100000 100000\n", memory__max="max\n", memory__current="5\n")
    write(groups / "outer/inner", cpu__max="max 100000\n")
    write(groups / "outer/inner", memory__max=str(GB), memory__current="400000000")
    assert cores(groups=groups, own=own) == 1
    assert free_memory(groups=groups, own=own, memory=tmp_path / "none") == 600_000_000


def test_version_1_has_a_folder_for_each_controller(tmp_path: Path) -> None:
    own, groups = tmp_path / "own", tmp_path / "groups"
    own.write_text("4:memory:/box\n2:cpu,cpuacct:/box\n1:name=systemd:/\n")
    write(groups / "cpu/box", cpu__cfs_quota_us="50000", cpu__cfs_period_us="100000")
    write(groups / "memory/box", memory__limit_in_bytes=str(GB), memory__usage_in_bytes="1000")
    assert cores(groups=groups, own=own) == 0.5
    assert free_memory(groups=groups, own=own, memory=tmp_path / "none") == GB - 1000


@pytest.mark.parametrize("text", ["", "garbage", "0::/../..\n", "1:cpu\n"])
def test_what_cannot_be_read_limits_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "own").write_text(text)
    assert cores(groups=tmp_path / "groups", own=tmp_path / "own") >= 1
    memory = tmp_path / "memory"
    memory.write_text("MemTotal: 9 kB\nMemAvailable: 7 kB\n")
    assert free_memory(groups=tmp_path / "groups", own=tmp_path / "own", memory=memory) == 7 * 1024


def test_a_small_container_is_told_before_it_is_slow() -> None:
    said = warning(LocalFleet(), 1, GB)
    assert said.startswith("1 core and 1.0 GB of free memory are little for 11 peers")
    assert "sl.LocalFleet(miners=3, validators=1, baseline=False)" in said
    assert warning(LocalFleet(), 2, 4 * GB) == ""
    assert warning(LocalFleet(miners=1, validators=1, baseline=False), 1, GB) == ""
    assert warning(LocalFleet(), 4, None) == ""


def test_kills_for_want_of_memory_are_counted_where_either_version_tells(tmp_path: Path) -> None:
    own, groups, machine = tmp_path / "own", tmp_path / "groups", tmp_path / "vmstat"
    own.write_text("0::/two\n4:memory:/one\n")
    told = {"groups": groups, "own": own, "machine": machine}
    assert memory_kills(**told) == 0
    machine.write_text("pgfault 7\noom_kill 2\n")
    write(groups / "two", memory__events="oom 9\noom_kill 3\noom_group_kill 8\n")
    write(groups / "memory/one", memory__oom_control="oom_kill_disable 0\nunder_oom 0\noom_kill 4\n")
    assert memory_kills(**told) == 9
    machine.write_text("oom_kill many\n")
    assert memory_kills(**told) == 7


ISOLATED = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]


@pytest.mark.skipif(
    shutil.which("unshare") is None or subprocess.run([*ISOLATED, "true"], check=False).returncode != 0,
    reason="this system lets nobody see other control groups than its own",
)
def test_the_doctor_of_a_container_names_its_core_and_its_memory(tmp_path: Path) -> None:
    groups = tmp_path / "groups"
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            own = groups / controller / path.strip("/")
            for folder in (own, *own.parents):
                if folder.is_relative_to(groups / controller):
                    write(folder, cpu__max="100000 100000\n", memory__max=str(GB), memory__current="9")
                    write(folder, cpu__cfs_quota_us="100000", cpu__cfs_period_us="100000")
                    write(folder, memory__limit_in_bytes=str(GB), memory__usage_in_bytes="9")
    script = 'mount --bind "$1" /sys/fs/cgroup && exec "$2" -m subnetlab doctor'
    command = [*ISOLATED, "sh", "-c", script, "sh", str(groups), sys.executable]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = [" ".join(line.split()) for line in said.splitlines() if "processor" in line or "memory" in line]
    assert found[:2] == ["!! processor 1 core", "!! memory 1000.0 MB free"]
    assert "1 core and 1.0 GB of free memory are little" in found[2]
    assert "sl.LocalFleet(miners=3, validators=1, baseline=False) is smaller." in said
