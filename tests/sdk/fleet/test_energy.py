"""What the processors used, read from a folder that looks as the kernel's does."""

from pathlib import Path

from subnetlab.fleet.supervisor.energy import EnergyMeter


def package(folder: Path, name: str, used: int, range_: int = 1_000_000) -> Path:
    made = folder / name
    made.mkdir()
    (made / "energy_uj").write_text(f"{used}\n")
    (made / "max_energy_range_uj").write_text(f"{range_}\n")
    return made


def test_all_packages_are_added_up_and_their_parts_left_out(tmp_path: Path) -> None:
    first, second = package(tmp_path, "intel-rapl:0", 100), package(tmp_path, "intel-rapl:1", 0)
    part = package(tmp_path, "intel-rapl:0:0", 5)
    meter = EnergyMeter(tmp_path)
    (first / "energy_uj").write_text("500100")
    (second / "energy_uj").write_text("250000")
    (part / "energy_uj").write_text("400000")
    assert meter.read() == 0.75


def test_a_counter_that_begins_again_goes_on_counting(tmp_path: Path) -> None:
    only = package(tmp_path, "intel-rapl:0", 900_000)
    meter = EnergyMeter(tmp_path)
    for used in (100_000, 50_000):
        (only / "energy_uj").write_text(str(used))
        found = meter.read()
    assert found == 0.2 + 0.95


def test_a_machine_that_does_not_tell_is_not_guessed(tmp_path: Path) -> None:
    assert EnergyMeter(tmp_path).read() is None
    assert EnergyMeter(tmp_path / "nothing").read() is None
    (package(tmp_path, "intel-rapl:0", 1) / "energy_uj").unlink()
    assert EnergyMeter(tmp_path).read() is None
