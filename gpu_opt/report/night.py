"""A night as tables: both plans, and what changed since the night before."""

from __future__ import annotations

from rich.console import Group, RenderableType

from gpu_opt.plan import Change, NightReport, ProjectChange, TeamChange, TeamOutcome
from gpu_opt.report.allocation import allocation
from gpu_opt.report.reallocation import reallocation
from gpu_opt.report.tables import MARK, cell, table, titled
from gpu_opt.report.text import amount, count, counted

MOST_CHANGES = 40
"""Of more changed projects than these, the table shows those with the largest changes."""


def night(report: NightReport, *, every_project: bool = False) -> RenderableType:
    """The whole night; `every_project` leaves none out."""
    sections = [published(report), allocation(report.allocation, every_project=every_project)]
    if report.reallocation is None:
        sections.append(titled("No reallocation: the night was interrupted before it"))
    else:
        sections += [cell(""), reallocation(report.reallocation)]
    return Group(*sections, changes(report, every_project=every_project))


def published(report: NightReport) -> RenderableType:
    """Whether the night is in the store, and under which number."""
    if report.night is None:
        return cell("NOT PUBLISHED: the store is as it was", MARK)
    replaced = "" if report.replaces is None else f"; it replaces night {report.replaces}"
    return cell(f"published as night {report.night}{replaced}")


def changes(report: NightReport, *, every_project: bool = False) -> RenderableType:
    """What is different from the night before."""
    if report.previous is None:
        return titled("Changes: this is the first night")
    title = f"Changes since night {report.previous} (as of {report.previous_as_of})"
    if not (report.projects or report.teams):
        return titled(title, cell("none: everybody keeps what it was granted"))
    body = []
    if report.teams:
        body.append(_teams(report.teams))
    if report.projects:
        largest = sorted(report.projects, key=lambda one: -abs(one.after - one.before))
        shown = largest if every_project else largest[:MOST_CHANGES]
        body.append(_projects(shown))
        if hidden := len(largest) - len(shown):
            body.append(cell(f"and {counted(hidden, 'smaller change')} (--all shows them)"))
    return titled(title, *body)


def _teams(changed: tuple[TeamChange, ...]) -> RenderableType:
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


def _projects(changed: list[ProjectChange]) -> RenderableType:
    figures = ("GPUs before", "GPUs now")
    grid = table("project", "team", *figures, "where", right=figures)
    for one in changed:
        grid.add_row(
            cell(one.project if one.change is Change.CHANGED else f"{one.project} ({one.change})"),
            cell(one.team),
            count(one.before),
            count(one.after),
            cell(", ".join(f"{pool} {gpus:+,}" for pool, gpus in one.by_pool.items())),
        )
    return grid
