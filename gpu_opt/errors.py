"""What can go wrong, as a small tree of errors.

::

    GpuOptError
    ├── InvalidInput        the input cannot be meant                (exit code 2)
    ├── NoPlan              the input admits no plan                 (exit code 3)
    ├── NoPlanInTime        none was found before the limit          (exit code 5)
    ├── SolverFailure       CBC could not be run                     (exit code 1)
    │   └── SolverDied      CBC was killed, crashed, or its answer was cut short
    ├── VerificationFailure the checker refused the plan: a defect   (exit code 1)
    └── StoreFailure        the store could not be read or written   (exit code 1)
        ├── StoreUnusable   found before anything was computed       (exit code 2)
        └── NotPublished    a night was computed but not stored: it is in the error (gpu_opt.nightly)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a problem of the input is."""

    ERROR = "error"
    """It cannot be meant; nothing is computed."""
    WARNING = "warning"
    """It can be meant but is unwise; the plan is computed."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, or unwise, in the input."""

    path: str
    """Where: ``teams[3].parent``; empty for the input as a whole."""
    message: str
    """What is wrong and what would mend it."""
    severity: Severity = Severity.ERROR
    line: int | None = None
    """Line of the input file, where there is a file."""

    def __str__(self) -> str:
        place = self.path or "the input"
        return (
            f"{place}: {self.message}" if self.line is None else f"line {self.line}: {place}: {self.message}"
        )


class GpuOptError(Exception):
    """Base of every error that this package raises on purpose."""


class InvalidInput(GpuOptError):
    """The input cannot be meant. `problems` has all of them, not just the first."""

    def __init__(self, problems: tuple[Problem, ...], source: str = "") -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
        self.source = source
        """The file, where there is one."""


class NoPlan(GpuOptError):
    """The input admits no plan; the message says which statements exclude one another."""


class NoPlanInTime(GpuOptError):
    """No plan was found before the limit. It says nothing about whether one exists."""


class SolverFailure(GpuOptError):
    """CBC could not be started, its files could not be written, or its answer is none."""


class SolverDied(SolverFailure):
    """CBC was killed, crashed or was cut short on one program. A search for plans goes on without it."""


class VerificationFailure(GpuOptError):
    """The checker refused a plan. This is a defect of gpu_opt; the plan is not shown or stored."""


class StoreFailure(GpuOptError):
    """The store could not be opened, read or written. Nothing was changed in it."""


class StoreUnusable(StoreFailure):
    """The store that was named cannot be used; nothing was computed yet. Name another one, or mend it."""
