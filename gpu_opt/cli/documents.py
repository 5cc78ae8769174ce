"""The JSON that the command line adds to the results: errors, and what `check` finds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict

from gpu_opt.cli.failures import Kind
from gpu_opt.errors import Problem, Severity


def _in_utf8(text: str) -> str:
    """The text with bytes that are no UTF-8, as an argument or a file's name may have them, as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


Text = Annotated[str, BeforeValidator(_in_utf8)]
"""Text that may repeat what was typed."""


class Document(BaseModel):
    """Base of every record that the command line prints."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ProblemRecord(Document):
    """One thing that is wrong, or unwise, in the input."""

    severity: Severity
    path: Text
    """Where: ``teams[3].parent``, or an option of the command; empty for the input as a whole."""
    line: int | None
    """Line of the file, where it is known."""
    message: Text
    """What is wrong and what would mend it."""


class Failure(Document):
    """Why there is no result."""

    kind: Kind
    exit_code: int
    message: Text
    problems: tuple[ProblemRecord, ...]
    """All problems, for ``invalid_input``; empty otherwise."""


class Failed(Document):
    """What ``--json`` prints in place of a result."""

    error: Failure


class Checked(Document):
    """What ``check --json`` prints, whether the file is valid or not."""

    file: Text
    valid: bool
    """Whether there is no error; warnings do not count."""
    errors: int
    warnings: int
    problems: tuple[ProblemRecord, ...]
    """Errors first."""


def records(found: Sequence[Problem]) -> tuple[ProblemRecord, ...]:
    """The problems, errors first, otherwise in their order."""
    return tuple(
        ProblemRecord(
            severity=problem.severity, path=problem.path, line=problem.line, message=problem.message
        )
        for problem in sorted(found, key=lambda problem: problem.severity is not Severity.ERROR)
    )


def checked(file: str, found: Sequence[Problem], *, valid: bool) -> Checked:
    """What `check --json` prints of a file."""
    listed = records(found)
    errors = sum(problem.severity is Severity.ERROR for problem in listed)
    return Checked(file=file, valid=valid, errors=errors, warnings=len(listed) - errors, problems=listed)


def json_schema(name: str) -> str:
    """The JSON Schema (draft 2020-12) of the input or of a result, as text."""
    from gpu_opt import plan
    from gpu_opt.organization import Organization
    from gpu_opt.scenario import Scenario

    documents: dict[str, type[BaseModel]] = {
        "organization": Organization,
        "scenario": Scenario,
        "allocation": plan.Allocation,
        "reallocation": plan.Reallocation,
        "night": plan.NightReport,
        "finding": plan.Finding,
        "explanation": plan.Explanation,
        "prices": plan.Prices,
        "conflicts": plan.Conflicts,
        "what-if": plan.WhatIf,
        "sweep": plan.Sweep,
        "check": Checked,
        "error": Failed,
    }
    mode: Literal["validation", "serialization"] = (
        "validation" if name in {"organization", "scenario"} else "serialization"
    )
    described = documents[name].model_json_schema(mode=mode)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(head | described, indent=2, ensure_ascii=False)
