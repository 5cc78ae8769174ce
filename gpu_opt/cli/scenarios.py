"""The scenario files of a command: read, and tried on the organization, with every problem and its line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gpu_opt.errors import InvalidInput, Problem
from gpu_opt.files import with_lines
from gpu_opt.organization import Organization
from gpu_opt.scenario import Grid, Scenario, apply, load_grid, load_scenario


def read_scenarios(files: Sequence[str], organization: Organization) -> list[Scenario]:
    """The scenarios in the files.

    Raises InvalidInput, with the problems of all files, if one cannot be read or does not apply.
    """
    scenarios, refused = [], []
    for file in files:
        try:
            scenarios.append(load_scenario(file))
        except InvalidInput as error:
            refused.append((file, error.problems))
            continue
        if misfits := _misfits(scenarios[-1], organization):
            refused.append((file, with_lines(misfits, file)))
    if len(refused) == 1:
        raise InvalidInput(refused[0][1], source=refused[0][0])
    if refused:
        raise InvalidInput(tuple(_in(file, problem) for file, found in refused for problem in found))
    return scenarios


def read_grid(file: str, organization: Organization) -> Grid:
    """The grid in the file.

    Raises InvalidInput if it cannot be read, or if scenarios do not apply: what is wrong in many is told of
    the first, with its values.
    """
    grid = load_grid(file)
    found: dict[tuple[str, str], Problem] = {}
    for point in grid.points:
        at = ", ".join(f"{axis} {value}" for axis, value in point.values.items())
        for each in _misfits(point.scenario, organization):
            found.setdefault((each.path, each.message), replace(each, message=f"at {at}: {each.message}"))
    if found:
        raise InvalidInput(with_lines(tuple(found.values()), file), source=file)
    return grid


def _misfits(scenario: Scenario, organization: Organization) -> tuple[Problem, ...]:
    """Why the scenario does not apply; nothing if it does."""
    try:
        apply(organization, scenario.changes)
    except InvalidInput as error:
        return error.problems
    return ()


def _in(file: str, problem: Problem) -> Problem:
    """The problem with its file in its path, for an error that is about several files."""
    place = file if problem.line is None else f"{file}:{problem.line}"
    return replace(problem, path=f"{place}: {problem.path}" if problem.path else place, line=None)
