"""How one plan differs from another, as tables."""

from __future__ import annotations

from rich.console import RenderableType

from gpu_opt.plan import ProjectDifference, TeamDifference, TeamOutcome
from gpu_opt.report.sheets.comparison import named, where_differs
from gpu_opt.report.tables import cell, table
from gpu_opt.report.text import amount, count, counted

MOST_PROJECTS = 40
"""Of more projects than these, the table shows those with the largest differences."""


def who_gains(
    projects: tuple[ProjectDifference, ...], *, every_project: bool = False
) -> list[RenderableType]:
    """Projects that are granted something else, the largest difference first; nothing where there is none."""
    if not projects:
        return []
    largest = sorted(projects, key=lambda one: -abs(one.after - one.before))
    shown = largest if every_project else largest[:MOST_PROJECTS]
    body = [_projects(shown)]
    if hidden := len(largest) - len(shown):
        body.append(cell(f"and {counted(hidden, 'smaller change')} (--all shows them)"))
    return body


def whose_budget(changed: tuple[TeamDifference, ...]) -> RenderableType:
    """Teams whose budget or grants differ, in reference GPUs."""
    figures = ("granted before", "granted now")
    grid = table("team", *figures, "also", right=figures)
    for one in changed:
        grid.add_row(
            cell(one.team),
            "" if one.before is None else amount(one.before.granted),
            "" if one.after is None else amount(one.after.granted),
            cell(_team_note(one.before, one.after)),
        )
    return grid


def _team_note(before: TeamOutcome | None, after: TeamOutcome | None) -> str:
    if before is None:
        return "new"
    if after is None:
        return "gone"
    pairs = (
        ("guarantee", before.guarantee, after.guarantee),
        ("cap", before.cap, after.cap),
        ("shortfall", before.shortfall, after.shortfall),
    )
    return ", ".join(f"{name} {_or_none(old)} -> {_or_none(new)}" for name, old, new in pairs if old != new)


def _or_none(number: float | None) -> str:
    return "none" if number is None else amount(number)


def _projects(changed: list[ProjectDifference]) -> RenderableType:
    figures = ("GPUs before", "GPUs now")
    grid = table("project", "team", *figures, "where", right=figures)
    for one in changed:
        grid.add_row(
            cell(named(one)),
            cell(one.team),
            count(one.before),
            count(one.after),
            cell(where_differs(one)),
        )
    return grid
