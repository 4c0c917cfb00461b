"""`sl.check`: exercises of the course, each answer judged with a sentence that says what went wrong.

`exercise("1.2", answer)` compares an answer with what the chain's own mathematics or the student's own run
says, and names the nearest misconception; `report()` lists every exercise and how it went. An answer is never
shown. Tries are kept in `exercises.jsonl` below SubnetLab's home, without what was answered unless a class
was joined: `report()` sends it the last answers. Grades that count are computed by the class, or where the
educator runs the notebook, because a student can change what runs here.
"""

from subnetlab.lab.check.judge import exercise as exercise
from subnetlab.lab.check.report import report as report

__all__ = ["exercise", "report"]
