"""A file that defines answer and judge is a plan that `subnetlab run publish` tries out."""

from pathlib import Path

import pytest

from subnetlab.commands.run import read_plan
from subnetlab.errors import ArgumentInvalid
from subnetlab.lab.answers_plan import AnswersPlan, planned

PLAN = """
OFFSET = 1
def shifted(number):
    return number + OFFSET
def answer(task):
    return shifted(task["a"]) + task["b"] - 1
def judge(task, answer, random):
    return float(answer == task["a"] + task["b"]) * (1 + random.random())
def tasks(random):
    return {"a": random.randrange(9), "b": 1}
rounds = 3
tasks_per_round = 2
"""


def made(tmp_path: Path, text: str) -> AnswersPlan:
    (tmp_path / "plan.py").write_text(text)
    return planned(**read_plan(tmp_path / "plan.py"))


def test_a_file_becomes_a_plan_whose_functions_travel_as_source(tmp_path: Path) -> None:
    plan = made(tmp_path, PLAN)
    assert (plan.rounds, plan.tasks_per_round, plan.takes_random) == (3, 2, True)
    assert "def shifted(number)" in plan.answers[0].text
    assert plan.judge_s > 0
    (tmp_path / "run").mkdir()
    plan.write(tmp_path / "run", 1, 9, miners=2)
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"answers.json", "manifest.json"}
    assert "shifted" not in (tmp_path / "run" / "manifest.json").read_text(), "the manifest fixes no answer"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("def answer(", "def other("), "defines a judge, and no answer. Add def answer"),
        (("def tasks(", "def other("), "defines a judge, and no tasks. Add tasks"),
        (("rounds = 3", "round = 3"), "assigns 'round', which no run knows. Did you mean 'rounds'?"),
        (("return shifted", "return missing"), "answer failed on the task .*NameError"),
    ],
)
def test_a_file_that_lacks_something_is_refused(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    with pytest.raises(ArgumentInvalid, match=said):
        made(tmp_path, PLAN.replace(*change))
