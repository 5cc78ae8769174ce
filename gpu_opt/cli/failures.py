"""What goes wrong, as an exit code, a message on stderr and, with ``--json``, a document on stdout."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Literal

import typer

from gpu_opt.cli.output import OutputFailure, say, write_json
from gpu_opt.errors import (
    GpuOptError,
    InvalidInput,
    NoPlan,
    NoPlanInTime,
    Problem,
    Severity,
    SolverFailure,
    StoreFailure,
    StoreUnusable,
    VerificationFailure,
)


class Code(IntEnum):
    """How a command ends."""

    PLAN = 0
    INTERNAL = 1
    INPUT = 2
    NO_PLAN = 3
    NO_PLAN_IN_TIME = 5
    INTERRUPTED = 130


EXIT_CODES = """Exit codes:

\b
  0    a plan, proved or the best known
  1    internal error
  2    bad input or bad usage
  3    the input admits no plan; for find: not complete by the date
  5    no plan in the time
  130  interrupted; the best plan by then is shown
  141  nobody read the output to its end
"""

Kind = Literal[
    "usage",
    "invalid_input",
    "no_plan",
    "no_plan_in_time",
    "solver_failure",
    "verification_failure",
    "store_failure",
    "output_failure",
    "interrupted",
    "internal",
]
"""What a failure is called in JSON."""

TRACEBACK = "GPU_OPT_TRACEBACK"
"""Environment variable; when set, errors come with their traceback."""


class Interrupted(GpuOptError):
    """Somebody asked twice to stop, or once before there was anything to show."""


KINDS: tuple[tuple[type[Exception], Kind, Code], ...] = (
    (InvalidInput, "invalid_input", Code.INPUT),
    (typer.TyperException, "usage", Code.INPUT),
    (NoPlan, "no_plan", Code.NO_PLAN),
    (NoPlanInTime, "no_plan_in_time", Code.NO_PLAN_IN_TIME),
    (SolverFailure, "solver_failure", Code.INTERNAL),
    (VerificationFailure, "verification_failure", Code.INTERNAL),
    (StoreUnusable, "store_failure", Code.INPUT),
    (StoreFailure, "store_failure", Code.INTERNAL),
    (OutputFailure, "output_failure", Code.INTERNAL),
    (Interrupted, "interrupted", Code.INTERRUPTED),
    (Exception, "internal", Code.INTERNAL),
)
"""Kind and exit code of each failure; the first row that fits counts."""


def reported(command: Callable[[], int | None], arguments: Sequence[str]) -> int:
    """Run a command; whatever it raises becomes an exit code and a message, never a traceback.

    The arguments say whether ``--json`` is among them, even where they cannot be parsed.
    """
    try:
        try:
            return int(command() or Code.PLAN)
        except Exception as failure:  # noqa: BLE001 - the last line of defence: everything is reported
            return _report(failure, as_json="--json" in arguments)
    except typer.Exit as quiet:  # while the error was being written
        return quiet.exit_code


def _report(failure: Exception, *, as_json: bool) -> int:
    kind, code = next((kind, code) for known, kind, code in KINDS if isinstance(failure, known))
    if os.environ.get(TRACEBACK):
        say("".join(traceback.format_exception(failure)).rstrip())
    say(message(failure, kind))
    if as_json:
        from gpu_opt.cli import documents

        found = failure.problems if isinstance(failure, InvalidInput) else ()
        text = failure.format_message() if isinstance(failure, typer.TyperException) else str(failure)
        error = documents.Failure(kind=kind, exit_code=code, message=text, problems=documents.records(found))
        write_json(documents.Failed(error=error).model_dump_json(indent=2))
    return int(code)


def message(failure: Exception, kind: Kind) -> str:
    """What a person reads on stderr."""
    if isinstance(failure, InvalidInput):
        return problems(failure.problems, failure.source)
    if isinstance(failure, typer.TyperException):
        return f"gpu-opt: {failure.format_message()}\nTry --help, also after the name of a command."
    if kind in {"no_plan", "no_plan_in_time", "interrupted", "store_failure", "output_failure"}:
        return f"gpu-opt: {failure}"
    named = str(failure) if isinstance(failure, GpuOptError) else repr(failure)
    hint = "" if os.environ.get(TRACEBACK) else f"\nRun it again with {TRACEBACK}=1 to see where it happened."
    return f"gpu-opt: internal error: {named}{hint}"


def problems(found: Sequence[Problem], source: str) -> str:
    """All problems, errors first, one a line as compilers write them, and their counts."""
    from gpu_opt.report.text import counted

    errors = [problem for problem in found if problem.severity is Severity.ERROR]
    warnings = [problem for problem in found if problem.severity is Severity.WARNING]
    lines = [line(problem, source) for problem in (*errors, *warnings)]
    return "\n".join([*lines, f"{counted(len(errors), 'error')}, {counted(len(warnings), 'warning')}"])


def line(problem: Problem, source: str) -> str:
    """One problem: file and line, severity, path, message."""
    from gpu_opt.report.text import printable

    place = source if problem.line is None else f"{source}:{problem.line}"
    parts = (place, problem.severity.value, problem.path, problem.message)
    return printable(": ".join(part for part in parts if part))
