"""Completion: ours on our lines, IPython's everywhere else."""

from pathlib import Path

import pytest
from tests.kernel.running import RunningKernel
from tests.sdk.lab import story

from subnetlab.frames import NAMES
from subnetlab.lab.run import Run
from subnetlab_kernel.completion import complete


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("%sl st", ["stake"]),
        ("%sl br", ["browser"]),
        ("%sl lo", ["lock"]),
        ("%sl move --", ["--help", "--netuid", "--wallet"]),
        ("%sl job 0x1 --wallet a", ["alice"]),
        ("%sl stake --", ["--help", "--netuid", "--to", "--wallet"]),
        ("%sl unstake --wallet b", ["bob"]),
        ("%sl network te", ["test"]),
        ("x = 1\n%sl wal", ["wallet"]),
        ("%%train --mi", ["--miners"]),
        ("%%train --opt", ["--optimizer"]),
        ("%%train --optimizer ", ["adamw", "muon", "signum"]),
        ("%%train --baselines al", ["alone", "alone_3x"]),
        ("%%train --baselines alone,d", ["alone,ddp"]),
        ("%%train --attackers sign", ["sign_flip="]),
        ("%%train --attackers sign_flip=2,free", ["sign_flip=2,free_rider="]),
        ("%sl nonsense --", []),
        ("%sl wallet ", ["alice", "bob", "charlie", "dave", "eve", "ferdie"]),
        ("%sl pay 1 f", ["ferdie"]),
        ("%sl pay 1 bob ", []),
        ("%sl pay --wallet c", ["charlie"]),
        ("%sl stake 5 --wallet bob ", []),
        ("%sl attach tiny", []),
        ("%sl budget ", []),
        ('run.frame("mi', ["miners"]),
        ("x = 1\nrun.frame( 'ro", ["rounds"]),
        ('net.wallet("', ["alice", "bob", "charlie", "dave", "eve", "ferdie"]),
        ('sl.connect("fi', ["finney"]),
        ('run.frame("', list(NAMES)),
    ],
)
def test_words_of_our_lines(code: str, expected: list[str]) -> None:
    reply = complete(code, len(code), {})
    assert reply is not None
    assert reply["matches"] == expected
    assert reply["cursor_start"] <= reply["cursor_end"] == len(code)


@pytest.mark.parametrize(
    "code", ["", "import o", "%time x", "%%train --rounds 3\nimp", "net.pa", 'sqlite3.connect("my']
)
def test_lines_that_are_not_ours(code: str) -> None:
    assert complete(code, len(code), {}) is None


def test_runs_are_completed_from_their_folders(home: Path) -> None:
    for name in ("tiny-lm-a1", "tiny-lm-b2", "other-c3"):
        (home / "runs" / name).mkdir(parents=True)
        (home / "runs" / name / "manifest.json").touch()
    (home / "runs" / "tiny-unfinished").mkdir()
    reply = complete("%sl attach tiny", 15, {})
    assert reply is not None
    assert reply["matches"] == ["tiny-lm-a1", "tiny-lm-b2"]


def test_seats_and_variables_come_from_the_runs_the_notebook_holds(home: Path) -> None:
    run = Run(story.write(home / "told", story.story()))
    variables = {"run": run, "mine": run, "_": run, "x": 1}

    def matches(code: str) -> list[str]:
        reply = complete(code, len(code), variables)
        assert reply is not None
        return reply["matches"]

    assert matches("%sl explain ") == [str(uid) for uid in (*story.MINERS, story.FREE_RIDER)]
    assert matches("%sl stake 1 --to ") == [str(uid) for uid in story.VALIDATORS]
    assert matches("%sl explain 3 --name ") == ["mine", "run"]


def test_a_front_end_gets_both(kernel: RunningKernel) -> None:
    ours = kernel.answer(kernel.client.complete("%sl ex", 6))
    assert ours["matches"] == ["explain"]
    theirs = kernel.answer(kernel.client.complete("import jso", 10))
    assert "json" in theirs["matches"]
