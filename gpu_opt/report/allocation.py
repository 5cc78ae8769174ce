"""The allocation as tables: teams, pools, projects, moves, and what stays broken."""

from __future__ import annotations

from itertools import groupby

from rich.console import Group, RenderableType

from gpu_opt.plan import Allocation, Cause, Overrun, ProjectOutcome
from gpu_opt.report.plan import goals, headline
from gpu_opt.report.sheets import allocation as sheets
from gpu_opt.report.tables import MARK, cell, of_sheet, table, titled
from gpu_opt.report.text import amount, count, counted

MOST_PROJECTS = 60
"""Of more projects than these, the table shows those that are short or lose GPUs."""


CONFLICTS = "gpu-opt conflicts says which statements exclude one another, and what would resolve it."


def allocation(plan: Allocation, *, every_project: bool = False) -> RenderableType:
    """The whole allocation; `every_project` also shows those that got all they asked for."""
    title = f"{plan.organization}: allocation for {plan.date}"
    sections = [headline(title, plan)]
    if plan.overruns:
        sections.append(overruns(plan.overruns))
    if plan.overruns or any(one.shortfall > 0 for one in plan.teams):
        sections.append(cell(CONFLICTS))
    sections += [goals(plan), teams(plan), pools(plan), projects(plan, every_project=every_project)]
    if plan.moves:
        sections.append(moves(plan))
    return Group(*sections)


def overruns(broken: tuple[Overrun, ...]) -> RenderableType:
    """What today's holdings break and the plan cannot yet bring back under."""
    lines = [cell(f"! {_overrun(one)}", MARK) for one in broken]
    return titled("WARNING: today's holdings break these, and the plan cannot yet mend them", *lines)


def _overrun(one: Overrun) -> str:
    unit = sheets.overrun_unit(one)
    return (
        f"{_broken_rule(one)}: {amount(one.limit)} {unit} allowed, {amount(one.before)} held today, "
        f"{amount(one.after)} in the plan"
    )


def _broken_rule(one: Overrun) -> str:
    match one.rule:
        case "pool_capacity":
            return f"capacity of pool {one.subject}"
        case "team_cap":
            return f"cap of {one.subject}"
        case "type_limit":
            return f"limit of {one.subject} on {one.gpu_type}"


def teams(plan: Allocation) -> RenderableType:
    """Guarantee, cap, granted and shortfall of every team, each below its parent."""
    figures = ("guarantee", "cap", "granted", "shortfall")
    grid = table("team", *figures, "", right=figures)
    notes = sheets.team_notes(plan)
    for one in sheets.in_tree_order(plan.teams):
        grid.add_row(
            cell("  " * one.level + one.team),
            "" if one.guarantee is None else amount(one.guarantee),
            "" if one.cap is None else amount(one.cap),
            amount(one.granted),
            amount(one.shortfall) if one.shortfall > 0 else "",
            cell(notes[one.team], MARK if one.shortfall > 0 else ""),
        )
    return titled(sheets.TEAMS, grid)


def pools(plan: Allocation) -> RenderableType:
    """GPUs, granted and idle of every pool, and their sums."""
    sheet = sheets.pools(plan)
    grid = of_sheet(sheet)
    grid.add_section()
    sums = (sum(getattr(one, field) for one in plan.pools) for field in ("gpus", "granted", "idle"))
    grid.add_row("all pools", "", "", *map(count, sums))
    return titled(sheet.title, grid)


def projects(plan: Allocation, *, every_project: bool = False) -> RenderableType:
    """Asked, granted, where and why of every project, by team, then tier and priority."""
    figures = ("tier", "asked", "granted")
    grid = table("project", *figures, "where, and why", right=figures)
    places = sheets.where(plan.grants)
    active = [one for one in plan.projects if one.active]
    shown = active if every_project or len(active) <= MOST_PROJECTS else _short_or_moved(plan, active)
    rank = {one.team: place for place, one in enumerate(sheets.in_tree_order(plan.teams))}
    ordered = sorted(shown, key=lambda one: (rank[one.team], one.tier, -one.priority))
    for team, own in groupby(ordered, key=lambda one: one.team):
        grid.add_row(cell(team, "bold"))
        for one in own:
            where = [places[one.project]] if one.project in places else []
            grid.add_row(
                cell(f"  {one.project}"),
                str(one.tier),
                amount(one.demand),
                amount(one.granted),
                cell("\n".join([*where, one.reason.text])),
            )
    lines = []
    if hidden := len(active) - len(shown):
        lines.append(cell(f"and {count(hidden)} more that got all they asked for (--all shows them)"))
    if absent := len(plan.projects) - len(active):
        lines.append(cell(f"{counted(absent, 'project')} not active on {plan.date}"))
    return titled(sheets.PROJECTS, grid, *lines)


def _short_or_moved(plan: Allocation, active: list[ProjectOutcome]) -> list[ProjectOutcome]:
    moved = {one.project for one in plan.moves}
    return [one for one in active if one.project in moved or one.reason.cause is not Cause.MET]


def moves(plan: Allocation) -> RenderableType:
    """GPUs taken from projects that still want them."""
    grid = of_sheet(sheets.moves(plan).only("project", "pool", "gpus"))
    total = sum(one.gpus for one in plan.moves)
    losers = len({one.project for one in plan.moves})
    return titled(f"What moves: {count(total)} GPUs, taken from {counted(losers, 'project')}", grid)
