"""When a process that says nothing is given up: by its own work, not by the clock of a busy machine.

A process tells now and then how much processor time it has used. On a machine whose cores are busy it uses
little of it, but some; a process that hangs uses none. Times are given by the caller (seconds of any steady
clock).
"""

from typing import Final

_PROGRESS_S: Final = 0.05
"""Processor time that counts as work; telling about it uses less within any sensible limit."""


class WorkLimit:
    """The limit of one process.

    Args:
        limit_s: how long it may go on without any work, and how much work it may need.
        now: when it was started.
    """

    def __init__(self, limit_s: float, now: float) -> None:
        self._limit_s = limit_s
        self._worked_at = now
        self._counted_s = 0.0
        self._cpu_s = 0.0

    def worked(self, cpu_s: float, now: float) -> None:
        """The process has used `cpu_s` seconds of processor time in all."""
        self._cpu_s = max(cpu_s, self._cpu_s)
        if self._cpu_s - self._counted_s >= _PROGRESS_S:
            self._counted_s, self._worked_at = self._cpu_s, now

    @property
    def idle_deadline(self) -> float:
        """When the process has gone on without work for the limit."""
        return self._worked_at + self._limit_s

    def is_exceeded(self, now: float) -> bool:
        """Whether the process did nothing for the limit, or needed more work than that."""
        return now >= self.idle_deadline or self._cpu_s >= self._limit_s
