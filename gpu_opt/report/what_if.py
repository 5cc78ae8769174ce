"""A base plan and its scenarios, side by side."""

from __future__ import annotations

from rich.console import Group, RenderableType

from gpu_opt.plan import ProjectDifference, ScenarioOutcome, WhatIf
from gpu_opt.report.comparison import MOST_PROJECTS, whose_budget
from gpu_opt.report.sheets import comparison as sheets
from gpu_opt.report.tables import MARK, cell, of_sheet, table, titled
from gpu_opt.report.text import amount, counted, status


def what_if(found: WhatIf, *, every_project: bool = False) -> RenderableType:
    """The headline of all, then every scenario by itself; `every_project` leaves none out."""
    base = found.base
    head: list[RenderableType] = [
        cell(f"{base.organization}: what if, as of {base.as_of}", "bold"),
        of_sheet(sheets.headlines(found)),
    ]
    return Group(*head, *(_scenario(one, every_project) for one in found.scenarios))


def _scenario(one: ScenarioOutcome, every_project: bool) -> RenderableType:
    """What a scenario changes, and whom it reaches."""
    comparison, plan = one.comparison, one.plan
    body: list[RenderableType] = [cell(one.description)] if one.description else []
    body += [cell(f"{place}. {change}") for place, change in enumerate(one.changes, start=1)]
    body.append(cell(status(plan.status, plan.stop)))
    for each in comparison.guarantees:
        figures = f"{amount(each.before)} -> {amount(each.after)} short"
        worse = each.verdict in {"broken", "further"}
        body.append(cell(f"guarantee of {each.team}: {each.verdict}, {figures}", MARK if worse else ""))
    if comparison.is_empty:
        return titled(one.scenario, *body, cell("nothing differs from the base"))
    if comparison.teams:
        body.append(whose_budget(comparison.teams))
    if comparison.projects:
        body += _projects(comparison.projects, every_project)
    return titled(one.scenario, *body)


def _projects(projects: tuple[ProjectDifference, ...], every_project: bool) -> list[RenderableType]:
    """Who gains and who loses, the largest difference first, and because of what."""
    figures = ("before", "after")
    grid = table("project", *figures, "where, and why", right=figures)
    largest = sheets.largest_first(projects)
    shown = largest if every_project else largest[:MOST_PROJECTS]
    for one in shown:
        lines = [sheets.where_differs(one), *filter(None, (sheets.because_of(one), sheets.in_the_way(one)))]
        compute = amount(one.compute_before), amount(one.compute_after)
        grid.add_row(cell(sheets.named(one)), *compute, cell("\n".join(lines)))
    hidden = len(largest) - len(shown)
    more = [cell(f"and {counted(hidden, 'smaller difference')} (--all shows them)")] if hidden else []
    return [grid, *more]
