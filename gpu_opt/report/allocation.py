"""The allocation as tables: teams, pools, projects, moves, and what stays broken."""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby

from rich.console import Group, RenderableType

from gpu_opt.plan import Allocation, Cause, Overrun, PoolOutcome, ProjectOutcome, TeamOutcome
from gpu_opt.report.plan import goals, headline
from gpu_opt.report.tables import MARK, cell, table, titled
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
    sections += [goals(plan), teams(plan), pools(plan.pools), projects(plan, every_project=every_project)]
    if plan.moves:
        sections.append(moves(plan))
    return Group(*sections)


def overruns(broken: tuple[Overrun, ...]) -> RenderableType:
    """What today's holdings break and the plan cannot yet bring back under."""
    lines = [cell(f"! {_overrun(one)}", MARK) for one in broken]
    return titled("WARNING: today's holdings break these, and the plan cannot yet mend them", *lines)


def _overrun(one: Overrun) -> str:
    unit = "reference GPUs" if one.rule == "team_cap" else "GPUs"
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
    """Guarantee, cap, granted and shortfall of every team, each below its parent.

    The shortfall shown is that of the whole promise, so that the row adds up; the plan's own `shortfall`
    forgives one allocation unit.
    """
    figures = ("guarantee", "cap", "granted", "shortfall")
    grid = table("team", *figures, "", right=figures)
    full = {one.reason.subject for one in plan.projects if one.reason.cause is Cause.TEAM_CAP}
    over = {one.subject for one in plan.overruns if one.rule == "team_cap"}
    for one in _in_tree_order(plan.teams):
        grid.add_row(
            cell("  " * one.level + one.team),
            "" if one.guarantee is None else amount(one.guarantee),
            "" if one.cap is None else amount(one.cap),
            amount(one.granted),
            amount(one.shortfall) if one.shortfall > 0 else "",
            cell(_team_note(one, one.team in full, one.team in over), MARK if one.shortfall > 0 else ""),
        )
    return titled("Divisions and teams, in reference GPUs", grid)


def _team_note(one: TeamOutcome, full: bool, over: bool) -> str:
    notes = []
    if one.shortfall > 0:
        notes.append("short")
    elif one.granted < one.promised:
        notes.append("met to within a unit")
    if over:
        notes.append("over its cap")
    elif one.cap is not None and (full or one.granted >= one.cap):
        notes.append("at its cap")
    if one.guarantee is not None and one.promised < one.guarantee:
        notes.append(f"its projects need, or can reach, at most {amount(one.promised)}")
    return ", ".join(notes)


def _in_tree_order(outcomes: tuple[TeamOutcome, ...]) -> list[TeamOutcome]:
    children: dict[str | None, list[TeamOutcome]] = defaultdict(list)
    for one in outcomes:
        children[one.parent].append(one)
    ordered: list[TeamOutcome] = []
    waiting = list(reversed(children[None]))
    while waiting:
        ordered.append(waiting.pop())
        waiting += reversed(children[ordered[-1].team])
    return ordered


def pools(outcomes: tuple[PoolOutcome, ...]) -> RenderableType:
    """GPUs, granted and idle of every pool, and their sums."""
    figures = ("GPUs", "granted", "idle")
    grid = table("pool", "type", "site", *figures, right=figures)
    for one in outcomes:
        grid.add_row(
            cell(one.pool),
            cell(one.gpu_type),
            cell(one.site),
            count(one.gpus),
            count(one.granted),
            count(one.idle) if one.idle else "",
        )
    grid.add_section()
    total, granted, idle = (
        (sum(column) for column in zip(*((one.gpus, one.granted, one.idle) for one in outcomes), strict=True))
        if outcomes
        else (0, 0, 0)
    )
    grid.add_row("all pools", "", "", count(total), count(granted), count(idle))
    return titled("Pools, in GPUs", grid)


def projects(plan: Allocation, *, every_project: bool = False) -> RenderableType:
    """Asked, granted, where and why of every project, by team, then tier and priority."""
    figures = ("tier", "asked", "granted")
    grid = table("project", *figures, "where, and why", right=figures)
    places = _places(plan)
    active = [one for one in plan.projects if one.active]
    shown = active if every_project or len(active) <= MOST_PROJECTS else _short_or_moved(plan, active)
    rank = {one.team: place for place, one in enumerate(_in_tree_order(plan.teams))}
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
    return titled("Projects, in reference GPUs at their own speed", grid, *lines)


def _short_or_moved(plan: Allocation, active: list[ProjectOutcome]) -> list[ProjectOutcome]:
    moved = {one.project for one in plan.moves}
    return [one for one in active if one.project in moved or one.reason.cause is not Cause.MET]


def _places(plan: Allocation) -> dict[str, str]:
    """Where each project has its GPUs, the largest grant first."""
    grants: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for one in plan.grants:
        grants[one.project].append((-one.gpus, one.pool))
    return {
        project: ", ".join(f"{pool} {count(-gpus)}" for gpus, pool in sorted(held))
        for project, held in grants.items()
    }


def moves(plan: Allocation) -> RenderableType:
    """GPUs taken from projects that still want them."""
    grid = table("from", "pool", "GPUs", right=("GPUs",))
    for one in plan.moves:
        grid.add_row(cell(one.project), cell(one.pool), count(one.gpus))
    total = sum(one.gpus for one in plan.moves)
    losers = len({one.project for one in plan.moves})
    return titled(f"What moves: {count(total)} GPUs, taken from {counted(losers, 'project')}", grid)
