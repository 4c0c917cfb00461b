"""What a verification found: a line per check, and a sentence per finding, with round and uid.

Two kinds are kept apart: `tampered` is a contradiction that honest programs do not leave, `unchecked` is
what could not be looked at, because an object is missing or a node does not answer.
"""

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from subnetlab.text import NAME, REASON, plain

Kind = Literal["tampered", "unchecked"]
What = Literal[
    "manifest", "data", "shard", "seat", "record line", "round record", "anchor", "commitment", "payload",
    "reveal", "aggregate", "model", "checkpoint", "score", "weights", "pay", "work", "lineage",
]  # fmt: skip
"""What a finding is about."""

CHECKS: Final[dict[str, str]] = {
    "manifest": "manifests",
    "data": "shards",
    "seats": "seats",
    "record": "lines",
    "rounds": "round records",
    "payloads": "payloads",
    "aggregates": "aggregates",
    "model": "models",
    "checkpoints": "checkpoints",
    "scores": "verdicts",
    "weights": "votes",
    "pay": "epochs",
    "replay": "miners' rounds",
    "lineage": "lineages",
}
"""Every check in its order, and what it counts."""

_OPTIONAL: Final = ("checkpoints", "lineage")
"""Not shown where there is nothing to check: a run without checkpoints, a file that has to be named."""
_MOST_SHOWN: Final = 40
"""Findings that a printed report shows; `findings` and JSON have all."""
_MARKS: Final = {"ok": "ok", "tampered": "XX", "unchecked": "??", "none": "--"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, or that could not be checked."""

    kind: Kind
    check: str
    what: What
    said: str
    """In one sentence."""
    round: int | None = None
    """Counted from 1, as on every page; None where it is of no round."""
    uid: int | None = None

    def __str__(self) -> str:
        where = [f"round {self.round}"] if self.round is not None else []
        where += [f"uid {self.uid}"] if self.uid is not None else []
        return f"{', '.join([self.what, *where])}: {plain(self.said, REASON)}"

    def to_json(self) -> dict[str, Any]:
        """The finding in JSON types."""
        return {
            "kind": self.kind, "check": self.check, "what": self.what, "round": self.round, "uid": self.uid,
            "said": self.said,
        }  # fmt: skip


@dataclass(slots=True)
class Check:
    """One kind of claim: how many were compared, and what that cost."""

    name: str
    done: int = 0
    of: int = 0
    """How many there are, where only a share was drawn; 0 for all of them."""
    note: str = ""
    cpu_s: float = 0.0
    """Processor seconds of this process."""

    def to_json(self) -> dict[str, Any]:
        """The check in JSON types."""
        return {
            "name": self.name, "done": self.done, "of": self.of or self.done, "note": self.note,
            "cpu_s": round(self.cpu_s, 3),
        }  # fmt: skip


@dataclass(slots=True)
class Report:
    """What `verify` found; prints as one line per check and one per finding."""

    run: str
    checks: dict[str, Check] = field(default_factory=lambda: {name: Check(name) for name in CHECKS})
    findings: list[Finding] = field(default_factory=list[Finding])
    rounds: int = 0
    """Rounds that were looked at."""
    theta: str = ""
    """Hash of the model after the last of them; empty where it could not be followed."""
    wall_s: float = 0.0
    cpu_s: float = 0.0
    node: str = ""
    """The endpoint of the node whose chain was read; empty where none was."""
    training_cpu_s: float = 0.0
    """Processor seconds of the miners as the record tells; 0 where it does not."""

    # -- while verifying ---------------------------------------------------------------------------

    def tampered(
        self, check: str, what: What, said: str, *, round_: int | None = None, uid: int | None = None
    ) -> None:
        """Keep a contradiction; `round_` counts from 0."""
        self._add(_finding("tampered", check, what, said, round_=round_, uid=uid))

    def unchecked(
        self, check: str, what: What, said: str, *, round_: int | None = None, uid: int | None = None
    ) -> None:
        """Keep what could not be looked at; `round_` counts from 0."""
        self._add(_finding("unchecked", check, what, said, round_=round_, uid=uid))

    def count(self, check: str, number: int = 1) -> None:
        """Count claims that were compared."""
        self.checks[check].done += number

    @contextmanager
    def timed(self, check: str) -> Generator[None]:
        """Add the processor time of the block to a check."""
        began = time.process_time()
        try:
            yield
        finally:
            self.checks[check].cpu_s += time.process_time() - began

    def _add(self, finding: Finding) -> None:
        if finding not in self.findings:
            self.findings.append(finding)

    # -- afterwards --------------------------------------------------------------------------------

    @property
    def wrong(self) -> list[Finding]:
        """The contradictions."""
        return [finding for finding in self.findings if finding.kind == "tampered"]

    @property
    def open(self) -> list[Finding]:
        """What could not be checked."""
        return [finding for finding in self.findings if finding.kind == "unchecked"]

    @property
    def verified(self) -> bool:
        """Whether everything was checked and nothing is wrong."""
        return not self.findings

    @property
    def status(self) -> int:
        """The exit status of the command: 0 verified, 1 tampered, 2 not all could be checked."""
        return 1 if self.wrong else 2 if self.open else 0

    @property
    def headline(self) -> str:
        """The outcome as one sentence."""
        name = plain(self.run, NAME)
        if self.wrong:
            places = dict.fromkeys(
                " and ".join(
                    [f"round {f.round}"] * (f.round is not None) + [f"uid {f.uid}"] * (f.uid is not None)
                )
                or f.what
                for f in self.wrong
            )
            named = "; ".join(list(places)[:4]) + ("; …" if len(places) > 4 else "")
            return f"Run {name} is not what it says: {named}."
        if self.open:
            things = "1 thing" if len(self.open) == 1 else f"{len(self.open)} things"
            return f"Run {name}: nothing found wrong; {things} could not be checked."
        if not self.rounds:
            return f"{name} holds: signature, data and files."
        return f"Run {name} is verified: {self.rounds} rounds, {self.checks['payloads'].done} payloads."

    def __repr__(self) -> str:
        width = max(map(len, CHECKS))
        lines = [self.headline]
        for check in self.checks.values():
            if check.name in _OPTIONAL and not check.done:
                continue
            state = self._state(check)
            share = f"{check.done:,} of {check.of:,}" if check.of else f"{check.done:,}"
            note = f"; {check.note}" if check.note else ""
            lines.append(f"{_MARKS[state]}  {check.name:<{width}}  {share} {CHECKS[check.name]}{note}")
        shown = [*self.wrong, *self.open][:_MOST_SHOWN]
        lines.extend(f"{_MARKS[finding.kind]}  {finding}" for finding in shown)
        if len(self.findings) > _MOST_SHOWN:
            lines.append(f"… and {len(self.findings) - _MOST_SHOWN} more: report.findings has all.")
        if self.node:
            lines.append(f"The chain is that of the node {plain(self.node, REASON)}, which is believed.")
        lines.append(self._cost())
        return "\n".join(lines)

    def _state(self, check: Check) -> str:
        kinds: set[str] = {finding.kind for finding in self.findings if finding.check == check.name}
        if kinds:
            return "tampered" if "tampered" in kinds else "unchecked"
        return "ok" if check.done else "none"

    def _cost(self) -> str:
        each = self.wall_s / self.rounds if self.rounds else 0.0
        cost = f"{each:.2f} s a round; {self.cpu_s:.2f} processor seconds"
        if self.training_cpu_s:
            cost += f", {self.cpu_s / self.training_cpu_s:.0%} of the {self.training_cpu_s:.2f} of its miners"
        return f"{cost}."

    def to_json(self) -> dict[str, Any]:
        """The report in JSON types."""
        return {
            "run": self.run, "status": self.status, "headline": self.headline, "rounds": self.rounds,
            "node": self.node, "wall_s": round(self.wall_s, 3), "cpu_s": round(self.cpu_s, 3),
            "training_cpu_s": round(self.training_cpu_s, 3),
            "checks": [check.to_json() for check in self.checks.values()],
            "findings": [finding.to_json() for finding in self.findings],
        }  # fmt: skip


def _finding(
    kind: Kind, check: str, what: What, said: str, *, round_: int | None, uid: int | None
) -> Finding:
    number = None if round_ is None else round_ + 1
    return Finding(kind=kind, check=check, what=what, said=said, round=number, uid=uid)
