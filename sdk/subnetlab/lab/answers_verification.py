"""Verify a run of answers: what is missing for it is a finding of its own, never an error."""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from subnetlab.answers.calls import Calls, FunctionFailed
from subnetlab.answers.draw import TASKS
from subnetlab.answers.manifest import AnswersManifest
from subnetlab.answers.validator import JUDGE
from subnetlab.answers.verify import AnswersSources, verify_answers
from subnetlab.errors import ManifestInvalid
from subnetlab.network.commit_history import ChainHistory
from subnetlab.store.base import Store
from subnetlab.train.roster import Roster
from subnetlab.train.tasks.code import Code
from subnetlab.train.verify import Report
from subnetlab.train.verify.log import Log


def judge_again(  # noqa: PLR0917 - what `verify_folder` has found, in its order
    chosen: Mapping[str, Any], report: Report, history: ChainHistory | None, store: Store | None,
    roster_of: Callable[[AnswersManifest], Roster], log: Log | None, *, trusted: bool,
) -> Report:  # fmt: skip
    """Judge a run of answers again, where all that it takes is at hand; the report.

    Args:
        chosen: the manifest that the chain names, as JSON.
        report: takes what is found.
        history: what the chain holds; None where no node answers.
        store: where answers and records lie; None where it cannot be opened.
        roster_of: finds who takes part.
        log: the run's own record; None where it is not there.
        trusted: whether the owner's judge may run here.
    """
    if not trusted:
        report.unchecked("scores", "score", "The judge is code of the owner, which is not trusted here.")
        return report
    if history is None or store is None:
        gone = "The chain" if history is None else "The store"
        report.unchecked("scores", "score", f"{gone} cannot be read, so nothing is judged again.")
        return report
    try:
        manifest = AnswersManifest.from_json(dict(chosen))
        functions = {JUDGE: manifest.judge.to_json()}
        if isinstance(manifest.tasks, Code):
            functions[TASKS] = manifest.tasks.to_json()
        sources = AnswersSources(
            manifest=manifest,
            roster=roster_of(manifest),
            store=store,
            history=history,
            closed=log.closed if log else {},
        )
        with tempfile.TemporaryDirectory(prefix="subnetlab-") as folder:
            verify_answers(sources, Calls(functions, Path(folder)), report)
    except (ManifestInvalid, FunctionFailed) as error:
        report.unchecked("manifest", "manifest", f"The manifest cannot be used here: {error}")
    return report
