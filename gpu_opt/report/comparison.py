"""How one plan differs from another, as tables."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType

from gpu_opt.plan import Comparison, Decided, GoalDifference, ProjectDifference, TeamDifference, TeamOutcome
from gpu_opt.report.certainty import certainty
from gpu_opt.report.sheets.comparison import (
    because_of,
    in_the_way,
    largest_first,
    named,
    pool_changes,
    where_differs,
)
from gpu_opt.report.tables import cell, of_sheet, table, titled
from gpu_opt.report.text import amount, counted, goal, signed

MOST_PROJECTS = 40
"""Of more projects than these, the table shows those with the largest differences."""

MOST_SWAPS = 10
"""The same of projects that only swap pools."""


def differences(found: Comparison, *, every_project: bool = False) -> list[RenderableType]:
    """What is proved, and the teams, projects and pools that differ."""
    body = proof(found)
    if found.teams:
        body.append(whose_budget(found.teams))
    body += who_gains(found.projects, every_project=every_project)
    if found.pools:
        pools = pool_changes(found)
        body.append(titled(pools.title, of_sheet(pools)))
    return body


def proof(found: Comparison) -> list[RenderableType]:
    """What is proved, and between what every goal's difference is; nothing where all is proved.

    Goals on which nothing differs are left out.
    """
    told = certainty(found)
    if not told:
        return []
    figures = ("before", "now", "difference", "of the best plans")
    grid = table("goal", *figures, "", right=figures)
    for one in found.goals:
        if one.decided is Decided.SAME and one.before == one.after:
            continue
        grid.add_row(
            cell(goal(one.goal)),
            amount(one.before),
            amount(one.after),
            signed(one.after - one.before),
            _between(one),
            one.decided.value,
        )
    return [cell(told), grid]


def _between(one: GoalDifference) -> str:
    least, most = signed(one.least), signed(one.most)
    return least if least == most else f"{least} to {most}"


def who_gains(
    projects: tuple[ProjectDifference, ...], *, every_project: bool = False
) -> list[RenderableType]:
    """Who gains and who loses compute, the largest difference first; apart, who only swaps pools."""
    largest = largest_first(projects)
    return [
        *_shown(
            "Who gains and who loses, in reference GPUs at the project's own speed",
            [one for one in largest if not one.is_swap],
            None if every_project else MOST_PROJECTS,
        ),
        *_shown(
            "Who has as much as before, in other pools",
            [one for one in largest if one.is_swap],
            None if every_project else MOST_SWAPS,
        ),
    ]


def _shown(title: str, changed: Sequence[ProjectDifference], most: int | None) -> list[RenderableType]:
    if not changed:
        return []
    body: list[RenderableType] = [_projects(changed[:most])]
    if most is not None and len(changed) > most:
        body.append(cell(f"and {counted(len(changed) - most, 'smaller difference')} (--all shows them)"))
    return [titled(title, *body)]


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


def _projects(changed: Sequence[ProjectDifference]) -> RenderableType:
    figures = ("before", "now", "difference")
    grid = table("project", *figures, "where, and why", right=figures)
    for one in changed:
        because = because_of(one)
        lines = [where_differs(one), f"because of {because}" if because else "", in_the_way(one)]
        compute = amount(one.compute_before), amount(one.compute_after), signed(one.gain)
        grid.add_row(cell(named(one)), *compute, cell("\n".join(filter(None, lines))))
    return grid
