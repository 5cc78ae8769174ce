"""Scenario files: YAML or JSON, read with every problem and its line."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from gpu_opt.errors import InvalidInput, Problem
from gpu_opt.files import read_as
from gpu_opt.files.shape import examine_record, said
from gpu_opt.organization import Name, Record
from gpu_opt.scenario.changes import CHANGES, Scenario
from gpu_opt.validation.wording import unknown


class _Frame(Record):
    """A scenario whose changes are not looked at yet."""

    name: Name
    description: str = ""
    changes: tuple[Any, ...] = ()


def load_scenario(path: str | os.PathLike[str]) -> Scenario:
    """The scenario in a file.

    Raises InvalidInput, whose `source` is the path as given, with every problem if the file cannot be
    read, is not what its suffix says, or has a change that cannot be meant. Whether the changes apply to
    an organization is found out by :func:`gpu_opt.apply`.
    """
    scenario, problems = read_as(examine_scenario, path)
    if scenario is None:
        raise InvalidInput(problems, source=os.fspath(path))
    return scenario


def examine_scenario(value: object) -> tuple[Scenario | None, tuple[Problem, ...]]:
    """The scenario that plain values describe, None where their shape is wrong; and all problems."""
    if not isinstance(value, dict):
        wrong = f"a scenario is a mapping of names to values, not {said(value)}"
        return None, (Problem("", f"{wrong}; it has at least a 'name' and 'changes'"),)
    frame, problems = examine_record(_Frame, value)
    entries = value.get("changes")
    found = [*problems, *(_faults(entries) if isinstance(entries, list) else ())]
    if frame is None or found:
        return None, tuple(found)
    return Scenario.model_validate(value), ()


def _faults(entries: list[object]) -> Iterator[Problem]:
    """What is wrong with the shape of changes, one by one."""
    word = unknown("change", CHANGES)
    for place, entry in enumerate(entries):
        path = f"changes[{place}]"
        if not isinstance(entry, dict):
            yield Problem(path, f"a change is a mapping of names to values, not {said(entry)}")
        elif "change" not in entry:
            yield Problem(f"{path}.change", "is missing; it says what changes: 'set_cap', 'add_project', ...")
        elif not isinstance(entry["change"], str) or entry["change"] not in CHANGES:
            yield Problem(f"{path}.change", word(str(entry["change"])))
        else:
            for problem in examine_record(CHANGES[entry["change"]], entry)[1]:
                at = f"{path}.{problem.path}" if problem.path else path
                yield replace(problem, path=at)
